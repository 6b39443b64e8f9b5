"""What a group of items takes of the lists, and who had such items."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, REFINED
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe
from guidedrec_core.language import percent

_ROW = 34


def share_bars(
    measures: pd.DataFrame, catalogue: float, past: float, colours: Palette, verb: InteractionVerb
) -> go.Figure:
    """Draw what a group of items takes of the lists, next to what it makes up elsewhere.

    Parameters
    ----------
    measures : pandas.DataFrame
        `GroupAnswer.measures`.
    catalogue, past : float
        Share of the catalogue and of past interactions.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    rows: list[tuple[str, float, float, float, str]] = [
        ("of the catalogue", catalogue, np.nan, np.nan, colours.placebo),
        (f"of past {verb.nouns}", past, np.nan, np.nan, colours.placebo),
    ]
    for measure, words in (("places", "of all places in lists"), ("exposure", "of exposure")):
        for model, colour in ((BASE, colours.base), (REFINED, colours.refined)):
            row = measures[(measures["model"] == model) & (measures["measure"] == measure)].iloc[0]
            rows.append((f"{words}, {model}", row["value"], row["low"], row["high"], colour))
    figure = go.Figure()
    for place, (words, value, low, high, colour) in enumerate(rows):
        known = bool(np.isfinite(low))
        figure.add_bar(
            y=[place],
            x=[value],
            orientation="h",
            width=0.6,
            marker={"color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - value if known else 0],
                "arrayminus": [value - low if known else 0],
                "color": colours.text,
                "thickness": 1.2,
                "width": 4,
                "visible": known,
            },
            hovertemplate=f"%{{x:.2%}} {safe(words)}"
            + (f"<br>95 % interval {low:.2%} to {high:.2%}" if known else "")
            + "<extra></extra>",
            showlegend=False,
        )
        figure.add_annotation(
            x=max(value, high) if known else value,
            y=place,
            text=share_text(value),
            showarrow=False,
            xanchor="left",
            xshift=8,
        )
    lay_out(figure, colours, height=_ROW * len(rows) + 60)
    most = max(high if np.isfinite(high) else value for _, value, _, high, _ in rows)
    figure.update_xaxes(tickformat=".0%" if most >= 0.05 else ".1%", range=[0, 1.18 * most or 1], nticks=6)
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[words for words, *_ in rows],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    return figure


def reach_bars(measures: pd.DataFrame, colours: Palette, verb: InteractionVerb) -> go.Figure:
    """Draw how many users are shown one of the items, split by whether they had one before.

    Parameters
    ----------
    measures : pandas.DataFrame
        `GroupAnswer.measures`.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    figure = go.Figure()
    table = {(row["model"], row["measure"]): row for row in measures.to_dict("records")}
    for measure, short, words, colour in (
        ("had", "before", f"{verb.participle} one before", colours.second),
        ("never", "never", f"never {verb.participle} one", colours.negative),
    ):
        rows = [table[model, measure] for model in (BASE, REFINED)]
        figure.add_bar(
            y=["base model", "refined model"],
            x=[row["count"] for row in rows],
            orientation="h",
            width=0.5,
            name=words,
            marker={"color": colour, "line": {"width": 1, "color": colours.background}},
            text=[
                f"{short}: {int(row['count']):,} ({share_text(row['value'])})" if row["count"] else "" for row in rows
            ],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": colours.background, "size": 13},
            customdata=[[row["of"], row["low"], row["high"]] for row in rows],
            hovertemplate=f"%{{x:,}} of %{{customdata[0]:,}} shown one: {words}<br>95 % interval "
            "%{customdata[1]:.1%} to %{customdata[2]:.1%}<extra>%{y}</extra>",
        )
    lay_out(figure, colours, height=250)
    legend_across(figure, 40)
    figure.update_layout(barmode="stack", legend={"traceorder": "normal"})
    figure.update_xaxes(title=f"{verb.users} shown one", rangemode="tozero", nticks=6)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def share_text(share: float) -> str:
    """Write a share in percent with as many digits as tell a small one from 0.

    Examples
    --------
    >>> share_text(0.123), share_text(0.0123)
    ('12 %', '1.2 %')
    """
    return percent(share, None)
