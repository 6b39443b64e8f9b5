"""Figures of an evaluation: metrics with intervals, gains, slices, training curves."""

import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.evaluation.report import BASE, MODELS, PLACEBO, REFINED, SECOND_TRAINING
from guidedrec_core.evaluation.verdict import MODEL_WORDS
from guidedrec_core.figures.theme import Palette, lay_out, legend_across

_LEGEND_WORDS = {model: words.partition(",")[0] for model, words in MODEL_WORDS.items()}
_SYMBOLS = {BASE: "circle", SECOND_TRAINING: "diamond", PLACEBO: "square-open", REFINED: "circle"}


def model_colour(model: str, colours: Palette) -> str:
    """Return a model's colour; simple baselines are muted."""
    named = {
        BASE: colours.base,
        SECOND_TRAINING: colours.second,
        PLACEBO: colours.placebo,
        REFINED: colours.refined,
    }
    return named.get(model, colours.muted)


def metric_intervals(metrics: pd.DataFrame, metric: str, colours: Palette) -> go.Figure:
    """Draw one metric of all models with 95 % intervals.

    Parameters
    ----------
    metrics : pandas.DataFrame
        `EvaluationReport.metrics`.
    metric : str
        Which one.
    colours : Palette
        From `theme.palette`.
    """
    rows = metrics[metrics["metric"] == metric]
    figure = go.Figure()
    for model, value, low, high in zip(rows["model"], rows["value"], rows["ci_low"], rows["ci_high"], strict=True):
        colour = model_colour(model, colours)
        figure.add_scatter(
            x=[value],
            y=[MODEL_WORDS[model]],
            mode="markers+text",
            text=[f"{value:.3f}"],
            textposition="top center",
            textfont={"color": colours.text},
            marker={"size": 13, "color": colour, "symbol": _SYMBOLS.get(model, "circle")},
            error_x={
                "type": "data",
                "array": [high - value],
                "arrayminus": [value - low],
                "color": colour,
                "thickness": 2,
                "width": 5,
            },
            hovertemplate=f"{MODEL_WORDS[model]}<br>{metric} %{{x:.4f}}, 95 % interval {low:.4f} to {high:.4f}"
            "<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
    lay_out(figure, colours, height=58 * len(rows) + 82)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(rangemode="tozero", title=metric)
    return figure


def gain_forest(differences: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw the refined model's gains over base, second training and placebo with 95 % intervals.

    Parameters
    ----------
    differences : pandas.DataFrame
        `EvaluationReport.differences`. Gains are relative, or all absolute when a relative one is undefined.
    colours : Palette
        From `theme.palette`.
    """
    controls = (BASE, SECOND_TRAINING, PLACEBO)
    rows = differences[(differences["model"] == REFINED) & differences["against"].isin(controls)]
    metrics = list(dict.fromkeys(rows["metric"]))
    relative = bool(rows[["relative", "relative_ci_low", "relative_ci_high"]].notna().all(axis=None))
    kind, prefix, form = ("relative", "relative_", "+.1%") if relative else ("absolute", "", "+.4f")
    figure = go.Figure()
    for shift, against in zip((-0.22, 0.0, 0.22), controls, strict=True):
        part = rows[rows["against"] == against]
        colour = model_colour(against, colours)
        low, high = part[f"{prefix}ci_low"], part[f"{prefix}ci_high"]
        figure.add_scatter(
            x=part[kind],
            y=[metrics.index(metric) + shift for metric in part["metric"]],
            mode="markers",
            name=f"over {_LEGEND_WORDS[against]}",
            marker={"size": 11, "color": colour, "symbol": _SYMBOLS[against], "line": {"width": 2, "color": colour}},
            error_x={
                "type": "data",
                "array": high - part[kind],
                "arrayminus": part[kind] - low,
                "color": colour,
                "thickness": 2,
                "width": 4,
            },
            customdata=pd.DataFrame({"low": low, "high": high, "absolute": part["absolute"]}),
            hovertemplate=(
                f"%{{x:{form}}} over {MODEL_WORDS[against]}<br>95 % interval %{{customdata[0]:{form}}} to "
                f"%{{customdata[1]:{form}}}<br>absolute %{{customdata[2]:+.4f}}<extra></extra>"
            ),
        )
    lay_out(figure, colours, height=68 * max(len(metrics), 1) + 90)
    legend_across(figure, 48)
    figure.add_vline(x=0, line={"color": colours.text, "width": 1})
    figure.update_xaxes(tickformat="+.0%" if relative else "+", title="gain of the refined model, 95 % intervals")
    figure.update_yaxes(
        tickvals=list(range(len(metrics))),
        ticktext=metrics,
        range=[len(metrics) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    return figure


def slice_dots(slices: pd.DataFrame, slice_by: str, metric: str, colours: Palette) -> go.Figure:
    """Draw one metric of base, second training, placebo and refined in each slice, base and refined joined.

    Parameters
    ----------
    slices : pandas.DataFrame
        `EvaluationReport.slices`.
    slice_by : str
        ``"item popularity"`` or ``"history length"``.
    metric : str
        Which one.
    colours : Palette
        From `theme.palette`.
    """
    rows = slices[(slices["slice_by"] == slice_by) & (slices["metric"] == metric)]
    sizes = rows.drop_duplicates("slice").set_index("slice")["n_cases"]
    labels = [f"{name}<br>{n:,} case{'' if n == 1 else 's'}" for name, n in sizes.items()]
    values = rows.pivot(index="slice", columns="model", values="value").reindex(sizes.index)
    figure = go.Figure()
    if {BASE, REFINED} <= set(values.columns):
        for label, base, refined in zip(labels, values[BASE], values[REFINED], strict=True):
            figure.add_scatter(
                x=[base, refined],
                y=[label] * 2,
                mode="lines",
                line={"width": 3, "color": colours.grid},
                hoverinfo="skip",
                showlegend=False,
            )
    for model in [m for m in (PLACEBO, SECOND_TRAINING, BASE, REFINED) if m in values]:
        colour = model_colour(model, colours)
        figure.add_scatter(
            x=values[model],
            y=labels,
            mode="markers",
            name=_LEGEND_WORDS[model],
            marker={"size": 11, "color": colour, "symbol": _SYMBOLS[model], "line": {"width": 2, "color": colour}},
            hovertemplate=f"{MODEL_WORDS[model]}: {metric} %{{x:.4f}}<extra></extra>",
        )
    lay_out(figure, colours, height=56 * len(sizes) + 110)
    legend_across(figure, 48)
    figure.update_xaxes(rangemode="tozero", title=metric)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def training_curves(curves: pd.DataFrame, column: str, title: str, colours: Palette) -> go.Figure:
    """Draw how training went for each arm.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``model, epoch, loss, ndcg``.
    column : {"loss", "ndcg"}
        What to draw; for ``"ndcg"`` the kept epoch, the best one, is marked.
    title : str
        Of the vertical axis.
    colours : Palette
        From `theme.palette`.
    """
    figure = go.Figure()
    for model in [m for m in MODELS if m in set(curves["model"])]:
        part = curves[curves["model"] == model]
        colour = model_colour(model, colours)
        figure.add_scatter(
            x=part["epoch"],
            y=part[column],
            mode="lines" if len(part) > 1 else "markers",
            name=_LEGEND_WORDS[model],
            line={"width": 2, "color": colour, "dash": "dash" if model == PLACEBO else "solid"},
            hovertemplate=f"{MODEL_WORDS[model]}, epoch %{{x}}: %{{y:.4f}}<extra></extra>",
        )
        if column == "ndcg":
            best = part.sort_values("ndcg", ascending=False, kind="stable").head(1)
            figure.add_scatter(
                x=best["epoch"],
                y=best["ndcg"],
                mode="markers",
                marker={"size": 9, "color": colour, "symbol": _SYMBOLS.get(model, "circle")},
                hovertemplate=f"{MODEL_WORDS[model]}: kept epoch %{{x}}<extra></extra>",
                showlegend=False,
            )
    lay_out(figure, colours, height=340)
    legend_across(figure, 48)
    figure.update_xaxes(title="epoch", showgrid=False)
    figure.update_yaxes(title=title)
    return figure
