"""``guidedrec score``: guided scores, from a language model, from tables and by hand, and how complete they are."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.llm_options import LlmChoice, llm_options, schema_option
from guidedrec_core.cli.options import Chosen, config_options
from guidedrec_core.cli.output import json_option, write_facts, write_json
from guidedrec_core.cli.score_batch import Batches, step_batches, write_batches
from guidedrec_core.cli.score_llm import paid_for, plan_scoring, score_with_model, write_plan
from guidedrec_core.cli.session import DefaultGroup, Session

if TYPE_CHECKING:
    from guidedrec_core.data.bundled import ScoreFiles
    from guidedrec_core.runs.store import Run

_FROM_FILES = "requests, tokens and cost are 0, because these scores were read from files"


def table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name tables of scores."""
    for name, text in reversed(
        (
            ("--item-scores", "Guided scores of items (CSV or Parquet: item_id and one column per attribute)."),
            ("--user-scores", "Guided scores of users (CSV or Parquet: user_id and one column per attribute)."),
        )
    ):
        command = click.option(name, type=click.Path(path_type=Path), help=text)(command)
    return command


def score_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name tables of scores and their schema."""
    schema = click.option("--attributes", type=click.Path(path_type=Path), help="Attribute schema (TOML or JSON).")
    return schema(table_options(command))


def score_files(attributes: Path | None, item_scores: Path | None, user_scores: Path | None) -> "ScoreFiles | None":
    """Return the given tables, or None without any.

    Raises
    ------
    click.UsageError
        Tables that belong together are not all given.
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
@schema_option
@llm_options()
@click.option("--users", is_flag=True, help="Score users, too, by the training part of their histories.")
@config_options("split")
@click.option("--batch", is_flag=True, help="Use the server's Batch API: half the price, answers within a day.")
@click.option("--wait", is_flag=True, help="With --batch: wait for the answers.")
@click.option("--cancel", is_flag=True, help="With --batch: cancel the batches under way and keep what is answered.")
@click.option("--dry-run", is_flag=True, help="Only estimate requests, tokens, cost and time.")
@table_options
@click.option("--status", is_flag=True, help="Only show how complete the stored scores are.")
@json_option
@click.pass_obj
def score_dataset(
    session: Session,
    dataset: str,
    attributes: Path | None,
    llm: LlmChoice,
    users: bool,
    chosen: Chosen,
    batch: bool,
    wait: bool,
    cancel: bool,
    dry_run: bool,
    item_scores: Path | None,
    user_scores: Path | None,
    status: bool,
    as_json: bool,
) -> None:
    """Let a language model score a data set, or store scores from tables.

    With --model (or --server recorded) a language model gives the scores. Every answer is stored: after an
    interruption the same command resumes, and only new requests are paid for. Without a model, scores are read from the
    given tables, or the bundled ones are stored, where the data set has some.

    With --batch the server processes the requests within a day. The same command, run again, shows the progress, and
    collects and stores what is answered; --wait waits for it.
    """
    tables = bool(item_scores or user_scores)
    batches = Batches(batch, wait, cancel)
    _check_sources(llm, attributes, tables, status, batch, users or dry_run or bool(chosen.values))
    split = chosen.over({}).split
    if dry_run:
        plans = plan_scoring(session, dataset, attributes, llm, users, split, batch)
        write_plan(dataset, llm.config().model, plans, as_json, at_once=batch)
        return
    if batch and not wait:
        state = step_batches(session, dataset, attributes, llm, users, split, batches)
        if state.batches or cancel:
            write_batches(session, dataset, state, cancel, as_json)
            return
    if llm.wanted:
        run: Run | None = score_with_model(session, dataset, attributes, llm, users, split, batch)
    else:
        run = _from_files(session, dataset, score_files(attributes, item_scores, user_scores), status)
    from guidedrec_core import stages

    facts = _facts(stages.find_data(session.store(), dataset), run)
    if run is not None and not (as_json and status):
        session.notices(run.read_json("notices"))
    if as_json:
        more = {"model": run.summary["model"], "stopped": run.summary["stopped"]} if llm.wanted and run else {}
        write_json(facts if status else {"dataset": dataset, "run_id": run and run.id, **facts, **more})
        return
    counts = {name: facts[name] for name in ("items", "scored", "missing", "failed")}
    write_facts(
        [
            ("data set", dataset),
            ("run", run.id if run else f"none yet; `guidedrec score {dataset} --attributes ... --item-scores ...`"),
            *((name, f"{value:,}") for name, value in counts.items()),
            *([("users scored", f"{run.summary['users_scored']:,}"), ("cost so far", _cost(run))] if run else []),
        ]
    )


def _check_sources(
    llm: LlmChoice, attributes: Path | None, tables: bool, status: bool, batch: bool, other: bool
) -> None:
    """Refuse conflicting options."""
    if llm.wanted and (tables or status):
        wrong = "--status is about stored scores" if status else "scores come from a language model or from tables"
        raise click.UsageError(f"{wrong}; leave out --model and --server, or the other option")
    if llm.recorded and batch:
        raise click.UsageError("the server of recorded scores answers at once and has no batches; leave out --batch")
    if not llm.wanted and (llm.values or batch or other):
        raise click.UsageError("these options need a language model; add --model, or --server recorded")
    if attributes and not (llm.wanted or tables or status):
        raise click.UsageError("--attributes say what to score; add --model for a language model, or --item-scores")


def _from_files(session: Session, dataset: str, files: "ScoreFiles | None", status: bool) -> "Run | None":
    """Store scores from tables, or find those that are stored."""
    if files and status:
        raise click.UsageError("--status is about stored scores and takes no tables; leave one of them out")
    from guidedrec_core import stages
    from guidedrec_core.data.bundled import bundled_scores

    store = session.store()
    data = stages.find_data(store, dataset)
    if files is not None:
        return stages.score_attributes(store, data, files)
    if status and bundled_scores(dataset) is None:
        return stages.newest_scores(store, data)
    return stages.given_scores(store, data)


def _facts(data: "Run", run: "Run | None") -> dict[str, Any]:
    """Return the state of the scores; `missing` counts items without any score."""
    items = int(data.summary["items"])
    summary = run.summary if run else {}
    scored = int(summary.get("scored", 0))
    names = ("failed", "requests", "tokens", "cost", "failed_attempts", "failed_cost")
    costs = {name: summary.get(name, 0) for name in names}
    return {"items": items, "scored": scored, "missing": items - scored, **costs}


def _cost(run: "Run") -> str:
    """Say what a run's scores cost."""
    return paid_for(run.summary) if "model" in run.summary else _FROM_FILES
