"""Both maps side by side with one selection, and what it means."""

import os
from typing import Literal

import pandas as pd
import streamlit as st

from guidedrec_core.app import show, url
from guidedrec_core.app.embedding_map.selection import MapSelection
from guidedrec_core.app.embedding_map.tables import tables
from guidedrec_core.app.errors import escaped, way_on
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.words import lower_first
from guidedrec_core.figures.maps.colouring import (
    CATEGORY,
    KEPT,
    MOST_CATEGORIES,
    OTHER_COLOURINGS,
    Colouring,
    colouring,
    proposed_categories,
)
from guidedrec_core.figures.maps.item_map import MOST_MOVES, MOST_POINTS, is_raster, map_figure
from guidedrec_core.figures.theme import palette
from guidedrec_core.language import percent
from guidedrec_core.projection.geometry import Points
from guidedrec_core.projection.item_map import ItemMap, UserMarks, user_marks
from guidedrec_core.projection.regions import Region, moved_most
from guidedrec_core.projection.selection import Selection, describe_selection
from guidedrec_core.projection.selector import SPACES, Selector

POINTS = "GUIDEDREC_MAP_POINTS"
"""Environment variable: how many items maps draw as points; more are a picture."""

_PROPOSED = 5
_CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["toImage", "autoScale2d"],
}


@st.fragment
def explore(
    item_map: ItemMap,
    recommendations: pd.DataFrame | None,
    user: str | None,
    item: str | None,
    dark: bool,
) -> None:
    """Show both maps, a selection made on one also on the other, and what moved it.

    Parameters
    ----------
    item_map : ItemMap
        The maps.
    recommendations : pandas.DataFrame or None
        Stored lists of all users.
    user, item : str or None
        To draw on top; must exist.
    dark : bool
        The theme.
    """
    whole = item_loaders.whole_map(item_map.projection_id)
    regions = item_loaders.regions(item_map.projection_id)
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    with left:
        by = _colour_box(item_map, whole)
    with middle:
        source = _source_box()
    state = MapSelection(item_map, regions, source)
    try:
        selector, selected = state.read()
    except InputError as error:
        way_on(f"{str(error)[:1].upper()}{str(error)[1:]}.", "Show all items", select=None)
    right.button(
        "Clear selection",
        icon=":material/deselect:",
        on_click=state.select,
        args=(None,),
        disabled=selector is None,
        key="clear_selection",
    )
    named = _named_box(item_map) if by == CATEGORY else ()
    look = (by, named, dark)

    selection = describe_selection(item_map, selected) if len(selected) else whole
    show.lead(selection.sentence)
    _detail(item_map, selection, whole, by)
    _proposed(regions, state, selector)
    colours_of = colouring(item_map, by, named)
    show.chart(item_loaders.legend(item_map.projection_id, *look), _legend_words(colours_of), "map_legend")
    marks = None if user is None else user_marks(item_map, user, recommendations)
    drawn, edges = state.drawn(selected, selector, (*look, user, item))
    for column, space in zip(st.columns(2, gap="medium"), SPACES, strict=True):
        with column:
            if space == source:
                st.markdown(f"**{escaped(space.capitalize())}** · drag here to select")
                _draw(state, space, colours_of, look, drawn, marks, item, edges)
            else:
                other = f"· arrows: from {source}" if len(selected) else ""
                st.markdown(f"**{escaped(space.capitalize())}** {escaped(other)}")
                _draw(state, space, colours_of, look, selected, marks, item, state.outlines(selector, space))
    for text in _notes(item_map, selected, user, marks):
        show.note(text)
    tables(selection, state, selector, dark)


def user_box(current: str | None, verb: InteractionVerb) -> None:
    """Show a box for the id of the user to draw."""
    if st.session_state.get("map_user") != (current or ""):
        st.session_state["map_user"] = current or ""

    def choose() -> None:
        url.update(user=st.session_state["map_user"].strip() or None)

    st.text_input(
        f"Show a {verb.user}",
        placeholder=f"{verb.user.capitalize()} ID",
        icon=":material/person:",
        key="map_user",
        on_change=choose,
    )


def most_points() -> int:
    """Return how many items are drawn as points."""
    text = os.environ.get(POINTS, "")
    return int(text) if text.isdecimal() else MOST_POINTS


def _colour_box(item_map: ItemMap, whole: Selection) -> str:
    """Let the visitor choose what colours the maps: at first what the headline of the whole catalogue is about."""
    labels = {a.name: a.label for a in item_map.schema.attributes}
    labels |= {name: name.capitalize() for name in OTHER_COLOURINGS}
    place = url.current().get("colour")
    url.follow("map_colour", place if place in labels else whole.moved_by or KEPT)
    by: str = st.selectbox(
        "Colour by", list(labels), format_func=labels.__getitem__, key="map_colour",
        on_change=url.keep, args=("colour", "map_colour"),
    )  # fmt: skip
    return by


def _source_box() -> str:
    """Let the visitor choose the map that accepts selections."""
    place = url.current().get("select_on")
    url.follow("map_source", place if place in SPACES else SPACES[0])
    chosen = st.segmented_control(
        "Select on map", SPACES, required=True, format_func=str.capitalize, key="map_source",
        on_change=url.keep, args=("select_on", "map_source"),
    )  # fmt: skip
    return chosen or SPACES[0]


def _named_box(item_map: ItemMap) -> tuple[str, ...]:
    """Let the visitor choose the categories that have a colour of their own."""
    _, names = item_map.categories
    asked = [name for name in url.ids(url.current().get("named")) if name in names]
    url.follow("map_named", asked[:MOST_CATEGORIES] or list(proposed_categories(item_map)))

    def choose() -> None:
        chosen = st.session_state["map_named"]
        url.update(named=url.many(chosen) if chosen else None)

    chosen = st.multiselect(
        "Categories in colour",
        sorted(names),
        max_selections=MOST_CATEGORIES,
        key="map_named",
        on_change=choose,
        help=f"Up to {MOST_CATEGORIES}; at first those whose neighbours changed most.",
    )
    return tuple(chosen)


def _detail(item_map: ItemMap, selection: Selection, whole: Selection, by: str) -> None:
    """Say what a selection consists of, and offer to colour by what moved it."""
    if selection is whole:
        show.note("This is the whole catalogue. Drag a box on a map, or choose a group, to select items.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        show.note(selection.detail)
        moved_by = selection.moved_by
        if moved_by is not None and moved_by != by:
            label = lower_first(item_map.schema.attributes[item_map.schema.index(moved_by)].label)
            st.button(
                f"Colour by {escaped(label)}",
                icon=":material/palette:",
                type="tertiary",
                on_click=url.update,
                kwargs={"colour": moved_by},
                key="colour_by_mover",
            )


def _proposed(regions: tuple[Region, ...], state: MapSelection, selector: Selector | None) -> None:
    """Offer the regions that changed most; one click selects."""
    proposed = {region.number: region for region in moved_most(regions, _PROPOSED)}
    if not proposed:
        return
    now = None if selector is None else selector.region
    url.follow("map_proposed", now if now in proposed else None)

    def choose() -> None:
        number = st.session_state["map_proposed"]
        state.select(None if number is None else Selector(region=number))

    st.pills(
        "Most moved together",
        list(proposed),
        format_func=lambda number: escaped(f"{proposed[number].name} · {percent(1 - proposed[number].kept)} new"),
        key="map_proposed",
        on_change=choose,
        help="Groups of items that lie together on both maps, and how many of their neighbours are new.",
    )


def _draw(
    state: MapSelection,
    space: str,
    colours_of: Colouring,
    look: tuple[str, tuple[str, ...], bool],
    selected: IntArray,
    marks: UserMarks | None,
    item: str | None,
    outlines: list[Points],
) -> None:
    """Draw one map; the one that accepts selections reports them."""
    item_map, accepts = state.item_map, space == state.space
    as_picture = is_raster(item_map, most_points())
    if marks is None and item is None and not len(selected):
        figure = item_loaders.plain_map(item_map.projection_id, space, *look, as_picture)
    else:
        figure = map_figure(
            item_map,
            space,
            colours_of,
            palette(look[2]),
            selected,
            marks,
            None if item is None else item_map.data.dataset.items.index(item),
            regions=state.regions,
            outlines=outlines,
            moves=not accepts,
            raster=item_loaders.raster(item_map.projection_id, space, *look) if as_picture else None,
        )
    alt = f"Map of all {len(item_map.items):,} items in the {space} model, coloured by {colours_of.title.lower()}"
    if accepts:
        modes: list[Literal["points", "box", "lasso"]] = ["box", "lasso"]
        if not as_picture:
            modes.insert(0, "points")
        st.plotly_chart(
            figure, key=state.key, on_select=state.changed, selection_mode=modes, config=_CONFIG, alt=alt
        )  # fmt: skip
    else:
        st.plotly_chart(figure, key=f"map_shown_{space}", config=_CONFIG, alt=alt)


def _notes(item_map: ItemMap, selected: IntArray, user: str | None, marks: UserMarks | None) -> list[str]:
    """Say what the maps do not show by themselves."""
    n, notes = len(item_map.items), []
    if is_raster(item_map, most_points()):
        notes.append(f"All {n:,} items, stronger where there are more; a selection includes every item inside it.")
    if len(selected) > MOST_MOVES:
        notes.append(f"Arrows show the moves of {MOST_MOVES:,} of the {len(selected):,} selected items.")
    if item_map.n_outside:
        notes.append(f"{item_map.n_outside:,} of {n:,} items are outside the visible part; zoom out to see them.")
    if user is not None and marks is not None:
        notes.append(_user_words(user, marks, item_map.verb))
    return notes


def _legend_words(colours_of: Colouring) -> str:
    """Describe the colours for visitors who cannot see them."""
    if colours_of.names:
        return f"Colours by {colours_of.title.lower()}: {', '.join(colours_of.names)}"
    return f"Colours by {colours_of.title.lower()}, light = {colours_of.low}, dark = {colours_of.high}"


def _user_words(user: str, marks: UserMarks, verb: InteractionVerb) -> str:
    """Describe what is drawn of a user."""
    said = f"{verb.user.capitalize()} {user}: {verb.count(len(marks.history))}, connected from oldest to newest"
    if len(marks.base):
        said += f"; squares mark each model's top {len(marks.base)} on its own map"
    return said + (f"; the ring marks the item {verb.next}." if len(marks.held_out) else ".")
