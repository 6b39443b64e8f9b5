"""Tables of the Evaluation page."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import show
from guidedrec_core.app.errors import escaped
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.gain_parts import CONTROL_WORDS, GainParts
from guidedrec_core.evaluation.list_words import LIST_WORDS, list_changes, list_figure, list_meaning
from guidedrec_core.evaluation.report import MODELS
from guidedrec_core.evaluation.slice_words import slice_label
from guidedrec_core.evaluation.verdict import MODEL_WORDS, control_answers, metric_label, model_meaning

_NUMBER = st.column_config.NumberColumn


def model_list(metrics: pd.DataFrame, verb: InteractionVerb) -> None:
    """Say what each evaluated model is for."""
    known = [m for m in MODELS if m in set(metrics["model"])]
    st.markdown("\n".join(f"- **{escaped(MODEL_WORDS[m])}** {escaped(model_meaning(m, verb))}" for m in known))


def control_table(differences: pd.DataFrame, metric: str) -> None:
    """Show the question behind each evaluated control, and the answer here."""
    rows = [tuple(map(escaped, row)) for row in control_answers(differences, metric)]
    st.table(pd.DataFrame(rows, columns=["Question", "Compared with", "Answer here"]), hide_index=True)


def metric_table(metrics: pd.DataFrame) -> None:
    """Show each model's metrics with intervals, in the order of display."""
    said = metrics.assign(
        text=[
            f"{value:.4f} ({low:.4f} to {high:.4f})"
            for value, low, high in zip(metrics["value"], metrics["ci_low"], metrics["ci_high"], strict=True)
        ]
    )
    order = [m for m in MODELS if m in set(metrics["model"])]
    names = [str(name) for name in dict.fromkeys(metrics["metric"])]
    table = said.pivot(index="model", columns="metric", values="text").loc[order, names]
    show.table(
        table.rename(index=MODEL_WORDS).reset_index(),
        hide_index=True,
        key="metrics_table",
        height="content",
        column_config={
            "model": "Model",
            **{m: st.column_config.Column(metric_label(m), help=escaped(m)) for m in names},
        },
    )


def difference_table(differences: pd.DataFrame) -> None:
    """Show all differences with intervals."""
    table = differences.assign(
        model=differences["model"].map(MODEL_WORDS),
        against=differences["against"].map(MODEL_WORDS),
        metric=differences["metric"].map(metric_label),
    )
    show.table(
        table,
        hide_index=True,
        key="differences_table",
        column_config={
            "model": "Model",
            "against": "Compared with",
            "metric": "Measure",
            "absolute": _NUMBER("Difference", format="%+.4f"),
            "relative": _NUMBER("Relative", format="percent"),
            "ci_low": _NUMBER("95 % from", format="%+.4f"),
            "ci_high": _NUMBER("to", format="%+.4f"),
            "relative_ci_low": _NUMBER("Relative 95 % from", format="percent"),
            "relative_ci_high": _NUMBER("Relative to", format="percent"),
        },
    )


def gain_table(found: GainParts) -> None:
    """Show base, the parts of the gain, and refined, per 1,000 cases."""
    control = "" if found.control is None else CONTROL_WORDS[found.control]
    words = {
        "base": "Base model",
        "control": f"{control.capitalize()} alone bring",
        "meaning": "Meaning of the scores adds",
        "gain": "Gain",
        "refined": "Refined model",
    }
    show.table_twin(
        found.table().assign(part=lambda table: table["part"].map(words)),
        "Show as table",
        "gain_parts_table",
        column_config={
            "part": "Of 1,000",
            "per_1000": _NUMBER(f"Found in the top {found.k}", format="%.1f"),
            "low": _NUMBER("95 % from", format="%.1f"),
            "high": _NUMBER("to", format="%.1f"),
        },
    )


def slice_table(gains: pd.DataFrame, slice_by: str, verb: InteractionVerb, control: str | None = None) -> None:
    """Show a metric of all models in each slice, and the gain over the base and over the strict control."""
    gains = gains.assign(slice=[slice_label(slice_by, str(name), verb) for name in gains["slice"]])
    models = {m: _NUMBER(MODEL_WORDS[m], format="%.4f") for m in MODELS if m in gains}
    over = {}
    if control is not None:
        over = {
            "over_control": _NUMBER(f"Refined minus {MODEL_WORDS[control]}", format="%+.4f"),
            "over_control_low": _NUMBER("95 % from ", format="%+.4f"),
            "over_control_high": _NUMBER("to ", format="%+.4f"),
        }
    show.table(
        gains[["slice", "n_cases", *models, "gain", "ci_low", "ci_high", *over]],
        hide_index=True,
        key=f"slices_{slice_by}_table",
        column_config={
            "slice": "Group",
            "n_cases": _NUMBER("Cases", format="%d"),
            **models,
            "gain": _NUMBER("Refined minus base", format="%+.4f"),
            "ci_low": _NUMBER("95 % from", format="%+.4f"),
            "ci_high": _NUMBER("to", format="%+.4f"),
            **over,
        },
    )


def list_measures(lists: pd.DataFrame, verb: InteractionVerb) -> None:
    """Say what the measures of lists mean and what refinement changed in them."""
    changes = list_changes(lists)
    lines = []
    for metric in dict.fromkeys(lists["metric"]):
        name = metric.partition("@")[0]
        changed = f" Refined minus base: {changes[metric]}." if metric in changes else ""
        lines.append(f"- **{escaped(LIST_WORDS[name])}** {escaped(list_meaning(name, verb) + '.' + changed)}")
    st.markdown("\n".join(lines))


def list_table(lists: pd.DataFrame, verb: InteractionVerb) -> None:
    """Show the measures of each model's lists, in the order of display."""
    metrics = list(dict.fromkeys(lists["metric"]))
    said = lists.assign(text=[list_figure(m, v) for m, v in zip(lists["metric"], lists["value"], strict=True)])
    order = [m for m in MODELS if m in set(lists["model"])]
    table = said.pivot(index="model", columns="metric", values="text").loc[order, metrics]
    names = {metric: metric.partition("@")[0] for metric in metrics}
    show.table(
        table.rename(index=MODEL_WORDS).reset_index(),
        hide_index=True,
        key="lists_table",
        height="content",
        column_config={
            "model": "Model",
            **{
                m: st.column_config.TextColumn(LIST_WORDS[n], help=escaped(f"{m}: {list_meaning(n, verb)}"))
                for m, n in names.items()
            },
        },
    )


def ablation_table(ablation: pd.DataFrame, labels: dict[str, str]) -> None:
    """Show the measures of every choice of attributes."""
    kinds = {"all": "all", "none": "none", "drop": "without", "keep": "only", "first": "largest weights, up to"}
    show.table(
        ablation.assign(
            kind=ablation["kind"].map(kinds),
            attribute=ablation["attribute"].map(labels),
            metric=ablation["metric"].map(metric_label),
        ),
        hide_index=True,
        key="ablation_table",
        column_config={
            "kind": "Attributes used",
            "attribute": "Attribute",
            "n_attributes": _NUMBER("Number used", format="%d"),
            "metric": "Measure",
            "value": _NUMBER("Value", format="%.4f"),
            "to_all": _NUMBER("Change from all", format="%+.4f"),
            "to_all_low": _NUMBER("95 % from", format="%+.4f"),
            "to_all_high": _NUMBER("to", format="%+.4f"),
            "to_none": _NUMBER("Change from none", format="%+.4f"),
            "to_none_low": _NUMBER("95 % from", format="%+.4f"),
            "to_none_high": _NUMBER("to", format="%+.4f"),
        },
    )
