"""Who a group of users is: what it seeks, and what its lists hold."""

import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, REFINED
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened
from guidedrec_core.language import percent, signed

_ROW = 30
_MOST = 10


def taste_dots(taste: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw what a group seeks and avoids, with 95 % intervals, the strongest first.

    Parameters
    ----------
    taste : pandas.DataFrame
        `GroupProfile.taste`.
    colours : Palette
        From `theme.palette`.
    """
    rows = taste.head(_MOST)
    names = [safe(shortened(label, 30)) for label in rows["label"]]
    figure = go.Figure()
    figure.add_scatter(
        x=rows["value"],
        y=names,
        mode="markers",
        marker={
            "size": 11,
            "color": [colours.positive if value >= 0 else colours.negative for value in rows["value"]],
            "symbol": ["circle" if value >= 0 else "diamond" for value in rows["value"]],
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows["value"],
            "arrayminus": rows["value"] - rows["low"],
            "color": colours.muted,
            "thickness": 2,
            "width": 4,
        },
        customdata=[
            f"{signed(value, 2)}, 95 % interval {signed(low, 2)} to {signed(high, 2)}"
            for value, low, high in zip(rows["value"], rows["low"], rows["high"], strict=True)
        ],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
        showlegend=False,
        cliponaxis=False,
    )
    lay_out(figure, colours, height=_ROW * len(rows) + 80)
    figure.add_vline(x=0, line={"color": colours.text, "width": 1})
    figure.update_xaxes(title="avoid ← average → seek, standard deviations", tickformat="+", nticks=7)
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False)
    return figure


def category_bars(categories: pd.DataFrame, colours: Palette, verb: InteractionVerb) -> go.Figure:
    """Draw each category's share of a group's lists, base and refined, next to past interactions and everyone's lists.

    Parameters
    ----------
    categories : pandas.DataFrame
        `GroupProfile.categories`.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    rows = categories.head(_MOST)
    names = [safe(shortened(name, 26)) for name in rows["category"]]
    figure = go.Figure()
    for column, label, colour in ((BASE, "base lists", colours.base), (REFINED, "refined lists", colours.refined)):
        figure.add_bar(
            y=names,
            x=rows[column],
            orientation="h",
            name=label,
            marker={"color": colour},
            customdata=[percent(share, 1) for share in rows[column]],
            hovertemplate=f"%{{y}}: %{{customdata}} of {label}<extra></extra>",
        )
    for column, label, symbol in (
        ("past", f"past {verb.nouns}", "line-ns"),
        ("everyone", "everyone's refined lists", "diamond-open"),
    ):
        figure.add_scatter(
            y=names,
            x=rows[column],
            mode="markers",
            name=label,
            marker={"symbol": symbol, "size": 11, "color": colours.text, "line": {"width": 2, "color": colours.text}},
            customdata=[percent(share, 1) for share in rows[column]],
            hovertemplate=f"%{{y}}: %{{customdata}} of {label}<extra></extra>",
        )
    lay_out(figure, colours, height=(_ROW + 14) * len(rows) + 100)
    legend_across(figure, 44)
    figure.update_layout(barmode="group", bargap=0.3, legend={"traceorder": "normal"})
    figure.update_xaxes(tickformat=".0%", rangemode="tozero", nticks=6)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure
