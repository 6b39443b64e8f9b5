"""``guidedrec evaluate``: every model on the same test cases, and intervals of the differences."""

import math
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core.cli.options import Chosen, config_options
from guidedrec_core.cli.output import json_option, write_json, write_table
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.language import percent

if TYPE_CHECKING:
    from guidedrec_core.data.verbs import InteractionVerb
    from guidedrec_core.runs.store import Run, RunStore


@click.command(cls=Command)
@click.argument("dataset")
@click.option("--run", "run_id", metavar="ID", help="A refined run.  [default: the data set's newest]")
@config_options("evaluation", "seed")
@json_option
@click.pass_obj
def evaluate(session: Session, dataset: str, run_id: str | None, chosen: Chosen, as_json: bool) -> None:
    """Compare the refined model with its base and controls.

    All are measured on the test part, with four simple baselines. A stored evaluation is shown as it is, unless
    settings are chosen. Controls that do not exist yet are trained first. Without --seed, the bootstrap uses the seed
    of the refined run.
    """
    from guidedrec_core.runs import library

    store = session.store()
    entry = library.find_entry(store, dataset, run_id)
    if entry.evaluation is not None and not chosen.values:
        run = store.open(entry.evaluation.id, "evaluation")
    else:
        from guidedrec_core import stages

        config = chosen.over({"seed": entry.run.seed, "training": entry.run.config["training"]})
        with session.progress() as listener:
            run = stages.evaluate(store, store.open(entry.run.id, "refined"), config, listener)
    if as_json:
        write_json(report_json(run))
    else:
        write_report(run, verb_of_run(store, run))


def verb_of_run(store: "RunStore", run: "Run") -> "InteractionVerb":
    """Return how to speak of the interactions of an evaluation's data set."""
    from guidedrec_core.runs.library import refined_entries
    from guidedrec_core.runs.scores import load_scores

    entry = next(one for one in refined_entries(store) if one.run.id == run.inputs["refined"])
    scores = load_scores(store.open(entry.run.inputs["scores"], "scores", verify=False))
    return entry.verb(scores.schema.domain)


PART_KEYS = {"attribute": "attributes", "fact": "facts"}
FRONTIER_KEYS = {"ndcg": "NDCG@10"}
"""Names of tables' columns in the documents that other programs rely on."""


def report_json(run: "Run") -> dict[str, Any]:
    """Return a stored evaluation in the stable form for other programs.

    Parameters
    ----------
    run : Run
        Of stage ``evaluation``.
    """
    models: dict[str, dict[str, float]] = {}
    intervals: dict[str, dict[str, list[float]]] = {}
    for row in run.read_table("metrics").to_dict("records"):
        models.setdefault(row["model"], {})[row["metric"]] = row["value"]
        intervals.setdefault(row["model"], {})[row["metric"]] = [row["ci_low"], row["ci_high"]]
    lists: dict[str, dict[str, float]] = {}
    for row in run.read_table("lists").to_dict("records"):
        lists.setdefault(row["model"], {})[row["metric"]] = row["value"]
    return {
        "run_id": run.inputs["refined"],
        "evaluation_run_id": run.id,
        "split": run.summary["split"],
        "test_cases": run.summary["n_cases"],
        "models": models,
        "intervals": intervals,
        "differences": run.read_table("differences").to_dict("records"),
        "gain": gain_json(run),
        "lists": lists,
        "named": named_json(run),
        "frontier": frontier_json(run),
    }


def gain_json(run: "Run") -> dict[str, Any]:
    """Return what the gain consists of, in test cases per 1,000; see `guidedrec_core.evaluation.gain_parts`."""
    from guidedrec_core.evaluation.gain_parts import gain_parts

    found = gain_parts(run.read_table("metrics"), run.read_table("differences"))
    return {
        "metric": found.metric,
        "control": found.control,
        "per_1000": {"base": found.base, "refined": found.refined},
        "parts": found.parts.to_dict("records"),
    }


def named_json(run: "Run") -> dict[str, Any] | None:
    """Return how much of what decides the lists has a name; None for a run made before that was measured."""
    if "named_shares.parquet" not in run.manifest.files:
        return None
    table = run.read_table("named_shares")
    shares = {PART_KEYS.get(part, part): share for part, share in zip(table["part"], table["share"], strict=True)}
    ends = {
        PART_KEYS.get(part, part): [low, high]
        for part, low, high in zip(table["part"], table["ci_low"], table["ci_high"], strict=True)
    }
    lines = run.read_table("named_lines").to_dict("records")
    measured = run.summary["named"]
    return {"range": measured["range"], **shares, "intervals": ends, "lines": lines, "stable": measured["stable_lines"]}


def frontier_json(run: "Run") -> list[dict[str, Any]] | None:
    """Return NDCG@10 by how much of what no name covers counts; None for a run made before that was measured."""
    if "frontier.parquet" not in run.manifest.files:
        return None
    return [
        {FRONTIER_KEYS.get(str(name), str(name)): value for name, value in row.items()}
        for row in run.read_table("frontier").to_dict("records")
    ]


def write_report(run: "Run", verb: "InteractionVerb") -> None:
    """Write a stored evaluation for people: models and differences with 95 % intervals, and what they say."""
    from guidedrec_core.evaluation.gain_parts import gain_parts, gain_sentence
    from guidedrec_core.evaluation.list_words import list_figure
    from guidedrec_core.evaluation.verdict import MODEL_WORDS, verdict

    report = report_json(run)
    names = _shown_metrics(list(report["models"]["refined"]))
    rows = []
    for model, values in report["models"].items():
        ends = report["intervals"][model]
        rows.append([MODEL_WORDS[model], *(f"{values[m]:.4f} [{ends[m][0]:.4f}, {ends[m][1]:.4f}]" for m in names)])
    gains: dict[str, list[str]] = {}
    for difference in report["differences"]:
        if difference["metric"] in names:
            pair = f"{MODEL_WORDS[difference['model']]} over {MODEL_WORDS[difference['against']]}"
            gains.setdefault(pair, []).append(_gain(difference))
    about = f"{report['split']}, {report['test_cases']:,} test cases, 95 % intervals over users"
    click.echo(f"Refined run {report['run_id']}: {about}")
    click.echo()
    write_table(("model", *names), rows)
    click.echo()
    write_table(("difference", *names), [[pair, *cells] for pair, cells in gains.items()])
    click.echo()
    measures = list(report["lists"]["refined"])
    lists = [
        [MODEL_WORDS[model], *(list_figure(m, values[m]) for m in measures)]
        for model, values in report["lists"].items()
    ]
    write_table(("lists", *measures), lists)
    click.echo()
    if report["named"] is not None:
        _write_named(report["named"], report["frontier"])
    for notice in run.read_json("notices"):
        click.echo(notice["message"])
    metrics, differences = run.read_table("metrics"), run.read_table("differences")
    click.echo(gain_sentence(gain_parts(metrics, differences), report["split"], verb))
    click.echo(verdict(differences, names[-1]).sentence)


def _write_named(named: dict[str, Any], frontier: list[dict[str, Any]]) -> None:
    """Write how much of what decides the lists has a name, and what ranking by names alone reaches."""
    parts = [part for part in named["intervals"] if part != "neighbours" or named[part]]
    rows = [
        [
            part.replace("_", " "),
            percent(named[part], 1),
            f"[{percent(named['intervals'][part][0], 1)}, {percent(named['intervals'][part][1], 1)}]",
        ]
        for part in parts
    ]
    write_table((f"share among the {named['range']} best", "", "95 % interval"), rows)
    click.echo()
    cells = [
        [
            f"{row['unnamed_weight']:g}",
            percent(row["unnamed_spread"], 1),
            f"{row['NDCG@10']:.4f} [{row['ci_low']:.4f}, {row['ci_high']:.4f}]",
        ]
        for row in frontier
    ]
    write_table(("weight of what has no name", "its spread", "NDCG@10"), cells)
    click.echo()


def _shown_metrics(names: list[str]) -> list[str]:
    """Return the metrics of the first cut-off, which fit on a screen.

    Examples
    --------
    >>> _shown_metrics(["MRR", "Recall@10", "Recall@20", "NDCG@10", "NDCG@20"])
    ['MRR', 'Recall@10', 'NDCG@10']
    """
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.partition("@")[0], name)
    return list(first.values())


def _gain(difference: dict[str, Any]) -> str:
    """Write a difference: relative, or absolute where the other model's value is 0."""
    if math.isfinite(difference["relative"]):
        value, low, high = (
            percent(difference[name], 1, sign=True) for name in ("relative", "relative_ci_low", "relative_ci_high")
        )
        return f"{value} [{low}, {high}]"
    return f"{difference['absolute']:+.4f} [{difference['ci_low']:+.4f}, {difference['ci_high']:+.4f}]"
