"""``guidedrec preview``: what would become of a listing that nobody has taken yet."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.models import opened
from guidedrec_core.cli.output import json_option, one_line, write_facts, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.errors import DataError

if TYPE_CHECKING:
    from guidedrec_core.preview import Preview


@click.command(cls=Command)
@click.argument("dataset")
@click.option(
    "--scores",
    "path",
    type=click.Path(path_type=Path),
    required=True,
    help='JSON file with its guided scores: {"attribute": score, ...}; null, or left out, is missing.',
)
@click.option("--title", metavar="TEXT", default="The new item", show_default=True, help="How to speak of it.")
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the data set's newest]")
@click.option(
    "--k", type=click.IntRange(min=1), default=10, show_default=True, help="Length of the lists it may come into."
)
@json_option
@click.pass_obj
def preview(session: Session, dataset: str, path: Path, title: str, run_id: str | None, k: int, as_json: bool) -> None:
    """Preview a new item: whom it would reach, where it would rank, what it is near.

    It is placed by its guided scores alone and scored for every user, as items that nobody took are. Nothing stored
    changes.
    """
    scores = _read(path)
    with opened(session, dataset, run_id) as system:
        from guidedrec_core.preview import preview as make_preview

        with session.progress() as listener:
            found = make_preview(system, scores, title, k, listener)
    if as_json:
        write_json({"dataset": dataset, **preview_json(found)})
        return
    _write(found)


def preview_json(found: "Preview") -> dict[str, Any]:
    """Return a preview in the form other programs rely on.

    Returns
    -------
    dict
        Ranks count from 1, among what each user has not taken; `reach` counts the users in whose `k` best it comes.
    """
    attributes, near = found.attributes, found.near
    return {
        "title": found.title,
        "run_id": found.run_id,
        "k": found.k,
        "users": len(found.ranks),
        "items": found.n_items,
        "reach": found.reach,
        "mean_rank": found.mean_rank,
        "median_rank": found.median_rank,
        "missing": attributes["attribute"][attributes["missing"]].tolist(),
        "anchored": found.anchored,
        "near": near[["rank", "item_id", "title", "similarity", "why"]].to_dict("records"),
        "audience": found.audience.to_dict("records"),
        "contributions": found.contributions.drop(columns="label").to_dict("records"),
        "sentence": found.sentence,
        "caveats": found.caveats,
    }


def _write(found: "Preview") -> None:
    """Show a preview as text."""
    click.echo(one_line(found.sentence))
    for caveat in found.caveats:
        click.echo(one_line(caveat))
    click.echo()
    places = f"median {found.median_rank:,.0f}, mean {found.mean_rank:,.0f}, best {found.ranks.min():,}"
    write_facts(
        [
            ("reach", f"top {found.k} of {found.reach:,} of {len(found.ranks):,} users"),
            ("place", f"{places} of {found.n_items + 1:,}"),
        ]
    )
    click.echo()
    write_table(
        ("over an average item", "everyone", "those it reaches"),
        [
            [label, f"{everyone:+.3f}", "" if reached != reached else f"{reached:+.3f}"]
            for label, everyone, reached in found.contributions[["label", "everyone", "reached"]].to_numpy()
        ],
    )
    click.echo()
    write_table(
        ("rank", "nearest item", "title", "similarity", "why"),
        [
            [str(row["rank"]), row["item_id"], row["title"], f"{row['similarity']:.2f}", row["why"]]
            for row in found.near.to_dict("records")
        ],
    )
    click.echo()
    write_table(
        ("user", "rank", "lead", "why"),
        [
            [row["user_id"], f"{row['rank']:,}", f"{row['lead']:+.2f}", row["why"]]
            for row in found.audience.to_dict("records")
        ],
    )


def _read(path: Path) -> dict[str, Any]:
    """Read the scores.

    Raises
    ------
    DataError
        It is no file, or no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise DataError(f"expected the item's scores in {path}, there is no such file") from error
    except (OSError, ValueError) as error:
        raise DataError(f"expected the item's scores as JSON in {path}, cannot read it: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f'expected {{"attribute": score, ...}} in {path}, got a {type(content).__name__}')
    return content
