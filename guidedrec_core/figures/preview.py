"""Figures of a new item's preview: its strengths, and where it would rank."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened

_ROW = 26
_LABEL = 26
_HEIGHT = 300


def gain_bars(contributions: pd.DataFrame, colours: Palette, verb: InteractionVerb, most: int = 12) -> go.Figure:
    """Draw what each attribute adds over an average item; newness, which is much more, is left to words.

    Parameters
    ----------
    contributions : pandas.DataFrame
        `Preview.contributions`; its last row is newness.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    most : int
        Attributes shown; those that matter most for anyone.
    """
    attributes = contributions.iloc[:-1]
    size = attributes[["everyone", "reached"]].abs().max(axis=1)
    chosen = attributes.loc[size.sort_values(ascending=False, kind="stable").index[:most]]
    rows = chosen.sort_values("everyone", kind="stable")  # plotly counts from below
    labels = [safe(shortened(label, _LABEL)) for label in rows["label"]]
    places = list(range(len(rows)))
    figure = go.Figure()
    figure.add_bar(
        y=places,
        x=rows["everyone"],
        orientation="h",
        width=0.5,
        name="average over everyone",
        marker={"color": [colours.positive if value >= 0 else colours.negative for value in rows["everyone"]]},
        showlegend=False,
        customdata=labels,
        hovertemplate=f"<b>%{{customdata}}</b><br>average over all {verb.users} %{{x:+.3f}}<extra></extra>",
    )
    if rows["reached"].notna().any():
        figure.add_scatter(
            y=places,
            x=rows["reached"],
            mode="markers",
            name=f"average over the {verb.users} it would reach",
            marker={"size": 9, "symbol": "diamond", "color": colours.text},
            customdata=labels,
            hovertemplate=f"<b>%{{customdata}}</b><br>average over the {verb.users} it would reach %{{x:+.3f}}"
            "<extra></extra>",
            showlegend=True,
        )
    lay_out(figure, colours, height=_ROW * len(rows) + 92)
    legend_across(figure, 30)
    figure.update_xaxes(
        title=f"score above an average item, average over all {verb.users}",
        zeroline=True,
        zerolinecolor=colours.muted,
    )
    figure.update_yaxes(tickvals=places, ticktext=labels, range=[-0.6, len(rows) - 0.4], showgrid=False, zeroline=False)
    return figure


def place_curve(ranks: IntArray, k: int, n_items: int, colours: Palette, verb: InteractionVerb) -> go.Figure:
    """Draw for what share of the users a new item has each rank or better.

    Parameters
    ----------
    ranks : IntArray
        `Preview.ranks`, ``[n_users]``.
    k : int
        Length of the lists; marked.
    n_items : int
        Size of the catalogue.
    colours : Palette
        From `theme.palette`.
    verb : InteractionVerb
        What users do.
    """
    lengths = np.unique(np.geomspace(1, n_items + 1, 60).round().astype(np.int64))
    shares = np.searchsorted(np.sort(ranks), lengths, side="right") / len(ranks)
    figure = go.Figure(
        go.Scatter(
            x=lengths,
            y=shares,
            mode="lines",
            line={"color": colours.refined, "width": 2},
            fill="tozeroy",
            hovertemplate=f"in the top %{{x:,}} for %{{y:.1%}} of {verb.users}<extra></extra>",
            showlegend=False,
        )
    )
    lay_out(figure, colours, height=_HEIGHT)
    figure.add_vline(x=k, line={"color": colours.muted, "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=np.log10(k), y=1, yref="paper", yanchor="top", xanchor="left", showarrow=False, text=f" top {k}",
        font={"size": 12, "color": colours.muted},
    )  # fmt: skip
    decades = [10**power for power in range(len(str(n_items + 1)))]
    figure.update_xaxes(
        type="log", title="rank or better", tickvals=decades, ticktext=[f"{value:,}" for value in decades],
        range=[0, np.log10(n_items + 1)],
    )  # fmt: skip
    figure.update_yaxes(title=f"share of {verb.users}", tickformat=".0%", range=[0, 1.02])
    return figure
