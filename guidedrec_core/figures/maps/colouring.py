"""What colours the maps, and one legend for both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from guidedrec_core.errors import InputError
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened
from guidedrec_core.language import percent
from guidedrec_core.projection.item_map import ItemMap

CATEGORY, POPULARITY, KEPT = "category", "popularity", "unchanged neighbours"
OTHER_COLOURINGS = (CATEGORY, POPULARITY, KEPT)
"""What colours the maps, apart from the attributes."""

MOST_CATEGORIES = 7
"""Categories with a colour of their own; more colours cannot be told apart."""

_PROPOSED_FROM = 28
_SHADES = 64
_NAMES_HEIGHT = 84

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
    others : bool
        Whether the last of `names` stands for all other categories, which are grey.
    low, high : str
        What both ends of a scale mean, in words.
    hover : callable
        Returns each item's value in words, ``[n_items]``; not called where a map shows no single items.
    """

    title: str
    values: FloatArray
    names: tuple[str, ...]
    others: bool
    low: str
    high: str
    hover: Callable[[], list[str]] = field(repr=False)


def colouring(item_map: ItemMap, by: str, named: Sequence[str] = ()) -> Colouring:
    """Prepare a colouring.

    Parameters
    ----------
    item_map : ItemMap
        The maps.
    by : str
        An attribute's name, or one of `OTHER_COLOURINGS`.
    named : sequence of str
        By category: those with a colour of their own, at most `MOST_CATEGORIES`; by default `proposed_categories`.

    Raises
    ------
    UnknownIdError
        It is no attribute, and nothing else that colours.
    InputError
        There is no such category, or there are too many.
    """
    items, verb = item_map.items, item_map.verb
    if by == CATEGORY:
        return _by_category(item_map, tuple(named) or proposed_categories(item_map))
    if by == POPULARITY:
        count = items["interactions"].to_numpy()
        least, most = (verb.count(int(n)) for n in (count.min(), count.max()))
        values = np.log10(1.0 + count)
        return Colouring("Popularity", values, (), False, least, most, lambda: list(map(verb.count, count.tolist())))
    if by == KEPT:
        kept = item_map.kept

        def shares() -> list[str]:
            return [f"{percent(share)} of neighbours unchanged" for share in kept.tolist()]

        return Colouring("Unchanged neighbours", kept, (), False, "all new", "all unchanged", shares)
    attribute = item_map.schema.attributes[item_map.schema.index(by)]
    raw = item_map.raw[:, item_map.schema.index(by)].astype(np.float64)
    label, top = attribute.label, item_map.schema.scale.max

    def scores() -> list[str]:
        return [f"{label} {score:g}/{top:g}" if score == score else "not scored" for score in raw.tolist()]

    return Colouring(label, raw, (), False, attribute.low, attribute.high, scores)


def proposed_categories(item_map: ItemMap) -> tuple[str, ...]:
    """Return the categories to colour first: of the 28 commonest the seven whose neighbours changed most."""
    codes, names = item_map.categories
    size = np.bincount(codes, minlength=len(names))[:_PROPOSED_FROM]
    kept = np.bincount(codes, weights=item_map.kept, minlength=len(names))[:_PROPOSED_FROM] / size
    return tuple(names[i] for i in np.argsort(kept, kind="stable")[:MOST_CATEGORIES])


def shades_of(colours_of: Colouring, colours: Palette) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Return all colours that items have, and each item's place among them; grey is the last one.

    Returns
    -------
    colours : tuple of str
        ``#rrggbb``; the last one is for what is unknown, or no named category.
    places : ndarray
        ``[n_items]``.
    """
    if colours_of.names:
        own = len(colours_of.names) - colours_of.others
        return (*_of_names(own, colours), colours.placebo), colours_of.values.astype(np.int64)
    low, high = bounds(colours_of.values)
    known = ~np.isnan(colours_of.values)
    share = np.clip((np.where(known, colours_of.values, low) - low) / (high - low), 0, 1)
    places = np.where(known, np.rint(share * (_SHADES - 1)), _SHADES).astype(np.int64)
    return (*_steps(colours.sequential, _SHADES), colours.placebo), places


def point_colours(colours_of: Colouring, colours: Palette) -> list[str]:
    """Return each item's colour; grey for what is unknown or no named category."""
    shades, places = shades_of(colours_of, colours)
    return [shades[place] for place in places.tolist()]


def bounds(values: FloatArray) -> tuple[float, float]:
    """Return the ends of a colour scale, never equal."""
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return low, high if high > low else low + 1.0


def legend_figure(colours_of: Colouring, colours: Palette) -> go.Figure:
    """Draw what the colours of both maps mean: names, or a bar with words at both ends."""
    figure = go.Figure()
    if colours_of.names:
        own = len(colours_of.names) - colours_of.others
        shades = [*_of_names(own, colours), colours.placebo]
        for name, shade in zip(colours_of.names, shades, strict=False):
            figure.add_scatter(x=[None], y=[None], mode="markers", name=safe(name), marker={"size": 10, "color": shade})
        lay_out(figure, colours, _NAMES_HEIGHT)
        legend_across(figure, _NAMES_HEIGHT - 8)
        figure.update_layout(showlegend=True)
    else:
        steps = np.arange(_SHADES)
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


def _by_category(item_map: ItemMap, named: tuple[str, ...]) -> Colouring:
    """Give some categories a colour each."""
    codes, names = item_map.categories
    unknown = sorted(set(named) - set(names))
    if unknown:
        raise InputError(f"there is no category {unknown[0]!r} here")
    if len(named) > MOST_CATEGORIES:
        raise InputError(f"expected at most {MOST_CATEGORIES} categories to colour, got {len(named)}")
    place = np.full(len(names), len(named), dtype=np.float64)
    place[[names.index(name) for name in named]] = np.arange(len(named))
    others = len(names) - len(named)
    said = f"{others:,} other categor{'y' if others == 1 else 'ies'}"
    shown = (*named, said) if others else named
    return Colouring(
        "Category", place[codes], shown, others > 0, "", "", lambda: [names[code] for code in codes.tolist()]
    )


def _of_names(n: int, colours: Palette) -> tuple[str, ...]:
    """Return the colours of n categories; slate, which is close to the grey of all others, comes last."""
    teal, slate, *others = colours.categorical
    return (teal, *others, slate)[:n]


def _steps(scale: tuple[tuple[float, str], ...], n: int) -> list[str]:
    """Return n colours evenly along a colour scale."""
    stops = [at for at, _ in scale]
    channels = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for _, colour in scale])
    mixed = [np.interp(np.linspace(0, 1, n), stops, channels[:, i]).round().astype(int) for i in range(3)]
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in zip(*mixed, strict=True)]
