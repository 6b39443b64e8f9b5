"""Items that gained or lost places in the lists between two runs."""

import pandas as pd
import plotly.graph_objects as go

from guidedrec_core import columns as c
from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened

_ROW = 30
_LABEL = 34
_MOST = 10


def item_moves(items: pd.DataFrame, k: int, colours: Palette, most: int = _MOST) -> go.Figure:
    """Draw in how many more or fewer lists items are, the largest change first.

    Parameters
    ----------
    items : pandas.DataFrame
        `ListChange.items`.
    k : int
        Length of the lists.
    colours : Palette
        From `theme.palette`.
    most : int
        Items drawn at most.
    """
    rows = items.head(most)
    places, change = list(range(len(rows))), rows["change"].astype(int)
    figure = go.Figure(
        go.Bar(
            x=change,
            y=places,
            orientation="h",
            width=0.62,
            marker={"color": [colours.positive if value > 0 else colours.negative for value in change]},
            customdata=list(zip(map(safe, rows[c.TITLE].astype(str)), rows["before"], rows["after"], strict=True)),
            hovertemplate="%{customdata[0]}: in %{customdata[1]:,} lists before, %{customdata[2]:,} now<extra></extra>",
            showlegend=False,
        )
    )
    for place, before, after in zip(places, rows["before"], rows["after"], strict=True):
        up = after > before
        figure.add_annotation(
            x=int(after - before),
            y=place,
            text=f"{before:,} to {after:,}",
            showarrow=False,
            xanchor="left" if up else "right",
            xshift=6 if up else -6,
            font={"color": colours.text, "size": 13},
        )
    lay_out(figure, colours, height=76 + _ROW * len(rows))
    figure.update_yaxes(
        tickvals=places,
        ticktext=[safe(shortened(str(title), _LABEL)) for title in rows[c.TITLE]],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    low, high = min(int(change.min()), 0), max(int(change.max()), 0)
    room = 0.45 * max(high - low, 1)
    figure.update_xaxes(
        title=f"More or fewer lists (top {k}) with the item",
        tickformat="d",
        zeroline=True,
        range=[low - (room if low else 0.05 * room), high + (room if high else 0.05 * room)],
        nticks=6,
    )
    return figure
