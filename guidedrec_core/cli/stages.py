"""``guidedrec build`` and its single stages ``train``, ``refine`` and ``project``."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guidedrec_core.cli.evaluate import report_json, verb_of_run, write_report
from guidedrec_core.cli.options import Chosen, config_options
from guidedrec_core.cli.output import compact, json_option, write_facts, write_json
from guidedrec_core.cli.score import score_files, score_options
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.errors import NotFoundError

if TYPE_CHECKING:
    from guidedrec_core.runs.store import Run, RunStore


@click.command(cls=Command)
@click.argument("dataset")
@score_options
@config_options("split", "encoder", "external", "training", "refinement", "evaluation", "projection", "seed")
@click.option("--again", is_flag=True, help="Train every model again, even where an equal one is stored.")
@json_option
@click.pass_obj
def build(
    session: Session,
    dataset: str,
    attributes: Path | None,
    item_scores: Path | None,
    user_scores: Path | None,
    chosen: Chosen,
    again: bool,
    as_json: bool,
) -> None:
    """Run all stages for a data set.

    They are train, refine, evaluate and project.

    Guided scores are read from the given tables, else the newest stored ones are used, else bundled ones. Stored
    results are not computed again, so an interrupted build resumes where it stopped. The bundled shop has a shorter
    default of --patience. With --base external the base is your own recommender, given as vectors.
    """
    files = score_files(attributes, item_scores, user_scores)
    from guidedrec_core.data.bundled import build_settings

    config = chosen.over(build_settings(dataset))
    from guidedrec_core import stages

    started = time.monotonic()
    store = session.store(reuse_since=datetime.now(UTC) if again else None)
    with session.progress() as listener:
        made = stages.build(store, dataset, config, files, listener)
    runs = {name: getattr(made, name) for name in ("data", "scores", "base", "refined", "evaluation", "projection")}
    session.notices(made.scores.read_json("notices"))
    session.notices(made.base.read_json("notices"))
    session.notices(made.refined.read_json("notices"))
    if as_json:
        ids = {name: run.id for name, run in runs.items()}
        seconds = round(time.monotonic() - started, 1)
        write_json({"dataset": dataset, "runs": ids, "seconds": seconds, "evaluation": report_json(made.evaluation)})
        return
    write_facts([(name, f"run {run.id}  {compact(run.summary)}") for name, run in runs.items()])
    click.echo()
    write_report(made.evaluation, verb_of_run(store, made.evaluation))


@click.command(cls=Command)
@click.argument("dataset")
@config_options("split", "encoder", "external", "training", "seed")
@json_option
@click.pass_obj
def train(session: Session, dataset: str, chosen: Chosen, as_json: bool) -> None:
    """Train the base model of a data set.

    With --base external nothing is trained: the vectors of your own recommender, or of your items' texts (`guidedrec
    vectors`), are matched to the data set by id, and ids that do not match are counted and named.
    """
    from guidedrec_core.data.bundled import build_settings

    config = chosen.over(build_settings(dataset))
    from guidedrec_core import stages

    store = session.store()
    with session.progress() as listener:
        run = stages.train_base(store, stages.find_data(store, dataset), config, listener)
    session.notices(run.read_json("notices"))
    _show(run, dataset, as_json)


@click.command(cls=Command)
@click.argument("dataset")
@click.option("--base-run", metavar="ID", help="The base run to refine.  [default: the data set's newest]")
@config_options("training", "refinement", "seed")
@json_option
@click.pass_obj
def refine(session: Session, dataset: str, base_run: str | None, chosen: Chosen, as_json: bool) -> None:
    """Make the refined model over a base run.

    With --mode head the base stays as it is and nothing is trained. It uses the newest guided scores, overridden by
    those set by hand. Split, encoder and, where not chosen here, training settings and seed are those of the base
    run.
    """
    from guidedrec_core import stages

    store = session.store()
    base = _base_run(store, dataset, base_run)
    stored = {"training": base.config["training"], "seed": base.seed}
    config = chosen.over(stored)
    scores = stages.find_scores(store, store.open(base.inputs["data"], "data"))
    with session.progress() as listener:
        run = stages.refine(store, base, scores, config, listener)
    session.notices(scores.read_json("notices"))
    session.notices(run.read_json("notices"))
    _show(run, dataset, as_json)


@click.command(cls=Command)
@click.argument("dataset")
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the data set's newest]")
@config_options("projection", "seed")
@json_option
@click.pass_obj
def project(session: Session, dataset: str, run_id: str | None, chosen: Chosen, as_json: bool) -> None:
    """Lay out the maps of the base and the refined item space.

    Without --seed, the seed is that of the refined run.
    """
    from guidedrec_core import stages
    from guidedrec_core.runs import library

    store = session.store()
    entry = library.find_entry(store, dataset, run_id)
    config = chosen.over({"seed": entry.run.seed})
    with session.progress() as listener:
        run = stages.project_items(store, store.open(entry.run.id, "refined"), config, listener)
    _show(run, dataset, as_json)


def _base_run(store: "RunStore", dataset: str, run_id: str | None) -> "Run":
    """Return the given base run, or the newest of the data set as it is stored now."""
    from guidedrec_core.stages import find_data

    if run_id is not None:
        base = store.open(run_id, "base")
        name = store.open(base.inputs["data"], "data").config["name"]
        if name != dataset:
            raise NotFoundError(f"expected a base run of data set {dataset!r}, but {run_id} is one of {name!r}")
        return base
    found = store.find("base", inputs={"data": find_data(store, dataset).id})
    if found is None:
        raise NotFoundError(f"data set {dataset!r} has no base run yet; `guidedrec train {dataset}` makes one")
    return found


def _show(run: "Run", dataset: str, as_json: bool) -> None:
    """Show the run that a stage made or found."""
    if as_json:
        facts = {"stage": run.stage, "inputs": run.inputs, "summary": run.summary}
        write_json({"dataset": dataset, "run_id": run.id, **facts})
        return
    write_facts([("data set", dataset), ("stage", run.stage), ("run", run.id), ("result", compact(run.summary))])
