"""``guidedrec score``: guided scores, from tables and by hand, and how complete they are."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.output import json_option, write_facts, write_json
from guidedrec_core.cli.session import DefaultGroup, Session

if TYPE_CHECKING:
    from guidedrec_core.data.bundled import ScoreFiles
    from guidedrec_core.runs import Run

_FROM_FILES = "requests, tokens and cost are 0, because these scores were read from files"


def score_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name score tables."""
    for name, text in reversed(
        (
            ("--attributes", "Attribute schema (JSON)."),
            ("--item-scores", "Guided scores of items (CSV or Parquet: item_id and a column an attribute)."),
            ("--user-scores", "Guided scores of users (CSV or Parquet: user_id and a column an attribute)."),
        )
    ):
        command = click.option(name, type=click.Path(path_type=Path), help=text)(command)
    return command


def score_files(attributes: Path | None, item_scores: Path | None, user_scores: Path | None) -> "ScoreFiles | None":
    """Return the tables named, or None when none is.

    Raises
    ------
    click.UsageError
        Some are named without those that belong to them.
    """
    if attributes is None and item_scores is None and user_scores is None:
        return None
    if attributes is None or item_scores is None:
        raise click.UsageError("--attributes and --item-scores belong together; give both")
    from guidedrec_core.data.bundled import ScoreFiles

    return ScoreFiles(attributes, item_scores, user_scores)


@click.group(cls=DefaultGroup, default="dataset", subcommand_metavar="DATASET|COMMAND [ARGS]...")
def score() -> None:
    """Store guided scores.

    `guidedrec score DATASET` is short for `guidedrec score dataset DATASET`, whose --help shows the options.
    """


@score.command("dataset")
@click.argument("dataset")
@score_options
@click.option("--status", is_flag=True, help="Only tell how complete the stored scores are.")
@json_option
@click.pass_obj
def score_dataset(
    session: Session,
    dataset: str,
    attributes: Path | None,
    item_scores: Path | None,
    user_scores: Path | None,
    status: bool,
    as_json: bool,
) -> None:
    """Store guided scores from tables, or tell how complete they are.

    Without tables, the bundled scores are stored, where the data set has some.
    """
    files = score_files(attributes, item_scores, user_scores)
    if files and status:
        raise click.UsageError("--status tells about stored scores and takes no tables; leave one of them out")
    from guidedrec_core import pipeline
    from guidedrec_core.data.bundled import bundled_scores

    store = session.store()
    data = pipeline.find_data(store, dataset)
    run: Run | None
    if files is not None:
        run = pipeline.score_attributes(store, data, files)
    elif status and bundled_scores(dataset) is None:
        run = pipeline.newest_scores(store, data)
    else:
        run = pipeline.given_scores(store, data)
    facts = _facts(data, run)
    if as_json:
        write_json(facts if status else {"dataset": dataset, "run_id": run and run.id, **facts})
        return
    if run is not None:
        session.notices(run.read_json("notices"))
    counts = {name: facts[name] for name in ("items", "scored", "missing", "failed")}
    write_facts(
        [
            ("data set", dataset),
            ("run", run.id if run else f"none yet; `guidedrec score {dataset} --attributes ... --item-scores ...`"),
            *((name, f"{value:,}") for name, value in counts.items()),
            *([("users scored", f"{run.summary['users_scored']:,}"), ("cost", _FROM_FILES)] if run else []),
        ]
    )


def _facts(data: "Run", run: "Run | None") -> dict[str, Any]:
    """Return the state of the scores; `missing` counts items without any score."""
    items = int(data.summary["items"])
    scored = int(run.summary["scored"]) if run else 0
    return {
        "items": items,
        "scored": scored,
        "missing": items - scored,
        "failed": 0,
        "requests": 0,
        "tokens": 0,
        "cost": 0,
    }
