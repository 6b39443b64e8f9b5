"""The report of an evaluation: whether the refined model is better, and for whom, in the Evaluation page's words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import InputError
from guidedrec_core.evaluation.gain_parts import (
    CONTROL_WORDS,
    GainParts,
    gain_parts,
    gain_sentence,
    strict_control,
)
from guidedrec_core.evaluation.list_words import LIST_WORDS, list_changes, list_meaning
from guidedrec_core.evaluation.named_words import PART_WORDS, control_sentence, named_sentence
from guidedrec_core.evaluation.report import MODELS
from guidedrec_core.evaluation.slice_words import SEGMENT, slice_gains, slice_label, slice_sentence
from guidedrec_core.evaluation.verdict import (
    MODEL_WORDS,
    control_answers,
    metric_label,
    metric_meaning,
    model_meaning,
    overview_sentence,
    verdict,
)
from guidedrec_core.figures.evaluation import gain_bar, gain_forest, metric_intervals, slice_forest, training_curves
from guidedrec_core.figures.names import frontier, line_shares
from guidedrec_core.report.document import Chart, Column, Report, Section, Stamp, Table
from guidedrec_core.runs.store import Run, RunStore

if TYPE_CHECKING:  # brings the models
    from guidedrec_core.audience.saved_gains import SavedGains

QUESTION = "Is it really better, and for whom?"
_SLICES = ("item popularity", "history length")


@dataclass(frozen=True)
class EvaluationViews:
    """Everything that the report of an evaluation says.

    Attributes
    ----------
    dataset : str
        Its name.
    tables : mapping of str to pandas.DataFrame
        The evaluation's own: ``metrics, differences, slices, lists``, and where they were measured ``named_shares,
        named_lines, frontier``.
    curves : pandas.DataFrame
        ``model, epoch, loss, ndcg`` of what was trained; may be empty.
    summary, config : mapping
        Of the evaluation's run.
    notices : tuple of str
        What was odd.
    verb : InteractionVerb
        How to speak of interactions.
    """

    dataset: str
    tables: Mapping[str, pd.DataFrame]
    curves: pd.DataFrame
    summary: Mapping[str, Any]
    config: Mapping[str, Any]
    notices: tuple[str, ...]
    verb: InteractionVerb
    segments: "SavedGains | None" = None
    """The gain of saved segments; None where there are none."""

    def control(self, metric: str) -> str | None:
        """Return the strict control."""
        return strict_control(self.tables["differences"], metric)


def evaluation_views(
    store: RunStore, run: Run, dataset: str, verb: InteractionVerb, segments: "SavedGains | None" = None
) -> EvaluationViews:
    """Read what the report of an evaluation says.

    Parameters
    ----------
    store : RunStore
        Where the evaluated models are.
    run : Run
        Of stage ``evaluation``.
    dataset : str
        The data set's name.
    verb : InteractionVerb
        How to speak of its interactions.
    segments : SavedGains, optional
        The gain of saved segments, to be shown among the groups.
    """
    names = ("metrics", "differences", "slices", "lists", "named_shares", "named_lines", "frontier")
    curves = []
    for model, run_id in run.inputs.items():
        trained = store.open(run_id, verify=False)
        if "training.parquet" in trained.manifest.files:
            curves.append(trained.read_table("training").assign(model=model))
    return EvaluationViews(
        dataset=dataset,
        tables={name: run.read_table(name) for name in names if f"{name}.parquet" in run.manifest.files},
        curves=pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(),
        summary=run.summary,
        config=run.config,
        notices=tuple(notice["message"] for notice in run.read_json("notices")),
        verb=verb,
        segments=segments,
    )


def chosen_metric(views: EvaluationViews, metric: str | None = None) -> str:
    """Return the measure to judge by; the first NDCG where none is named.

    Raises
    ------
    InputError
        It was not measured.
    """
    names = [str(name) for name in dict.fromkeys(views.tables["metrics"]["metric"])]
    if metric is None:
        return next((name for name in names if name.startswith("NDCG")), names[0])
    if metric not in names:
        raise InputError(f"expected a measure out of {', '.join(names)}, got {metric!r}")
    return metric


def evaluation_report(views: EvaluationViews, stamp: Stamp, metric: str | None = None) -> Report:
    """Lay out the report of an evaluation.

    Parameters
    ----------
    views : EvaluationViews
        What it says.
    stamp : Stamp
        Where the numbers come from.
    metric : str, optional
        The measure to judge by; default is the first NDCG.
    """
    metrics, differences = views.tables["metrics"], views.tables["differences"]
    chosen = chosen_metric(views, metric)
    said = verdict(differences, chosen)
    made = (
        _gain(views, chosen),
        _models(views, chosen, said.lead, said.more),
        _controls(views, chosen),
        _names(views),
        *(_slices(views, chosen, by) for by in _SLICES),
        _saved_segments(views, chosen),
        _list_measures(views),
        _numbers(views),
        _training(views),
    )
    return Report(
        kind="evaluation",
        title=QUESTION,
        about=f"{views.dataset} · {metric_label(chosen)}",
        answer=overview_sentence(views.dataset, metrics, str(views.summary["split"]), views.verb),
        sections=tuple(section for section in made if section is not None),
        stamp=stamp,
    )


def gain_parts_table(found: GainParts) -> Table:
    """Return base, the parts of the gain, and refined, per 1,000 cases."""
    control = "" if found.control is None else f"{CONTROL_WORDS[found.control].capitalize()} alone"
    words = {
        "base": "Base model",
        "control": control,
        "meaning": "Meaning of the scores",
        "gain": "Gain",
        "refined": "Refined model",
    }
    return Table(
        "gain_parts",
        "What the gain consists of, of 1,000",
        found.table().assign(words=lambda rows: rows["part"].map(words)),
        {
            "words": Column("Of 1,000"),
            "per_1000": Column(f"Found in the top {found.k}", ".1f"),
            "low": Column("95 % from", ".1f"),
            "high": Column("to", ".1f"),
        },
    )


def _gain(views: EvaluationViews, metric: str) -> Section:
    """Say what the gain consists of."""
    found = gain_parts(views.tables["metrics"], views.tables["differences"], metric)
    said = gain_sentence(found, str(views.summary["split"]), views.verb)
    chart = Chart("gain_parts", "From the base to the refined model", said,
                  lambda colours: gain_bar(found, colours), gain_parts_table(found))  # fmt: skip
    return Section("Where does the gain come from?", said, charts=(chart,))


def _models(views: EvaluationViews, metric: str, lead: str, more: str) -> Section:
    """Say whether refinement helps."""
    metrics, differences = views.tables["metrics"], views.tables["differences"]
    measured = Table("metrics", "Every measure of every model", _worded(metrics), _metric_columns("Value", ".4f"))
    gains = Table(
        "differences",
        "Differences between models",
        differences.assign(
            model_words=differences["model"].map(MODEL_WORDS),
            against_words=differences["against"].map(MODEL_WORDS),
            metric_words=differences["metric"].map(metric_label),
        ),
        {
            "model_words": Column("Model"),
            "against_words": Column("Compared with"),
            "metric_words": Column("Measure"),
            "absolute": Column("Difference", "+.4f"),
            "ci_low": Column("95 % from", "+.4f"),
            "ci_high": Column("to", "+.4f"),
            "relative": Column("Relative", "+.1%"),
            "relative_ci_low": Column("95 % from", "+.1%"),
            "relative_ci_high": Column("to", "+.1%"),
        },
    )
    charts = (
        Chart("metrics", f"{metric_label(metric)}: how good is each model?",
              f"{metric_label(metric)} for each model with 95 % intervals",
              lambda colours: metric_intervals(metrics, metric, colours), measured),
        Chart("gains", "How much does refinement gain?", f"Gains of the refined model. {lead}",
              lambda colours: gain_forest(differences, metric, colours), gains),
    )  # fmt: skip
    return Section(
        "Does refinement help?",
        lead,
        sentences=(more,) if more else (),
        charts=charts,
        notes=(f"{metric_label(metric)}: {metric_meaning(metric, views.verb)}. Bars show 95 % intervals.",),
        stacked=True,
    )


def _worded(metrics: pd.DataFrame) -> pd.DataFrame:
    """Add the words for models and measures to a table that has both."""
    return metrics.assign(
        model_words=metrics["model"].map(MODEL_WORDS), metric_words=metrics["metric"].map(metric_label)
    )


def _metric_columns(value: str, form: str) -> dict[str, Column]:
    """Return the columns of a table of values by model and measure."""
    return {
        "model_words": Column("Model"),
        "metric_words": Column("Measure"),
        "value": Column(value, form),
        "ci_low": Column("95 % from", form),
        "ci_high": Column("to", form),
    }


def _controls(views: EvaluationViews, metric: str) -> Section:
    """Say what else could explain the gain."""
    rows = pd.DataFrame(
        control_answers(views.tables["differences"], metric), columns=["question", "compared_with", "answer"]
    )
    columns = {"question": Column("Question"), "compared_with": Column("Compared with"), "answer": Column("Answer")}
    table = Table("controls", "What each control asks, and the answer here", rows, columns)
    return Section("Could something else explain the gain?", tables=(table,))


def _names(views: EvaluationViews) -> Section | None:
    """Say how much of what decides the lists has a name."""
    if "named_shares" not in views.tables:
        return None
    verb = views.verb
    shares, lines, costs = (views.tables[name] for name in ("named_shares", "named_lines", "frontier"))
    sentence = named_sentence(costs, lines)
    own = Table(
        "named_shares",
        "Shares of the parts",
        shares.assign(words=shares["part"].map(PART_WORDS)),
        {
            "words": Column("Part"),
            "share": Column("Share", ".1%"),
            "ci_low": Column("95 % from", ".1%"),
            "ci_high": Column("to", ".1%"),
        },
    )
    each = Table(
        "named_lines", "Share of each reason", lines, {"label": Column("Reason"), "share": Column("Share", ".1%")}
    )
    kept = Table(
        "frontier",
        "Ranking quality by how much of what has no name counts",
        costs,
        {
            "unnamed_weight": Column("Weight of what has no name", ".0%"),
            "ndcg": Column("Ranking quality", ".4f"),
            "ci_low": Column("95 % from", ".4f"),
            "ci_high": Column("to", ".4f"),
        },
    )
    charts = (
        Chart("named_lines", "What decides which items come first", f"Share of each reason. {sentence}",
              lambda colours: line_shares(lines, shares, colours, verb), each),
        Chart("frontier", "What counting less of the rest costs",
              f"Ranking quality by how much of what has no name counts. {sentence}",
              lambda colours: frontier(costs, views.tables["metrics"], colours), kept),
    )  # fmt: skip
    return Section(
        "How much of it has a name?",
        sentence,
        sentences=(control_sentence(shares, verb),),
        charts=charts,
        folded=(own,),
    )


def _slices(views: EvaluationViews, metric: str, by: str) -> Section:
    """Say for whom refinement helps."""
    verb, key, control = views.verb, by.replace(" ", "_"), views.control(metric)
    slices = views.tables["slices"] if views.segments is None or by != SEGMENT else views.segments.slices
    sentence = slice_sentence(slices, by, metric, verb, control)
    gains = slice_gains(slices, by, metric, control)
    gains = gains.assign(group=[slice_label(by, str(name), verb) for name in gains["slice"]])
    models = {model: Column(MODEL_WORDS[model].capitalize(), ".4f") for model in MODELS if model in gains}
    columns = {
        "group": Column("Group"),
        "n_cases": Column("Cases", ",d"),
        **models,
        "gain": Column("Refined minus base", "+.4f"),
        "ci_low": Column("95 % from", "+.4f"),
        "ci_high": Column("to", "+.4f"),
    }
    if control is not None:
        columns |= {
            "over_control": Column(f"Refined minus {MODEL_WORDS[control]}", "+.4f"),
            "over_control_low": Column("95 % from", "+.4f"),
            "over_control_high": Column("to", "+.4f"),
        }
    table = Table(f"by_{key}", f"{metric_label(metric)} by {by}", gains, columns)
    chart = Chart(f"by_{key}", f"By {by}", sentence,
                  lambda colours: slice_forest(slices, by, metric, colours, verb), table)  # fmt: skip
    return Section("For whom?" if by == _SLICES[0] else "", sentence, charts=(chart,))


def _saved_segments(views: EvaluationViews, metric: str) -> Section | None:
    """Say what refinement brings saved segments."""
    if views.segments is None:
        return None
    if views.segments.slices.empty:
        return Section("", "No saved segment could be measured.", notes=views.segments.left_out)
    return replace(_slices(views, metric, SEGMENT), notes=views.segments.left_out)


def _list_measures(views: EvaluationViews) -> Section:
    """Say what the lists are like."""
    lists, verb = views.tables["lists"], views.verb
    names = {metric: metric.partition("@")[0] for metric in dict.fromkeys(lists["metric"])}
    changes = list_changes(lists)
    said = tuple(
        f"{LIST_WORDS[name]}: {list_meaning(name, verb)}."
        + (f" Refined minus base: {changes[metric]}." if metric in changes else "")
        for metric, name in names.items()
    )
    frame = lists.assign(
        model_words=lists["model"].map(MODEL_WORDS),
        measure=lists["metric"].map({m: LIST_WORDS[n] for m, n in names.items()}),
    )
    table = Table(
        "lists",
        "What each model's lists are like",
        frame,
        {"model_words": Column("Model"), "measure": Column("Measure"), "value": Column("Value", ".3f")},
    )
    cutoff = next(iter(names)).partition("@")[2]
    return Section(
        "What are the lists like?",
        f"Accuracy isn't everything. This is what the top {cutoff} lists look like for "
        f"{verb.count_users(int(views.summary['n_listed']))}.",
        points={"Measures": said},
        folded=(table,),
    )


def _numbers(views: EvaluationViews) -> Section:
    """Say what each model is for, and what was counted."""
    verb, facts = views.verb, views.summary
    known = [model for model in MODELS if model in set(views.tables["metrics"]["model"])]
    words = tuple(f"{MODEL_WORDS[model].capitalize()}: {model_meaning(model, verb)}." for model in known)
    counted = (
        f"{facts['n_cases']:,} test cases. Not counted: {facts['n_repeats']:,} that repeat an item of the history, "
        f"{facts['n_without_history']:,} without a history. Every model ranks the whole catalogue, without items the "
        f"{verb.user} has already {verb.participle}."
    )
    drawn = (
        f"Intervals: {views.config['bootstrap_samples']:,} bootstrap samples of {verb.users}; differences are paired."
    )
    return Section("What was compared?", points={"Models": words}, notes=(counted, drawn, *views.notices))


def _training(views: EvaluationViews) -> Section | None:
    """Show how training went."""
    curves = views.curves
    if curves.empty:
        return None
    columns = {
        "model_words": Column("Model"),
        "epoch": Column("Pass", "d"),
        "ndcg": Column("Ranking quality on validation data", ".4f"),
        "loss": Column("Training error", ".4f"),
    }
    table = Table(
        "training", "Training, pass by pass", curves.assign(model_words=curves["model"].map(MODEL_WORDS)), columns
    )
    title = "ranking quality on validation data"
    chart = Chart("training", title.capitalize(), f"{title.capitalize()} of each model by training pass",
                  lambda colours: training_curves(curves, "ndcg", title, colours), table)  # fmt: skip
    note = "Each pass goes once over the training data. The dot marks the version that was kept."
    return Section("How did training go?", charts=(chart,), notes=(note,))
