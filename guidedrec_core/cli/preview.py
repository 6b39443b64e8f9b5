"""``guidedrec preview``: how a listing without interactions would perform."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.llm_options import LlmChoice, llm_options
from guidedrec_core.cli.models import opened
from guidedrec_core.cli.output import json_option, one_line, write_facts, write_json, write_table
from guidedrec_core.cli.preview_listings import Given, cost_words, scored, write_previews
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.errors import DataError, ServiceError
from guidedrec_core.files import read_json

if TYPE_CHECKING:
    from guidedrec_core.items.new_item import Preview
    from guidedrec_core.stages.scoring.new_listings import ListingScores

_MOST_BYTES = 1 << 20  # of a file of scores


@click.command(cls=Command)
@click.argument("dataset")
@click.option(
    "--scores",
    "path",
    type=click.Path(path_type=Path),
    help='JSON file with its guided scores: {"attribute": score, ...}; null, or left out, is missing.',
)
@click.option("--title", metavar="TEXT", help="Its title; with --scores, its display name.")
@click.option("--category", metavar="TEXT", help="Its category, as in the catalogue.")
@click.option("--price", type=float, help="Its price.")
@click.option("--description", metavar="TEXT", help="Its description.")
@click.option(
    "--listing",
    type=click.Path(path_type=Path),
    help="Table of up to 50 listings (CSV or Parquet): title and, as far as known, category, price, description.",
)
@llm_options("model", "base_url", "passes", "timeout", "temperature")
@click.option(
    "--offline",
    metavar="MODEL",
    help="Score with a text model, which is less accurate: of sentence-transformers (extra `local`), or of --base-url.",
)
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the data set's newest]")
@click.option(
    "--k", type=click.IntRange(min=1), default=10, show_default=True, help="Length of the lists it may enter."
)
@json_option
@click.pass_obj
def preview(
    session: Session,
    dataset: str,
    path: Path | None,
    title: str | None,
    category: str | None,
    price: float | None,
    description: str | None,
    listing: Path | None,
    llm: LlmChoice,
    offline: str | None,
    run_id: str | None,
    k: int,
    as_json: bool,
) -> None:
    """Place a new item: whom it would reach and where it would rank.

    It is placed by its guided scores alone and scored for every user, like items without interactions. The scores come
    from a language model that reads the listing (--title ... --model M), or from a file (--scores). Nothing is stored
    except the model's answers.
    """
    given = Given(path, listing, title, category, price, description)
    given.check(llm, offline)
    raw = None if path is None else _read(path)
    listings = given.table(session) if path is None else None
    with opened(session, dataset, run_id) as system:
        from guidedrec_core.items.new_item import preview as make_preview

        if raw is not None or listings is None:
            with session.progress() as listener:
                found = make_preview(system, raw or {}, title or "The new item", k, listener)
            facts: dict[str, Any] = {}
        else:
            scores = scored(session, system, listings, llm, offline)
            with session.progress() as listener:
                previews = [
                    make_preview(system, one.scores, one.title, k, listener, scores.caveats)
                    for one in scores.listings
                    if one.scores is not None
                ]
            facts = {"scored_by": scores.scored_by}
            facts |= {"requests": scores.requests, "tokens": scores.tokens, "cost": scores.cost}
            facts |= {"failed_attempts": scores.failed_attempts, "failed_cost": scores.failed_cost}
            if listing is not None:
                _write_several(dataset, previews, scores, facts, as_json)
                return
            if not previews:
                raise ServiceError(f"{title} could not be scored by {scores.scored_by}: {scores.listings[0].fault}")
            found = previews[0]
    if as_json:
        write_json({"dataset": dataset, **preview_json(found), **facts})
        return
    _write(found)
    if facts:
        click.echo()
        write_facts([("scored by", cost_words(scores))])


def _write_several(
    dataset: str, previews: "list[Preview]", scores: "ListingScores", facts: dict[str, Any], as_json: bool
) -> None:
    """Write the previews of a table; an error when none of it could be scored."""
    failed = [{"title": one.title, "reason": one.fault} for one in scores.listings if one.scores is None]
    if not previews:
        raise ServiceError(
            f"none of {len(failed):,} listings could be scored by {scores.scored_by} (the first: {failed[0]['reason']})"
        )
    if as_json:
        write_json({"dataset": dataset, "previews": [preview_json(one) for one in previews], "failed": failed, **facts})
        return
    write_previews(previews, scores)


def preview_json(found: "Preview") -> dict[str, Any]:
    """Return a preview in the stable form for other programs.

    Returns
    -------
    dict
        Ranks count from 1, among the items each user has not seen; `reach` counts the users with it in their top `k`.
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
        "scores": dict(zip(attributes["attribute"], attributes["score"], strict=True)),
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
        There is no such file, or it is not a JSON object.
    """
    try:
        content = read_json(path, _MOST_BYTES)
    except FileNotFoundError as error:
        raise DataError(f"expected the item's scores in {path}, there is no such file") from error
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise DataError(f"expected the item's scores as JSON in {path}, cannot read it: {reason}") from error
    if not isinstance(content, dict):
        raise DataError(f'expected {{"attribute": score, ...}} in {path}, got a {type(content).__name__}')
    return content
