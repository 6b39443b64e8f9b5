"""``guidedrec export``: stored results in the formats of other programs."""

from pathlib import Path
from typing import Literal

import click

from guidedrec_core.cli.models import choose
from guidedrec_core.cli.output import json_option, write_facts, write_json
from guidedrec_core.cli.session import Command, Group, Session
from guidedrec_core.errors import NotFoundError


@click.group(cls=Group)
def export() -> None:
    """Write stored results in the formats of other programs."""


@export.command("map", cls=Command)
@click.argument("dataset", required=False)
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tensorboard", "embedding-atlas"]),
    default="tensorboard",
    show_default=True,
    help="For TensorBoard's Embedding Projector (TSV files), or for Embedding Atlas (one Parquet file).",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder to write to; existing files are replaced."
)
@json_option
@click.pass_obj
def export_map(
    session: Session,
    dataset: str | None,
    run_id: str | None,
    form: Literal["tensorboard", "embedding-atlas"],
    out: Path,
    as_json: bool,
) -> None:
    """Write the base and the refined item space, with each item's title, category and scores.

    TensorBoard gets vectors of both spaces and metadata, to be laid out anew. Embedding Atlas gets the maps as the app
    shows them, with the nearest items in both spaces.
    """
    from guidedrec_core.projection.export import map_files
    from guidedrec_core.projection.item_map import build_map
    from guidedrec_core.projection.spaces import ItemSpace
    from guidedrec_core.recommenders.reading import open_refined
    from guidedrec_core.report.files import write_files

    store = session.store()
    entry = choose(store, dataset, run_id)
    if entry.projection is None:
        name = entry.data.config["name"]
        raise NotFoundError(f"run {entry.run.id} has no maps yet; `guidedrec project {name}` makes them")
    model = open_refined(store, entry.run.id)
    spaces = (
        ItemSpace.base(model.base.item_embedding()),
        ItemSpace.refined(model.refined.item_values(), model.refined.item_remainders()),
    )
    written = write_files(map_files(build_map(store, entry.projection.id), *spaces, form), out)
    if as_json:
        write_json({"run_id": entry.run.id, "projection_run_id": entry.projection.id, "files": written})
        return
    write_facts(
        [("run", entry.run.id), ("items", f"{len(spaces[0].vectors):,}"), *(("written", str(p)) for p in written)]
    )
    if form == "embedding-atlas":
        for space in ("base", "refined"):
            shown = f"--x {space}_x --y {space}_y --neighbors {space}_neighbors --text title"
            click.echo(f"embedding-atlas {written[0]} {shown}")
