"""Who gains and who loses exposure."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened

_ROW = 26
_LABEL = 26
_SAME = 1e-9


def exposure_bars(table: pd.DataFrame, label: str, colours: Palette, most: int = 5) -> go.Figure:
    """Draw the change of shares of exposure, gains above losses.

    Parameters
    ----------
    table : pandas.DataFrame
        ``before, after, change`` and the column `label`, largest change first; see `ListChanges`.
    label : str
        The column of names.
    colours : Palette
        From `theme.palette`.
    most : int
        Gains, and losses, drawn: those that are largest.
    """
    ends = [table[table["change"] * sign > _SAME].head(most) for sign in (1, -1)]
    rows = pd.concat(ends).sort_values("change", ascending=False, kind="stable")
    points = 100 * rows["change"].to_numpy(dtype=float)
    places = list(range(len(rows)))
    figure = go.Figure(
        go.Bar(
            x=points,
            y=places,
            orientation="h",
            width=0.62,
            marker={"color": np.where(points >= 0, colours.positive, colours.negative)},
            customdata=[
                (safe(str(name)), before, after)
                for name, before, after in zip(rows[label], rows["before"], rows["after"], strict=True)
            ],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]:.2%} of exposure before, %{customdata[2]:.2%} after"
            "<extra></extra>",
            showlegend=False,
        )
    )
    digits = 2 if np.abs(points).max(initial=0.0) >= 0.1 else 3
    for place, value in enumerate(points):
        figure.add_annotation(
            x=value,
            y=place,
            text=f"{value:+.{digits}f}".replace("-", "−"),
            showarrow=False,
            xanchor="left" if value >= 0 else "right",
            xshift=6 if value >= 0 else -6,
            font={"color": colours.text, "size": 13},
        )
    lay_out(figure, colours, height=56 + _ROW * max(len(rows), 1))
    low, high = float(points.min(initial=0.0)), float(points.max(initial=0.0))
    room = 0.22 * (high - low or 1.0)
    figure.update_xaxes(
        range=[low - (room if low < 0 else 0), high + (room if high > 0 else 0)],
        title={"text": "Change in points of all exposure", "font": {"size": 12}},
        zeroline=True,
        zerolinewidth=1,
        zerolinecolor=colours.muted,
    )
    figure.update_yaxes(
        tickvals=places,
        ticktext=[safe(shortened(str(name), _LABEL)) for name in rows[label]],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_layout(margin={"t": 6})
    return figure
