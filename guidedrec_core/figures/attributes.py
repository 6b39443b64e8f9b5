"""Figures of what attributes' scores look like and how far they can be trusted."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened
from guidedrec_core.language import percent

_ACROSS = 4
_CELL = 150
_GAP = 62
_TITLE = 26
_ROW = 28
# Koo and Li (2016), as in `reliability_words`.
_BOUNDS = ((0.5, "moderate"), (0.75, "good"), (0.9, "excellent"))


def histograms(counts: pd.DataFrame, facts: pd.DataFrame, schema: AttributeSchema, colours: Palette) -> go.Figure:
    """Draw how many items have each score, a small chart an attribute, all of one height.

    The commonest score is marked by colour and by its share above the bar.

    Parameters
    ----------
    counts, facts : pandas.DataFrame
        See `distribution.score_counts` and `distribution.score_facts`.
    schema : AttributeSchema
        What both ends mean.
    colours : Palette
        From `theme.palette`.
    """
    down = math.ceil(len(schema) / _ACROSS)
    height = down * _CELL + 24
    figure = make_subplots(
        down,
        _ACROSS,
        subplot_titles=[safe(shortened(attribute.label, _TITLE)) for attribute in schema.attributes],
        shared_yaxes="all",
        horizontal_spacing=0.03,
        vertical_spacing=_GAP / height if down > 1 else 0,
    )
    most = float(counts["share"].max())
    low, high = schema.scale.min, schema.scale.max
    for place, attribute in enumerate(schema.attributes):
        rows = counts[counts["attribute"] == attribute.name]
        share = rows["share"].to_numpy()
        top = int(share.argmax())
        peak = np.arange(len(share)) == top
        missing = int(facts["missing"].iloc[place])
        figure.add_bar(
            x=rows["value"],
            y=share,
            marker={"color": np.where(peak & (share > 0), colours.refined, colours.remainder).tolist()},
            text=[percent(value) if place_ == top and value > 0 else "" for place_, value in enumerate(share)],
            textposition="outside",
            textfont={"size": 11, "color": colours.text},
            textangle=0,
            constraintext="none",
            cliponaxis=False,
            customdata=rows["items"],
            hovertemplate=(
                f"<b>{safe(attribute.label)}</b> %{{x:g}}: %{{customdata:,}} items (%{{y:.1%}})"
                f"<br>{low:g}: {safe(attribute.low, 50)}<br>{high:g}: {safe(attribute.high, 50)}"
                + (f"<br>{missing:,} items not scored" if missing else "")
                + "<extra></extra>"
            ),
            row=place // _ACROSS + 1,
            col=place % _ACROSS + 1,
        )
    lay_out(figure, colours, height)
    figure.update_layout(showlegend=False, bargap=0.15, margin={"t": 24})
    for place, title in enumerate(figure.layout.annotations):
        title.update(x=figure.layout[f"xaxis{place + 1 if place else ''}"].domain[0], xanchor="left", font={"size": 13})
    middle = low + (high - low) / 2
    figure.update_xaxes(
        tickvals=[low, middle, high],
        showgrid=False,
        showline=True,
        tickfont={"size": 11, "color": colours.muted},
        range=[low - 0.08 * (high - low), high + 0.08 * (high - low)],
    )
    figure.update_yaxes(visible=False, range=[0, most * 1.3])
    return figure


def agreement_dots(agreement: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw how well another pass would agree, attribute by attribute, with 95 % intervals.

    Parameters
    ----------
    agreement : pandas.DataFrame
        `Trust.agreement`; attributes without a figure are left out.
    colours : Palette
        From `theme.palette`.
    """
    rows = agreement.dropna(subset=["icc"]).sort_values("icc", kind="stable")
    sure = rows["level"].isin(["excellent", "good"])
    figure = go.Figure(
        go.Scatter(
            x=rows["icc"],
            y=[safe(shortened(label, _TITLE)) for label in rows["label"]],
            mode="markers",
            marker={
                "size": 10,
                "color": np.where(sure, colours.refined, colours.negative).tolist(),
                "symbol": np.where(sure, "circle", "diamond-open").tolist(),
                "line": {"width": 2},
            },
            error_x={
                "type": "data",
                "array": rows["high"] - rows["icc"],
                "arrayminus": rows["icc"] - rows["low"],
                "color": colours.muted,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[
                [safe(sentence, 60), level] for sentence, level in zip(rows["sentence"], rows["level"], strict=True)
            ],
            hovertemplate="<b>%{y}</b><br>%{customdata[0]}<extra></extra>",
            showlegend=False,
        )
    )
    lay_out(figure, colours, height=_ROW * len(rows) + 92)
    lowest = float(min(rows["low"].min(), 0.9)) if len(rows) else 0.0
    start = max(math.floor(lowest * 10 - 0.5) / 10, -1.0)
    for bound, word in _BOUNDS:
        if bound > start:
            figure.add_vline(x=bound, line={"color": colours.muted, "width": 1, "dash": "dot"})
            figure.add_annotation(
                x=bound, y=1, yref="paper", yanchor="bottom", xanchor="left", text=f"{word} →", showarrow=False,
                font={"size": 11, "color": colours.muted},
            )  # fmt: skip
    figure.update_xaxes(title="agreement between passes (1 = identical), 95 % intervals", range=[start, 1.02])
    figure.update_yaxes(showgrid=True, ticks="")
    return figure


def people_dots(rows: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw how far scores agree with people, attribute by attribute, next to what categories and two people reach.

    Parameters
    ----------
    rows : pandas.DataFrame
        The table of `human.human_agreement` with ``label`` and ``said``, the verdict in words; attributes without a
        figure are left out.
    colours : Palette
        From `theme.palette`.
    """
    rows = rows.dropna(subset=["spearman"]).sort_values("spearman", kind="stable")
    labels = [safe(shortened(label, _TITLE)) for label in rows["label"]]
    sure = rows["verdict"].isin(["strong", "fair"])
    figure = go.Figure()
    for name, column, symbol in (
        ("categories", "categories", "line-ns-open"),
        ("two people", "people", "hexagon-open"),
    ):
        if rows[column].notna().any():
            figure.add_scatter(
                x=rows[column], y=labels, name=name, mode="markers",
                marker={"size": 12, "color": colours.muted, "symbol": symbol, "line": {"width": 2}},
                hovertemplate=f"<b>%{{y}}</b><br>{name}: %{{x:.2f}}<extra></extra>",
            )  # fmt: skip
    figure.add_scatter(
        x=rows["spearman"],
        y=labels,
        name="scores",
        mode="markers",
        marker={
            "size": 10,
            "color": np.where(sure, colours.refined, colours.negative).tolist(),
            "symbol": np.where(sure, "circle", "diamond-open").tolist(),
            "line": {"width": 2},
        },
        error_x={
            "type": "data",
            "array": rows["ci_high"] - rows["spearman"],
            "arrayminus": rows["spearman"] - rows["ci_low"],
            "color": colours.muted,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=[[safe(said, 60), count] for said, count in zip(rows["said"], rows["n_items"], strict=True)],
        hovertemplate="<b>%{y}</b><br>%{x:.2f}, %{customdata[1]:,} items<br>%{customdata[0]}<extra></extra>",
    )
    lay_out(figure, colours, height=_ROW * len(rows) + 112)
    figure.update_xaxes(title="agreement with people (1 = same order of items), 95 % intervals")
    figure.update_yaxes(showgrid=True, ticks="")
    return figure


def correlation_map(
    correlations: npt.NDArray[np.float64], schema: AttributeSchema, alike: float, colours: Palette
) -> go.Figure:
    """Draw how far each two attributes overlap, as a triangle of cells; those above a bound show their number.

    Parameters
    ----------
    correlations : ndarray
        ``[A, A]``.
    schema : AttributeSchema
        Names.
    alike : float
        Correlation, either way, from which on two attributes are said to overlap.
    colours : Palette
        From `theme.palette`.
    """
    labels = [safe(shortened(attribute.label, _TITLE)) for attribute in schema.attributes]
    lower = np.tril(np.ones_like(correlations, dtype=bool), k=-1)
    cells = np.where(lower, correlations, np.nan)[1:, :-1]
    rows, columns = np.nonzero(np.abs(np.nan_to_num(cells)) >= alike)
    figure = go.Figure(
        go.Heatmap(
            z=cells,
            x=labels[:-1],
            y=labels[1:],
            colorscale=[list(stop) for stop in colours.diverging],
            zmid=0,
            zmin=-1,
            zmax=1,
            xgap=1,
            ygap=1,
            hoverongaps=False,
            hovertemplate="%{y} and %{x}: correlation %{z:+.2f}<extra></extra>",
            colorbar={
                "orientation": "h",
                "x": 0.96,
                "xanchor": "right",
                "y": 1,
                "yanchor": "top",
                "len": 0.5,
                "xpad": 24,
                "thickness": 10,
                "outlinewidth": 0,
                "tickvals": [-1, 0, 1],
                "ticktext": ["opposite", "unrelated", "identical"],
                "tickfont": {"size": 11, "color": colours.muted},
            },
        )
    )
    lay_out(figure, colours, height=_ROW * len(labels) + 92)
    for row, column in zip(rows, columns, strict=True):
        figure.add_annotation(
            x=labels[column], y=labels[row + 1], text=f"{cells[row, column]:.2f}", showarrow=False,
            font={"size": 11, "color": colours.background},
        )  # fmt: skip
    figure.update_xaxes(showgrid=False, tickangle=-45, ticks="")
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    return figure
