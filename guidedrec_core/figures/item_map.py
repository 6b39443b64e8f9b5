"""Figures of the two item maps: points, or their density when there are many, and one legend for both."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from guidedrec_core import columns as c
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened
from guidedrec_core.language import percent
from guidedrec_core.projection.item_map import ItemMap, UserMarks

MOST_POINTS = 20_000
"""Above this a map shows density, because a browser cannot draw and select so many points."""

CATEGORY, POPULARITY, KEPT = "category", "popularity", "unchanged neighbours"
OTHER_COLOURINGS = (CATEGORY, POPULARITY, KEPT)
"""What colours the maps, apart from the attributes."""

_SVG_POINTS = 2_000  # up to here plain SVG is as fast, sharper, and needs no WebGL
_MOST_CATEGORIES = 7
_CELLS = 200
_HEIGHT = 380
_LEGEND = 64

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Colouring:
    """What the colours of the maps mean.

    Attributes
    ----------
    title : str
        What is coloured.
    values : ndarray
        ``[n_items]``: a number (NaN = unknown), or the index into `names`.
    names : tuple of str
        Categories; empty for a scale.
    low, high : str
        What both ends of a scale mean, in words.
    hover : tuple of str
        Each item's value in words, ``[n_items]``.
    """

    title: str
    values: FloatArray
    names: tuple[str, ...]
    low: str
    high: str
    hover: tuple[str, ...]


def colouring(item_map: ItemMap, by: str) -> Colouring:
    """Prepare a colouring.

    Parameters
    ----------
    item_map : ItemMap
        The maps.
    by : str
        An attribute's name, or one of `OTHER_COLOURINGS`.

    Raises
    ------
    UnknownIdError
        It is neither.
    """
    items, verb = item_map.items, item_map.verb
    if by == CATEGORY:
        counts = items[c.CATEGORY].value_counts()
        names = tuple(counts.index[:_MOST_CATEGORIES])
        place = {name: i for i, name in enumerate(names)}
        values = items[c.CATEGORY].map(lambda name: place.get(name, len(names))).to_numpy(dtype=np.float64)
        others = len(counts) - len(names)
        shown = (*names, f"{others:,} other categories") if others else names
        return Colouring("Category", values, shown, "", "", tuple(items[c.CATEGORY]))
    if by == POPULARITY:
        count = items["interactions"].to_numpy()
        hover = tuple(map(verb.count, count.tolist()))
        least, most = (verb.count(int(n)) for n in (count.min(), count.max()))
        return Colouring("Popularity", np.log10(1.0 + count), (), least, most, hover)
    if by == KEPT:
        kept = items["kept"].to_numpy(dtype=np.float64)
        hover = tuple(f"{percent(share)} of neighbours unchanged" for share in kept.tolist())
        return Colouring("Unchanged neighbours", kept, (), "all new", "all unchanged", hover)
    attribute = item_map.schema.attributes[item_map.schema.index(by)]
    raw = item_map.raw[:, item_map.schema.index(by)].astype(np.float64)
    top = item_map.schema.scale.max
    hover = tuple(f"{attribute.label} {score:g}/{top:g}" if score == score else "not scored" for score in raw.tolist())
    return Colouring(attribute.label, raw, (), attribute.low, attribute.high, hover)


def point_colours(colours_of: Colouring, colours: Palette) -> list[str]:
    """Return each item's colour; grey for what is unknown or no named category."""
    if colours_of.names:
        shades = [*colours.categorical[:_MOST_CATEGORIES], colours.placebo]
        return [shades[int(v)] for v in colours_of.values]
    low, high = _bounds(colours_of.values)
    share = np.nan_to_num((colours_of.values - low) / (high - low))
    steps = _steps(colours.sequential, 64)
    return [
        steps[round(s * 63)] if v == v else colours.placebo
        for s, v in zip(share.tolist(), colours_of.values.tolist(), strict=True)
    ]


def map_figure(
    item_map: ItemMap,
    space: str,
    colours_of: Colouring,
    colours: Palette,
    selected: IntArray | None = None,
    marks: UserMarks | None = None,
    item: int | None = None,
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

    Returns
    -------
    go.Figure
        Its first trace holds the items (``customdata`` = item index), or, above `MOST_POINTS`, their density, in which
        case a selection must be read from its geometry.
    """
    at = item_map.positions(space)
    figure = go.Figure()
    if len(at) > MOST_POINTS:
        _add_density(figure, at, frame(item_map), colours_of, colours)
        if selected is not None and len(selected):
            figure.data[0].opacity = 0.35
            _add_sample(figure, at, selected, colours)
    else:
        _add_points(figure, item_map, at, colours_of, colours, selected)
        if marks is not None:
            figure.data[0].marker.opacity = 0.4  # so that the marks stand out
    if marks is not None:
        _add_marks(figure, item_map, at, space, marks, colours)
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
    (x0, x1), (y0, y1) = frame(item_map)
    hidden = {"visible": False, "automargin": False}
    figure.update_xaxes(range=[x0, x1], **hidden)
    figure.update_yaxes(range=[y0, y1], scaleanchor="x", scaleratio=1, **hidden)
    return figure


def frame(item_map: ItemMap) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the part of the plane that both maps show, as (x, y) ranges; they are aligned, so it is one.

    A few items that UMAP threw far out would shrink all others to a dot; they are left outside, see `outside_frame`.
    """
    both = np.concatenate([item_map.positions("base"), item_map.positions("refined")])
    low, high = np.quantile(both, [0.005, 0.995], axis=0)
    room = 0.25 * np.maximum(high - low, 1e-6)
    low, high = np.maximum(both.min(axis=0), low - room), np.minimum(both.max(axis=0), high + room)
    pad = 0.06 * max(float((high - low).max()), 1e-6)
    return (float(low[0] - pad), float(high[0] + pad)), (float(low[1] - pad), float(high[1] + pad))


def outside_frame(item_map: ItemMap) -> int:
    """Count the items that lie outside the frame on either map."""
    (x0, x1), (y0, y1) = frame(item_map)
    outside = np.zeros(len(item_map.items), dtype=bool)
    for space in ("base", "refined"):
        at = item_map.positions(space)
        outside |= (at < [x0, y0]).any(axis=1) | (at > [x1, y1]).any(axis=1)
    return int(outside.sum())


def legend_figure(colours_of: Colouring, colours: Palette) -> go.Figure:
    """Draw what the colours of both maps mean: names, or a bar with words at both ends."""
    figure = go.Figure()
    if colours_of.names:
        shades = [*colours.categorical[:_MOST_CATEGORIES], colours.placebo]
        for name, shade in zip(colours_of.names, shades, strict=False):
            figure.add_scatter(x=[None], y=[None], mode="markers", name=safe(name), marker={"size": 10, "color": shade})
        lay_out(figure, colours, 64)
        figure.update_layout(margin={"t": 0, "b": 0}, legend={"y": 0.5, "yanchor": "middle"}, showlegend=True)
    else:
        steps = np.arange(64)
        figure.add_heatmap(
            x=steps, y=[0], z=[steps], colorscale=list(colours.sequential), showscale=False, hoverinfo="skip"
        )
        known = not np.isnan(colours_of.values).any()
        note = "" if known else " (grey: not scored)"
        for x, side, text in ((0, "left", colours_of.low), (1, "right", colours_of.high + note)):
            figure.add_annotation(
                x=x, y=0, xref="paper", yref="paper", xanchor=side, yanchor="top", yshift=-2, showarrow=False,
                text=safe(shortened(text, 70)), font={"color": colours.muted, "size": 13},
            )  # fmt: skip
        lay_out(figure, colours, 46)
        figure.update_layout(margin={"t": 6, "b": 30})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def _steps(scale: tuple[tuple[float, str], ...], n: int) -> list[str]:
    """Return n colours evenly along a colour scale."""
    stops = [at for at, _ in scale]
    channels = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for _, colour in scale])
    mixed = [np.interp(np.linspace(0, 1, n), stops, channels[:, i]).round().astype(int) for i in range(3)]
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in zip(*mixed, strict=True)]


def _bounds(values: FloatArray) -> tuple[float, float]:
    """Return the ends of a colour scale, never equal."""
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return low, high if high > low else low + 1.0


def _add_points(
    figure: go.Figure,
    item_map: ItemMap,
    at: FloatArray,
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
            for title, category, value in zip(items[c.TITLE], items[c.CATEGORY], colours_of.hover, strict=True)
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


def _add_density(
    figure: go.Figure,
    at: FloatArray,
    window: tuple[tuple[float, float], tuple[float, float]],
    colours_of: Colouring,
    colours: Palette,
) -> None:
    """Draw many items as cells: the mean value in each, or, for categories, how many there are."""
    edges = [np.linspace(low, high, _CELLS + 1) for low, high in window]
    known = ~np.isnan(colours_of.values)
    count, *_ = np.histogram2d(at[known, 0], at[known, 1], bins=edges)
    if colours_of.names:
        cells, meaning = np.where(count > 0, np.log10(np.maximum(count, 1)), np.nan), "items, log 10"
    else:
        total, *_ = np.histogram2d(at[known, 0], at[known, 1], bins=edges, weights=colours_of.values[known])
        cells, meaning = np.where(count > 0, total / np.maximum(count, 1), np.nan), "average"
    centres = [(e[1:] + e[:-1]) / 2 for e in edges]
    figure.add_heatmap(
        x=centres[0],
        y=centres[1],
        z=cells.T.astype(np.float32),
        colorscale=list(colours.sequential),
        showscale=False,
        hovertemplate=f"{meaning} %{{z:.2f}}<extra></extra>",
    )
    # A chart without points takes no selection; these two carry it and are not seen.
    figure.add_scatter(
        x=window[0],
        y=window[1],
        mode="markers",
        marker={"opacity": 0, "size": 1},
        hoverinfo="skip",
        showlegend=False,
    )


def _add_sample(figure: go.Figure, at: FloatArray, selected: IntArray, colours: Palette, most: int = 2_000) -> None:
    """Draw a selection over a density, evenly thinned when it is large."""
    shown = selected[np.unique(np.linspace(0, len(selected) - 1, min(most, len(selected))).astype(np.int64))]
    figure.add_scattergl(
        x=at[shown, 0],
        y=at[shown, 1],
        mode="markers",
        marker={"size": 4, "color": colours.text},
        hoverinfo="skip",
        showlegend=False,
    )


def _add_marks(
    figure: go.Figure, item_map: ItemMap, at: FloatArray, space: str, marks: UserMarks, colours: Palette
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


def _point_at(figure: go.Figure, at: FloatArray, title: str, colours: Palette) -> None:
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
