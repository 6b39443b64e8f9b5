"""Figures of an evaluation: metrics with intervals, gains, slices, training curves."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.gain_parts import CONTROL_PART, CONTROL_WORDS, MEANING_PART, GainParts
from guidedrec_core.evaluation.report import (
    BASE,
    CATEGORIES,
    GUIDED_ONLY,
    MODELS,
    PLACEBO,
    RANDOM_VECTORS,
    REFINED,
    SECOND_TRAINING,
)
from guidedrec_core.evaluation.slice_words import FEW_CASES, slice_label
from guidedrec_core.evaluation.verdict import MODEL_WORDS, metric_label, metric_noun
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe
from guidedrec_core.language import percent, signed

_LEGEND_WORDS = {**MODEL_WORDS, SECOND_TRAINING: "retrained", CATEGORIES: "categories"}
"""Models in a legend, where there is room for a word or two."""

MODEL_SYMBOLS = {
    BASE: "circle",
    SECOND_TRAINING: "diamond-open",
    PLACEBO: "x-thin-open",
    RANDOM_VECTORS: "triangle-up-open",
    CATEGORIES: "square",
    GUIDED_ONLY: "triangle-up",
    REFINED: "circle",
}
"""A model's marker, in every chart; see `model_marker`."""

REFERENCES = (BASE, SECOND_TRAINING, PLACEBO)
"""What a gain is always compared with."""

_ROW = 50

_CONTROLS = (*REFERENCES, RANDOM_VECTORS, CATEGORIES, GUIDED_ONLY)


def model_colour(model: str, colours: Palette) -> str:
    """Return a model's colour; simple baselines are muted."""
    named = {
        BASE: colours.base,
        SECOND_TRAINING: colours.second,
        PLACEBO: colours.placebo,
        RANDOM_VECTORS: colours.placebo,
        CATEGORIES: colours.categorical[3],
        GUIDED_ONLY: colours.categorical[6],
        REFINED: colours.refined,
    }
    return named.get(model, colours.muted)


def model_marker(model: str, colours: Palette, size: int) -> dict[str, object]:
    """Return how a model's values are marked: in its colour and form, the same in every chart."""
    colour = model_colour(model, colours)
    return {
        "size": size,
        "color": colour,
        "symbol": MODEL_SYMBOLS.get(model, "circle"),
        "line": {"width": 2, "color": colour},
    }


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
            marker=model_marker(model, colours, 13),
            error_x=_bars([value], [low], [high], colour),
            hovertemplate=f"{MODEL_WORDS[model]}<br>{metric} %{{x:.4f}}, 95 % interval {low:.4f} to {high:.4f}"
            "<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
    lay_out(figure, colours, height=_ROW * len(rows) + 70)
    figure.update_yaxes(range=[len(rows) - 0.4, -0.7], showgrid=False)
    figure.update_xaxes(rangemode="tozero", title=metric_label(metric))
    return figure


def gain_forest(differences: pd.DataFrame, metric: str, colours: Palette) -> go.Figure:
    """Draw one metric's gain of the refined model over the base and over every control, with 95 % intervals.

    Parameters
    ----------
    differences : pandas.DataFrame
        `EvaluationReport.differences`. Gains are relative, or all absolute when a relative one is undefined.
    metric : str
        Which one.
    colours : Palette
        From `theme.palette`.
    """
    wanted = (differences["model"] == REFINED) & (differences["metric"] == metric)
    rows = differences[wanted].set_index("against")
    rows = rows.loc[[control for control in _CONTROLS if control in rows.index]]
    relative = bool(rows[["relative", "relative_ci_low", "relative_ci_high"]].notna().all(axis=None))
    kind, prefix, form = ("relative", "relative_", "+.1%") if relative else ("absolute", "", "+.4f")
    figure = go.Figure()
    for against, row in rows.iterrows():
        colour, value = model_colour(str(against), colours), row[kind]
        low, high = row[f"{prefix}ci_low"], row[f"{prefix}ci_high"]
        figure.add_scatter(
            x=[value],
            y=[f"over {MODEL_WORDS[str(against)]}"],
            mode="markers+text",
            text=[percent(value, 0 if abs(value) >= 0.1 else 1, sign=True) if relative else signed(value, 4)],
            textposition="top center",
            textfont={"color": colours.text},
            marker=model_marker(str(against), colours, 13),
            error_x=_bars([value], [low], [high], colour),
            hovertemplate=f"%{{x:{form}}} over {MODEL_WORDS[str(against)]}<br>95 % interval {low:{form}} to "
            f"{high:{form}}<br>absolute {row['absolute']:+.4f}<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
    lay_out(figure, colours, height=_ROW * max(len(rows), 1) + 70)
    figure.add_vline(x=0, line={"color": colours.text, "width": 1})
    title = f"gain in {metric_noun(metric)}, 95 % intervals"
    figure.update_xaxes(tickformat="+.0%" if relative else "+", title=title, nticks=7)
    figure.update_yaxes(range=[len(rows) - 0.4, -0.7], showgrid=False, zeroline=False)
    return figure


def gain_bar(found: GainParts, colours: Palette) -> go.Figure:
    """Draw the gain as one bar from the base to the refined model: what a control brings, then what meaning adds.

    Parameters
    ----------
    found : GainParts
        In cases per 1,000. Parts of opposite signs lie above each other, as one takes back from the other.
    colours : Palette
        From `theme.palette`.
    """
    figure = go.Figure()
    start = found.base
    rows = {str(name): found.part(str(name)) for name in found.parts["part"]}
    opposed = len({row["per_1000"] >= 0 for row in rows.values()}) > 1
    ends = [found.base, found.refined]
    for place, (part, row) in enumerate(rows.items()):
        name, colour = _part_look(part, found.control, colours)
        size, low, high = row["per_1000"], row["low"], row["high"]
        colour = colours.negative if part != CONTROL_PART and size < 0 else colour
        height = (0.24 if place == 0 else -0.24) if opposed else 0.0
        value = signed(found.whole[part], 0)
        known = np.isfinite(low)
        told = f", 95 % interval {signed(low, 1)} to {signed(high, 1)}" if known else ""
        hatched = {"shape": "/", "fillmode": "overlay", "fgcolor": colours.background, "size": 7}
        figure.add_bar(
            base=[start],
            x=[size],
            y=[height],
            orientation="h",
            width=0.4 if opposed else 0.7,
            name=f"{name}: {value}",
            marker={
                "color": colour,
                "line": {"color": colours.background, "width": 1},
                **({"pattern": hatched} if part == CONTROL_PART else {}),
            },
            hovertemplate=f"{name}: {signed(size, 1)} of 1,000{told}<extra></extra>",
        )
        if known and part != CONTROL_PART:
            figure.add_scatter(
                x=[start + size],
                y=[height],
                mode="markers",
                marker={"size": 1, "color": colours.text},
                error_x=_bars([size], [low], [high], colours.text),
                hoverinfo="skip",
                showlegend=False,
            )
            ends += [start + low, start + high]
        start += size
        ends.append(start)
    spare = 0.14 * max(max(ends) - min(ends), 1.0)
    for end, words, anchor in (
        (found.base, f"base {found.base:,.0f}", "right" if found.refined >= found.base else "left"),
        (found.refined, f"refined {found.refined:,.0f}", "left" if found.refined >= found.base else "right"),
    ):
        figure.add_shape(
            type="line", x0=end, x1=end, y0=-0.55, y1=0.55, line={"color": colours.text, "width": 2}, layer="above"
        )
        figure.add_annotation(
            x=end, y=0.56, text=words, showarrow=False, xanchor=anchor, yanchor="bottom", font={"color": colours.text}
        )
    lay_out(figure, colours, height=210)
    legend_across(figure, 34)
    figure.update_layout(barmode="overlay", legend={"traceorder": "normal"})
    figure.update_xaxes(
        title=f"next item found in the top {found.k}, of 1,000", range=[min(ends) - spare, max(ends) + spare], nticks=7
    )
    figure.update_yaxes(range=[-0.6, 0.95], visible=False)
    return figure


def _part_look(part: str, control: str | None, colours: Palette) -> tuple[str, str]:
    """Return how a part of the gain is called, and its colour."""
    if part == CONTROL_PART and control is not None:
        return f"{CONTROL_WORDS[control]} alone", model_colour(control, colours)
    return ("meaning of the scores" if part == MEANING_PART else "gain", colours.refined)


def slice_forest(
    slices: pd.DataFrame, slice_by: str, metric: str, colours: Palette, verb: InteractionVerb
) -> go.Figure:
    """Draw the refined model's gain in each slice over base, second training and placebo, with 95 % intervals.

    Parameters
    ----------
    slices : pandas.DataFrame
        `EvaluationReport.slices`. Slices of few cases are faded, and their label says so.
    slice_by : str
        ``"item popularity"``, ``"history length"`` or ``"saved segment"``.
    metric : str
        Which one.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    rows = slices[(slices["slice_by"] == slice_by) & (slices["metric"] == metric)]
    sizes = rows.drop_duplicates("slice").set_index("slice")["n_cases"]
    labels = [
        f"{safe(slice_label(slice_by, str(name), verb), 28)}<br>{n:,} case{'' if n == 1 else 's'}"
        f"{', too few' if n < FEW_CASES else ''}"
        for name, n in sizes.items()
    ]
    parts = {model: rows[rows["model"] == model].set_index("slice").reindex(sizes.index) for model in REFERENCES}
    return grouped_forest(
        {model: part for model, part in parts.items() if part["gain"].notna().any()},
        labels,
        [n >= FEW_CASES for n in sizes],
        f"gain in {metric_noun(metric)}",
        colours,
    )


def grouped_forest(
    parts: dict[str, pd.DataFrame], labels: list[str], solid: list[bool], title: str, colours: Palette
) -> go.Figure:
    """Draw differences to several models in groups, with intervals.

    Parameters
    ----------
    parts : dict of str to pandas.DataFrame
        By model: ``gain, ci_low, ci_high``, a row a group.
    labels : list of str
        Of the groups.
    solid : list of bool
        False draws a group faded.
    title : str
        Of the horizontal axis.
    colours : Palette
        From `theme.palette`.
    """
    figure = go.Figure()
    for place, (model, part) in enumerate(parts.items()):
        colour = model_colour(model, colours)
        # A trace has one opacity for its intervals, so faded groups get a trace of their own.
        for strong in (True, False):
            kept = [s == strong for s in solid]
            if not any(kept):
                continue
            shown = part[kept]
            heights = [n + (place - (len(parts) - 1) / 2) * 0.24 for n, k in enumerate(kept) if k]
            figure.add_scatter(
                x=shown["gain"],
                y=heights,
                mode="markers",
                name=f"over {_LEGEND_WORDS[model]}",
                legendgroup=model,
                showlegend=strong or not any(solid),
                opacity=1 if strong else 0.35,
                marker=model_marker(model, colours, 10),
                error_x=_bars(shown["gain"], shown["ci_low"], shown["ci_high"], colour),
                customdata=shown[["ci_low", "ci_high"]],
                hovertemplate=f"%{{x:+.4f}} over {MODEL_WORDS[model]}<br>95 % interval %{{customdata[0]:+.4f}} to "
                "%{customdata[1]:+.4f}<extra></extra>",
            )
    lay_out(figure, colours, height=72 * len(labels) + 110)
    legend_across(figure, 48)
    figure.add_vline(x=0, line={"color": colours.text, "width": 1})
    figure.update_xaxes(title=title, tickformat="+", range=_range_of_solid(parts, solid))
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=labels,
        range=[len(labels) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    return figure


def _range_of_solid(parts: dict[str, pd.DataFrame], solid: list[bool]) -> list[float] | None:
    """Return the range of an axis: faded groups may reach far out, and must not squeeze the others."""
    if not any(solid):
        return None
    ends = [end for part in parts.values() for end in (part["ci_low"][solid], part["ci_high"][solid])]
    reach = pd.concat([pd.Series([0.0]), *ends]).dropna()
    spare = 0.08 * (reach.max() - reach.min())
    return [reach.min() - spare, reach.max() + spare]


def _bars(values: Iterable[float], lows: Iterable[float], highs: Iterable[float], colour: str) -> dict[str, Any]:
    """Return error bars that end at an interval's ends."""
    middle, low, high = (np.asarray(list(each), dtype=float) for each in (values, lows, highs))
    return {
        "type": "data",
        "array": high - middle,
        "arrayminus": middle - low,
        "color": colour,
        "thickness": 2,
        "width": 4,
    }


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
            hovertemplate=f"{MODEL_WORDS[model]}, pass %{{x}}: %{{y:.4f}}<extra></extra>",
        )
        if column == "ndcg":
            best = part.sort_values("ndcg", ascending=False, kind="stable").head(1)
            figure.add_scatter(
                x=best["epoch"],
                y=best["ndcg"],
                mode="markers",
                marker=model_marker(model, colours, 9),
                hovertemplate=f"{MODEL_WORDS[model]}: pass %{{x}} was kept<extra></extra>",
                showlegend=False,
            )
    lay_out(figure, colours, height=340)
    legend_across(figure, 48)
    figure.update_xaxes(title="training pass", showgrid=False)
    figure.update_yaxes(title=title)
    return figure
