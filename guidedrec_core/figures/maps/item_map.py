"""Figures of the two item maps: points, or a picture when there are many."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from guidedrec_core import columns as c
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.figures.maps.colouring import Colouring, point_colours
from guidedrec_core.figures.maps.labels import Label, clear_of, place_labels
from guidedrec_core.figures.maps.raster import Raster
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened
from guidedrec_core.projection.geometry import Points
from guidedrec_core.projection.item_map import ItemMap, UserMarks
from guidedrec_core.projection.regions import Region

MOST_POINTS = 20_000
"""Above this a map is a picture made on the server: a browser is slow to draw and to report more points."""

MOST_MOVES = 150
"""Moves drawn of a selection; more lines hide each other."""

_SVG_POINTS = 2_000  # up to here plain SVG is as fast, sharper, and needs no WebGL
_HEIGHT = 380
_LEGEND = 64

FloatArray = npt.NDArray[np.float64]


def is_raster(item_map: ItemMap, most_points: int = MOST_POINTS) -> bool:
    """Tell whether the maps are drawn as pictures, which can be selected on by boxes and lassos only."""
    return len(item_map.items) > most_points


def map_figure(
    item_map: ItemMap,
    space: str,
    colours_of: Colouring,
    colours: Palette,
    selected: IntArray | None = None,
    marks: UserMarks | None = None,
    item: int | None = None,
    *,
    regions: tuple[Region, ...] = (),
    outlines: Sequence[Points] = (),
    moves: bool = False,
    raster: Raster | None = None,
) -> go.Figure:
    """Draw one map.

    Parameters
    ----------
    item_map : ItemMap
        The maps.
    space : {"base", "refined"}
        Which one.
    colours_of : Colouring
        From `colouring`.
    colours : Palette
        From `theme.palette`.
    selected : IntArray, optional
        Items to bring out; all others fade.
    marks : UserMarks, optional
        A user's history and recommendations, drawn on top.
    item : int, optional
        An item to point at.
    regions : tuple of Region
        Those whose labels do not overlap, and hide none of the selected items, get one; none with `marks`.
    outlines : sequence of ndarray
        Closed lines to draw, each ``[n, 2]``.
    moves : bool
        Draw where the selected items are on the other map, and the way from there, at most `MOST_MOVES`.
    raster : Raster, optional
        Of the same map and colouring: items are then drawn as a picture; see `is_raster`.

    Returns
    -------
    go.Figure
        Its first trace holds the items (``customdata`` = item index). Where these are a picture, it holds two unseen
        points, without which no box can be drawn, and a selection must be read from its geometry.
    """
    at = item_map.positions(space)
    figure = go.Figure()
    if raster is not None:
        _add_picture(figure, item_map, raster.png if selected is None else raster.png_of(selected))
    else:
        _add_points(figure, item_map, at, colours_of, colours, selected)
        if marks is not None:
            figure.data[0].marker.opacity = 0.4  # so that the marks stand out
    if moves and selected is not None and len(selected):
        _add_moves(figure, item_map, space, drawn_moves(selected), colours)
    for outline in outlines:
        _add_outline(figure, outline, colours)
    if marks is not None:
        _add_marks(figure, item_map, at, space, marks, colours)
    else:
        labels = place_labels(regions, item_map.window, space)
        if selected is not None:
            labels = clear_of(labels, at[selected])
        _add_labels(figure, labels, colours)
    if item is not None:
        _point_at(figure, at[item], item_map.items[c.TITLE].iloc[item], colours)
    lay_out(figure, colours, _HEIGHT + (_LEGEND if marks is not None else 0))
    figure.update_layout(
        showlegend=marks is not None, margin={"l": 0, "r": 0, "t": 4, "b": 0}, dragmode="select", hovermode="closest"
    )
    figure.update_layout(
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": colours.muted, "activecolor": colours.text},
    )
    if marks is not None:
        legend_across(figure, _LEGEND, bottom=True)
    (x0, x1), (y0, y1) = item_map.window
    hidden = {"visible": False, "automargin": False}
    figure.update_xaxes(range=[x0, x1], **hidden)
    figure.update_yaxes(range=[y0, y1], scaleanchor="x", scaleratio=1, **hidden)
    return figure


def drawn_moves(selected: IntArray) -> IntArray:
    """Return the items whose moves are drawn: evenly thinned where there are many."""
    places = np.linspace(0, len(selected) - 1, min(MOST_MOVES, len(selected)))
    return selected[np.unique(places.astype(np.int64))]


def _add_points(
    figure: go.Figure,
    item_map: ItemMap,
    at: Points,
    colours_of: Colouring,
    colours: Palette,
    selected: IntArray | None,
) -> None:
    """Draw every item as a point."""
    few = len(at) <= _SVG_POINTS
    items = item_map.items
    trace = (go.Scatter if few else go.Scattergl)(
        x=at[:, 0].astype(np.float32),
        y=at[:, 1].astype(np.float32),
        mode="markers",
        customdata=np.arange(len(at)),
        text=[
            f"<b>{safe(title, 40)}</b><br>{safe(category)}<br>{safe(value)}"
            for title, category, value in zip(items[c.TITLE], items[c.CATEGORY], colours_of.hover(), strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        marker={
            "size": 8 if few else 5 if len(at) <= 6_000 else 3,
            "color": point_colours(colours_of, colours),
            "line": {"width": 0.5 if few else 0, "color": colours.muted},
        },
        selected={"marker": {"opacity": 1.0}},
        unselected={"marker": {"opacity": 0.12}},
        showlegend=False,
    )
    if selected is not None and len(selected):
        trace.selectedpoints = selected.tolist()
    figure.add_trace(trace)


def _add_picture(
    figure: go.Figure,
    item_map: ItemMap,
    png: str,
) -> None:
    """Draw all items as a picture, in the place that it stands for."""
    (x0, x1), (y0, y1) = item_map.window
    # A chart without points takes no selection; these two carry it and are not seen.
    figure.add_scatter(
        x=[x0, x1], y=[y0, y1], mode="markers", marker={"opacity": 0, "size": 1}, hoverinfo="skip", showlegend=False
    )
    figure.add_layout_image(
        source=png,
        x=x0, y=y1, sizex=x1 - x0, sizey=y1 - y0, xref="x", yref="y", sizing="stretch", layer="below",
    )  # fmt: skip


def _add_moves(figure: go.Figure, item_map: ItemMap, space: str, moved: IntArray, colours: Palette) -> None:
    """Draw arrows from where items are on the other map."""
    start = item_map.positions("refined" if space == "base" else "base")[moved]
    end = item_map.positions(space)[moved]
    gap = np.full(len(moved), np.nan)
    figure.add_scatter(
        x=np.stack([start[:, 0], end[:, 0], gap], axis=1).ravel(),
        y=np.stack([start[:, 1], end[:, 1], gap], axis=1).ravel(),
        mode="lines+markers",
        line={"width": 1, "color": colours.text},
        marker={"symbol": "arrow", "angleref": "previous", "size": np.tile([0, 7, 0], len(moved)), "opacity": 1,
                "color": colours.text},
        opacity=0.6 if len(moved) < 40 else 0.35,
        hoverinfo="skip",
        showlegend=False,
        name="moves",
    )  # fmt: skip


def _add_outline(figure: go.Figure, outline: Points, colours: Palette) -> None:
    """Draw the edge of a selection."""
    path = "M" + "L".join(f"{x:.4f},{y:.4f}" for x, y in outline.tolist()) + "Z"
    figure.add_shape(type="path", path=path, line={"color": colours.text, "width": 1, "dash": "dot"})


def _add_labels(figure: go.Figure, labels: tuple[Label, ...], colours: Palette) -> None:
    """Write the names of regions a little above their middles."""
    for label in labels:
        figure.add_annotation(
            x=label.at[0], y=label.at[1], text=label.text, showarrow=False, yshift=label.raised, borderpad=1,
            bgcolor=_see_through(colours.background), font={"color": colours.text, "size": 12},
        )  # fmt: skip


def _see_through(colour: str) -> str:
    """Return a colour that lets some of what is behind it shine through."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.72)"


def _add_marks(
    figure: go.Figure, item_map: ItemMap, at: Points, space: str, marks: UserMarks, colours: Palette
) -> None:
    """Draw a user's history as a line through its items, recommendations and the held-out item as rings."""
    colour = colours.base if space == "base" else colours.refined
    titles = item_map.items[c.TITLE]
    rings = (
        (
            f"recommended by the {space} model",
            marks.base if space == "base" else marks.refined,
            "square-open",
            14,
            colour,
        ),
        (item_map.verb.next, marks.held_out, "circle-open", 20, colours.text),
    )
    figure.add_scatter(
        x=at[marks.history, 0],
        y=at[marks.history, 1],
        mode="lines+markers",
        name=f"{item_map.verb.activity} history, oldest to newest",
        line={"width": 1, "color": colours.text, "dash": "dot"},
        marker={"size": 7, "color": colours.text},
        opacity=0.75,
        text=[f"{n}. {safe(titles.iloc[i], 40)}" for n, i in enumerate(marks.history.tolist(), start=1)],
        hovertemplate="history %{text}<extra></extra>",
    )
    for name, items, symbol, size, shade in rings:
        figure.add_scatter(
            x=at[items, 0],
            y=at[items, 1],
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": size, "color": shade, "line": {"width": 2.5, "color": shade}},
            text=[f"{n}. {safe(titles.iloc[i], 40)}" for n, i in enumerate(items.tolist(), start=1)],
            hovertemplate=f"{name} %{{text}}<extra></extra>",
        )


def _point_at(figure: go.Figure, at: Points, title: str, colours: Palette) -> None:
    """Point at one item with an arrow and its title."""
    figure.add_annotation(
        x=at[0],
        y=at[1],
        text=safe(shortened(title, 34)),
        showarrow=True,
        arrowhead=2,
        arrowwidth=1.5,
        arrowcolor=colours.text,
        ax=0,
        ay=-38,
        bgcolor=colours.background,
        bordercolor=colours.text,
        borderpad=4,
        font={"color": colours.text, "size": 13},
    )
