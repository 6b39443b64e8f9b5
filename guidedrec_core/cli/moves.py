"""``guidedrec moves``: what moved between the base and the refined space, and why."""

from typing import TYPE_CHECKING

import click

from guidedrec_core import columns as c
from guidedrec_core.cli.models import choose
from guidedrec_core.cli.output import json_option, write_facts, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.errors import NotFoundError
from guidedrec_core.language import percent

if TYPE_CHECKING:
    from guidedrec_core.projection.item_map import ItemMap
    from guidedrec_core.projection.regions import Region
    from guidedrec_core.projection.selection import Selection

_SHOWN = 10


@click.command(cls=Command)
@click.argument("dataset", required=False)
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the newest]")
@click.option(
    "--select",
    "text",
    metavar="SELECTION",
    help="region.NUMBER, category.NAME, items.ID,ID or what an address of the Item map has after select=.  "
    "[default: all items]",
)
@json_option
@click.pass_obj
def moves(session: Session, dataset: str | None, run_id: str | None, text: str | None, as_json: bool) -> None:
    """Show what refinement moved, and why.

    As the Item map does: by how much nearest neighbours became more alike on each attribute, how much of that randomly
    reassigned scores reach, and the groups of items that moved together most.
    """
    from guidedrec_core.projection.item_map import build_map
    from guidedrec_core.projection.regions import find_regions
    from guidedrec_core.projection.selection import describe_selection
    from guidedrec_core.projection.selector import Selector

    store = session.store()
    entry = choose(store, dataset, run_id)
    if entry.projection is None:
        name = entry.data.config["name"]
        raise NotFoundError(f"run {entry.run.id} has no maps yet; `guidedrec project {name}` makes them")
    item_map = build_map(store, entry.projection.id)
    regions = find_regions(item_map)
    chosen = item_map.items.index.to_numpy() if text is None else Selector.parse(text).indexes(item_map, regions)
    if not len(chosen):
        raise NotFoundError(f"no item is inside the selection {text!r}; draw it on these maps")
    selection = describe_selection(item_map, chosen)
    regions = tuple(sorted(regions, key=lambda region: region.kept))
    if as_json:
        write_json(
            {
                "run_id": entry.run.id,
                "projection_run_id": entry.projection.id,
                **_document(item_map, selection, regions),
            }
        )
        return
    write_facts([("run", entry.run.id), ("result", selection.sentence), ("items", selection.detail)])
    click.echo()
    rows = selection.attributes[["label", "pull", "score", "catalogue_score"]].itertuples(index=False, name=None)
    header = ["attribute", "pull", "average", "catalogue"]
    write_table(
        header,
        [
            [label, f"{round(pull, 2) + 0.0:+.2f}", f"{own:.1f}", f"{everywhere:.1f}"]
            for label, pull, own, everywhere in rows
        ],
    )
    if text is None:
        click.echo()
        write_table(
            ["selection", "group", "items", "neighbours unchanged", "moved mostly by"],
            [
                [f"region.{region.number}", region.name, str(len(region.items)), percent(region.kept), region.moved_by]
                for region in regions[:_SHOWN]
            ],
        )
        if len(regions) > _SHOWN:
            click.echo(f"{_SHOWN} of {len(regions)} groups, those whose neighbours changed most; --json has all")


def _document(item_map: "ItemMap", selection: "Selection", regions: "tuple[Region, ...]") -> dict[str, object]:
    """Return the result for programs."""
    return {
        "sentence": selection.sentence,
        "detail": selection.detail,
        "neighbours_kept": selection.kept,
        "neighbours_kept_everywhere": selection.kept_everywhere,
        "chance_pull": selection.chance,
        "moved_by": selection.moved_by,
        "attributes": selection.attributes.to_dict("records"),
        "categories": selection.categories.to_dict("records"),
        "items": item_map.items[c.ITEM].iloc[selection.indexes].tolist(),
        "regions": [
            {
                "number": region.number,
                "name": region.name,
                "items": len(region.items),
                "neighbours_kept": region.kept,
                "neighbours_together": region.together,
                "moved_by": region.moved_by or None,
            }
            for region in regions
        ],
    }
