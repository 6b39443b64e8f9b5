"""Both maps side by side with one selection, and what it means."""

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show, url
from guidedrec_core.app.embedding_map.selection import MapSelection
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.figures.item_map import (
    MOST_POINTS,
    OTHER_COLOURINGS,
    Colouring,
    colouring,
    legend_figure,
    map_figure,
    outside_frame,
)
from guidedrec_core.figures.theme import palette
from guidedrec_core.projection.item_map import ItemMap, Selection, UserMarks, describe_selection, user_marks

SPACES = ("base", "refined")
_MOST_ITEMS = 200
_CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["toImage", "autoScale2d"],
}
_NUMBER = st.column_config.NumberColumn


@st.fragment
def explore(
    item_map: ItemMap,
    whole: Selection,
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
    whole : Selection
        All items, described.
    recommendations : pandas.DataFrame or None
        Stored lists of all users.
    user, item : str or None
        To draw on top; must exist.
    dark : bool
        The theme.
    """
    labels = {a.name: a.label for a in item_map.schema.attributes}
    labels |= {name: name.capitalize() for name in OTHER_COLOURINGS}
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    place = url.current()
    url.follow("map_colour", place["colour"] if place.get("colour") in labels else next(iter(labels)))
    by = left.selectbox(
        "Colour by", list(labels), format_func=labels.__getitem__, key="map_colour",
        on_change=url.keep, args=("colour", "map_colour"),
    )  # fmt: skip
    url.follow("map_source", place["select_on"] if place.get("select_on") in SPACES else SPACES[0])
    chosen = middle.segmented_control(
        "Select on map", SPACES, required=True, format_func=str.capitalize, key="map_source",
        on_change=url.keep, args=("select_on", "map_source"),
    )  # fmt: skip
    source = chosen or SPACES[0]
    state = MapSelection(item_map.projection_id, source, item_map.positions(source))
    selected = state.read()
    right.button(
        "Clear selection",
        icon=":material/deselect:",
        on_click=state.clear,
        disabled=not len(selected),
        key="clear_selection",
    )

    selection = describe_selection(item_map, selected) if len(selected) else whole
    show.lead(selection.sentence)
    show.note(
        selection.detail if len(selected) else "This is the whole catalogue. Drag a box on a map to select items."
    )
    marks = None if user is None else user_marks(item_map, user, recommendations)
    number = None if item is None else item_map.data.dataset.items.index(item)
    colours_of = colouring(item_map, by)
    show.chart(legend_figure(colours_of, palette(dark)), _legend_words(colours_of), "map_legend")
    drawn = state.drawn(selected, (by, user, item, dark))
    for column, space in zip(st.columns(2, gap="medium"), SPACES, strict=True):
        with column:
            st.markdown(f"**{space.capitalize()}**" + (" · drag here to select" if space == source else ""))
            _draw(item_map, space, colours_of, dark, drawn if space == source else selected, marks, number, state)
    if len(item_map.items) > MOST_POINTS:
        show.note(f"All {len(item_map.items):,} items as density; a selection includes every item inside it.")
    far = outside_frame(item_map)
    if far:
        show.note(f"{far:,} of {len(item_map.items):,} items are outside the visible part; zoom out to see them.")
    if user is not None and marks is not None:
        show.note(_user_words(user, marks, item_map.verb))
    _tables(item_map, selection, whole, state, bool(len(selected)))


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


def _draw(
    item_map: ItemMap,
    space: str,
    colours_of: Colouring,
    dark: bool,
    selected: IntArray,
    marks: UserMarks | None,
    item: int | None,
    state: MapSelection,
) -> None:
    """Draw one map; the one that accepts selections reports them."""
    figure = map_figure(item_map, space, colours_of, palette(dark), selected, marks, item)
    alt = f"Map of all {len(item_map.items):,} items in the {space} model, coloured by {colours_of.title.lower()}"
    if space == state.space:
        st.plotly_chart(
            figure,
            key=state.key,
            on_select=state.changed,
            selection_mode=("points", "box", "lasso"),
            config=_CONFIG,
            alt=alt,
        )
    else:
        st.plotly_chart(figure, key=f"map_shown_{space}", config=_CONFIG, alt=alt)


def _tables(item_map: ItemMap, selection: Selection, whole: Selection, state: MapSelection, is_selected: bool) -> None:
    """Show the numbers behind the sentences, and other things to select."""
    tabs = st.tabs(["Attributes", "Categories", "Items"])
    with tabs[0]:
        show.note(
            "Pull: how much more alike neighbours became on an attribute; below 0, less alike.",
            help="In standard deviations of the attribute, between nearest neighbours in the original embedding "
            "spaces, not on the maps.",
        )
        own = ["score"] if is_selected else []
        show.table(
            selection.attributes.assign(pull=selection.attributes["pull"].round(2) + 0.0)[  # + 0.0: no "-0.00"
                ["label", "pull", *own, "catalogue_score", "low", "high"]
            ],
            hide_index=True,
            key="map_attributes",
            height="content",
            column_config={
                "label": "Attribute",
                "pull": _NUMBER("Pull", format="%+.2f"),
                "score": _NUMBER("Average here", format="%.1f"),
                "catalogue_score": _NUMBER("Catalogue", format="%.1f", help="Average of the whole catalogue"),
                "low": "Low means",
                "high": "High means",
            },
        )
    with tabs[1]:
        _category_table(item_map, whole.categories, selection.categories, state)
    with tabs[2]:
        shown = item_map.items.iloc[selection.indexes].sort_values("kept", kind="stable")
        show.note(
            f"{min(_MOST_ITEMS, len(shown)):,} of {len(shown):,} shown, those whose neighbours changed most first."
        )
        shown = shown.assign(kept=shown["kept"].round(2))
        show.table(
            shown[[c.TITLE, c.CATEGORY, "interactions", "kept", c.ITEM]].head(_MOST_ITEMS),
            hide_index=True,
            key="map_items",
            column_config={
                c.TITLE: st.column_config.TextColumn("Item", width="large"),
                c.CATEGORY: "Category",
                "interactions": _NUMBER(item_map.verb.nouns.capitalize(), format="%d", help="In the training data"),
                "kept": _NUMBER("Unchanged neighbours", format="percent"),
                c.ITEM: "Item ID",
            },
        )


def _category_table(item_map: ItemMap, whole: pd.DataFrame, selected: pd.DataFrame, state: MapSelection) -> None:
    """Show all categories and how many of each are selected; a chosen one becomes the selection."""
    table = whole.sort_values("kept", kind="stable", ignore_index=True)
    counts = selected.set_index(c.CATEGORY)["items"]
    table = table.assign(selected=table[c.CATEGORY].map(counts).fillna(0).astype(int), kept=table["kept"].round(2))
    key = state.fresh("map_categories")

    def choose() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            name = table[c.CATEGORY].iloc[rows[0]]
            state.select((item_map.items[c.CATEGORY] == name).to_numpy().nonzero()[0])

    show.note("Most changed first. Choose a row to select that category on both maps.")
    show.table(
        table[[c.CATEGORY, "kept", "moved_by", "items", "selected"]],
        hide_index=True,
        key=key,
        on_select=choose,
        selection_mode="single-row",
        column_config={
            c.CATEGORY: "Category",
            "kept": _NUMBER("Unchanged neighbours", format="percent"),
            "moved_by": "Moved mostly by",
            "items": _NUMBER("Items", format="%d"),
            "selected": _NUMBER("Selected", format="%d"),
        },
    )


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
