"""Figures of what attributes are worth: learned weights, each left out or alone, the first few, shorter histories."""

import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.ablation import ALL, DROP, FIRST, KEEP, NONE
from guidedrec_core.evaluation.report import REFINED
from guidedrec_core.evaluation.verdict import metric_label, metric_noun
from guidedrec_core.figures.evaluation import REFERENCES, grouped_forest
from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened
from guidedrec_core.language import percent

_LABEL = 26
_ROW = 26


def weight_bars(weights: pd.DataFrame, labels: dict[str, str], colours: Palette) -> go.Figure:
    """Draw the learned weight of each attribute, the largest first.

    Parameters
    ----------
    weights : pandas.DataFrame
        ``attribute, weight``.
    labels : dict of str to str
        Attributes as people read them.
    colours : Palette
        From `theme.palette`.
    """
    rows = weights.sort_values("weight", ascending=False, kind="stable")
    figure = go.Figure(
        go.Bar(
            x=rows["weight"],
            y=[_label(labels, name) for name in rows["attribute"]],
            orientation="h",
            marker={"color": [colours.positive if w >= 0 else colours.negative for w in rows["weight"]]},
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    )
    lay_out(figure, colours, height=_ROW * len(rows) + 80)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(title="learned weight")
    return figure


def ablation_bars(
    ablation: pd.DataFrame, kind: str, metric: str, labels: dict[str, str], colours: Palette
) -> go.Figure:
    """Draw what removing each attribute costs, or what each brings alone, with 95 % intervals.

    Parameters
    ----------
    ablation : pandas.DataFrame
        See `evaluation.ablation.ablation_table`.
    kind : {"drop", "keep"}
        Removed, compared with all attributes; or alone, compared with none.
    metric : str
        One of `evaluation.ablation.METRICS`.
    labels, colours
        As in `weight_bars`.
    """
    reference, best_first = {DROP: ("to_all", True), KEEP: ("to_none", False)}[kind]
    rows = ablation[(ablation["kind"] == kind) & (ablation["metric"] == metric)]
    rows = rows.sort_values(reference, ascending=best_first, kind="stable")
    change, low, high = rows[reference], rows[f"{reference}_low"], rows[f"{reference}_high"]
    clear = (low > 0) | (high < 0)
    colour = [
        (colours.positive if value > 0 else colours.negative) if sure else colours.remainder
        for value, sure in zip(change, clear, strict=True)
    ]
    figure = go.Figure(
        go.Bar(
            x=change,
            y=[_label(labels, name) for name in rows["attribute"]],
            orientation="h",
            marker={"color": colour},
            error_x={
                "type": "data",
                "array": high - change,
                "arrayminus": change - low,
                "color": colours.text,
                "thickness": 1.2,
                "width": 3,
            },
            customdata=pd.DataFrame({"value": rows["value"], "low": low, "high": high}),
            hovertemplate="%{y}: %{x:+.4f}, 95 % interval %{customdata[1]:+.4f} to %{customdata[2]:+.4f}"
            f"<br>{metric} %{{customdata[0]:.4f}}<extra></extra>",
        )
    )
    lay_out(figure, colours, height=_ROW * len(rows) + 80)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    against = "compared with all attributes" if kind == DROP else "compared with none"
    figure.update_xaxes(title=f"change {against}, 95 % intervals", tickformat="+")
    return figure


def number_curve(ablation: pd.DataFrame, metric: str, labels: dict[str, str], colours: Palette) -> go.Figure:
    """Draw a metric over the number of attributes used, those with the largest weights first.

    Parameters
    ----------
    ablation, metric, labels, colours
        As in `ablation_bars`.
    """
    rows = ablation[ablation["kind"].isin([NONE, FIRST, ALL]) & (ablation["metric"] == metric)]
    rows = rows.sort_values("n_attributes", kind="stable")
    said = [
        {NONE: "no attributes", ALL: "all attributes"}.get(kind, f"last one added: {_label(labels, name)}")
        for kind, name in zip(rows["kind"], rows["attribute"], strict=True)
    ]
    figure = go.Figure(
        go.Scatter(
            x=rows["n_attributes"],
            y=rows["value"],
            mode="lines+markers",
            line={"width": 2, "color": colours.refined},
            marker={"size": 9, "color": colours.refined},
            customdata=said,
            hovertemplate=f"%{{x}} attributes: {metric} %{{y:.4f}}<br>%{{customdata}}<extra></extra>",
        )
    )
    n_attributes = int(rows["n_attributes"].max())
    lay_out(figure, colours, height=_ROW * n_attributes + 80)  # as high as the weights next to it
    figure.update_xaxes(title="number of attributes used, largest weights first", showgrid=False)
    figure.update_yaxes(title=metric_label(metric))
    return figure


def sparsity_forest(differences: pd.DataFrame, metric: str, colours: Palette, verb: InteractionVerb) -> go.Figure:
    """Draw the refined model's gain for each share of the histories, with 95 % intervals.

    Parameters
    ----------
    differences : pandas.DataFrame
        Of a sparsity run: `EvaluationReport.differences` with ``share`` and ``interactions``.
    metric : str
        Which one.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    rows = differences[(differences["model"] == REFINED) & (differences["metric"] == metric)]
    shares = rows.drop_duplicates("share").set_index("share")["interactions"]
    labels = [
        f"latest {percent(float(share))}<br>{verb.count(int(count))}"
        for share, count in zip(shares.index, shares, strict=True)
    ]
    parts = {
        model: rows[rows["against"] == model]
        .set_index("share")
        .reindex(shares.index)
        .rename(columns={"absolute": "gain"})
        for model in REFERENCES
    }
    return grouped_forest(parts, labels, [True] * len(labels), f"gain in {metric_noun(metric)}", colours)


def _label(labels: dict[str, str], name: str) -> str:
    """Return an attribute as people read it, short enough for an axis."""
    return safe(shortened(labels.get(name, name), _LABEL))
