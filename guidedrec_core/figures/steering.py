"""The figure of a steering: average scores of the list, before and after."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened

_LABEL = 26
_ROW = 34


def mix_change(mix: pd.DataFrame, scale: tuple[float, float], colours: Palette, most: int = 6) -> go.Figure:
    """Draw the mean score of both lists on the attributes that changed most.

    Parameters
    ----------
    mix : pandas.DataFrame
        `SteeredCase.mix`.
    scale : tuple of float
        Lowest and highest raw score.
    colours : Palette
        Light or dark.
    most : int
        Attributes shown.
    """
    change = mix["after"] - mix["before"]
    order = change.abs().sort_values(ascending=False, kind="stable").index[:most]
    rows, moved = mix.loc[order].reset_index(drop=True), change.loc[order].to_numpy()
    figure = go.Figure()
    figure.add_bar(
        x=moved,
        base=rows["before"],
        y=rows.index,
        orientation="h",
        width=0.2,
        marker={"color": np.where(moved >= 0, colours.positive, colours.negative)},
        showlegend=False,
        hoverinfo="skip",
    )
    ends = [
        (safe(one), safe(low, 40), safe(high, 40))
        for one, low, high in zip(rows["label"], rows["low"], rows["high"], strict=True)
    ]
    for name, column, symbol, colour in (
        ("current list", "before", "circle-open", colours.base),
        ("what-if list", "after", "diamond", colours.refined),
    ):
        figure.add_scatter(
            x=rows[column],
            y=rows.index,
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": 12, "color": colour, "line": {"width": 2, "color": colour}},
            customdata=ends,
            hovertemplate=f"<b>%{{customdata[0]}}</b>, {name}: %{{x:.1f}}<br>{scale[0]:g}: %{{customdata[1]}}<br>"
            f"{scale[1]:g}: %{{customdata[2]}}<extra></extra>",
        )
    lay_out(figure, colours, height=64 + _ROW * len(rows))
    figure.update_yaxes(
        tickvals=list(rows.index),
        ticktext=[safe(shortened(label, _LABEL)) for label in rows["label"]],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    room = 0.03 * (scale[1] - scale[0])
    figure.update_xaxes(range=[scale[0] - room, scale[1] + room], zeroline=False)
    return figure
