"""The catalogue as nested boxes of shelves."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from guidedrec_core.figures.audience.group import share_text
from guidedrec_core.figures.theme import Palette, lay_out, safe, shortened

_SHELF, _BOARD = 30, 20


def shelf_tree(tree: pd.DataFrame, colours: Palette) -> go.Figure:
    """Draw the catalogue as nested boxes: shelves and their boards, as large as they hold items.

    Parameters
    ----------
    tree : pandas.DataFrame
        ``id, parent`` ("" for shelves), ``name, items, purity`` (NaN where unknown), ``category`` (the commonest).
    colours : Palette
        From `theme.palette`.
    """
    top = tree["parent"] == ""
    shown = [
        shortened(str(name).partition("; ")[0], _SHELF) if shelf else shortened(str(name), _BOARD)
        for name, shelf in zip(tree["name"], top, strict=True)
    ]
    shades = sample_colorscale([list(stop) for stop in colours.sequential], tree["purity"].fillna(0.0).clip(0, 1))
    said = [
        [
            safe(str(name), 60),
            "no category" if np.isnan(purity) else f"{share_text(purity)} of them: {safe(str(category))}",
        ]
        for name, category, purity in zip(tree["name"], tree["category"], tree["purity"], strict=True)
    ]
    # The catalogue itself is the outermost box, without a colour.
    figure = go.Figure(
        go.Treemap(
            ids=["catalogue", *tree["id"]],
            parents=["", *tree["parent"].where(~top, "catalogue")],
            labels=["Whole catalogue", *map(safe, shown)],
            values=[int(tree["items"][top].sum()), *tree["items"].tolist()],
            branchvalues="total",
            marker={"colors": [colours.background, *shades], "line": {"width": 1, "color": colours.background}},
            customdata=[["Whole catalogue", ""], *said],
            hovertemplate="<b>%{customdata[0]}</b><br>%{value:,} items<br>%{customdata[1]}<extra></extra>",
            textfont={"size": 13},
            tiling={"pad": 2},
            pathbar={"visible": False},
            maxdepth=3,
        )
    )
    lay_out(figure, colours, height=520)
    # Boxes too small for their name show it when pointed at.
    figure.update_layout(margin={"l": 0, "r": 0, "t": 8, "b": 0}, uniformtext={"minsize": 10, "mode": "hide"})
    return figure
