"""The numbers behind the maps' sentence, and other things to select."""

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show, url
from guidedrec_core.app.embedding_map.selection import MapSelection
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.projection.item_map import ItemMap
from guidedrec_core.projection.selection import Selection
from guidedrec_core.projection.selector import Selector

_MOST_ITEMS = 200
_NUMBER = st.column_config.NumberColumn
_UNCHANGED = _NUMBER("Unchanged neighbours", format="percent")


def tables(selection: Selection, state: MapSelection, selector: Selector | None, dark: bool) -> None:
    """Show attributes, categories, regions and items of a selection."""
    tabs = st.tabs(["Attributes", "Categories", "Groups", "Items"])
    with tabs[0]:
        _attributes(selection, selector is not None, dark)
    with tabs[1]:
        _categories(selection, state)
    with tabs[2]:
        _regions(selection, state)
    with tabs[3]:
        _items(state.item_map, selection)


def _attributes(selection: Selection, is_selected: bool, dark: bool) -> None:
    """Show by how much neighbours became more alike."""
    table = selection.attributes
    beyond = table.index[table["pull"] >= selection.chance].tolist()
    show.note(
        "Pull: how much more alike neighbours became on an attribute; below 0, less alike. Randomly reassigned scores "
        f"reach {selection.chance:.2f}{'; what is larger stands out' if beyond else ''}.",
        help="In standard deviations of the attribute, between nearest neighbours in the original embedding spaces, "
        "not on the maps. By chance: each category gets the scores of another one, 200 times; in 95 of 100 cases the "
        "largest pull of any attribute is no larger than this.",
    )
    own = ["score"] if is_selected else []
    show.table(
        table.assign(pull=table["pull"].round(2) + 0.0)[  # + 0.0: no "-0.00"
            ["label", "pull", *own, "catalogue_score", "low", "high"]
        ],
        beyond,
        dark,
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


def _categories(selection: Selection, state: MapSelection) -> None:
    """Show all categories and how many of each are selected; a chosen one becomes the selection."""
    table = item_loaders.category_moves(state.item_map.projection_id)
    counts = selection.categories.set_index(c.CATEGORY)["items"]
    table = table.assign(selected=table[c.CATEGORY].map(counts).fillna(0).astype(int), kept=table["kept"].round(2))
    show.note("Most changed first. Choose a row to select that category on both maps.")
    _selecting(
        table[[c.CATEGORY, "kept", "moved_by", "items", "selected"]],
        "map_categories",
        [Selector(category=name) for name in table[c.CATEGORY]],
        state,
        {c.CATEGORY: "Category", "selected": _NUMBER("Selected", format="%d")},
    )


def _regions(selection: Selection, state: MapSelection) -> None:
    """Show all regions; a chosen one becomes the selection."""
    regions = sorted(state.regions, key=lambda region: region.kept)
    table = pd.DataFrame(
        {
            "region": [region.name for region in regions],
            "kept": [round(region.kept, 2) for region in regions],
            "moved_by": [region.moved_by for region in regions],
            "items": [len(region.items) for region in regions],
            "together": [round(region.together, 2) for region in regions],
        }
    )
    show.note(
        "Items that lie together on both maps, named by what stands out, most changed first. Choose a row to select it."
    )
    together = _NUMBER("Neighbours in the group", format="percent", help="In the refined model")
    _selecting(
        table,
        "map_regions",
        [Selector(region=region.number) for region in regions],
        state,
        {"region": "Group", "together": together},
    )


def _selecting(
    table: pd.DataFrame, name: str, selectors: list[Selector], state: MapSelection, columns: dict[str, object]
) -> None:
    """Show a table of what can be selected; a chosen row becomes the selection."""
    key = state.fresh(name)

    def choose() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            state.select(selectors[rows[0]])

    show.table(
        table,
        hide_index=True,
        key=key,
        on_select=choose,
        selection_mode="single-row",
        column_config={
            "kept": _UNCHANGED,
            "moved_by": st.column_config.TextColumn("Moved mostly by", help="Empty where it may be chance"),
            "items": _NUMBER("Items", format="%d"),
            **columns,
        },
    )


def _items(item_map: ItemMap, selection: Selection) -> None:
    """Show the items of a selection; a chosen row opens its item."""
    kept = pd.Series(item_map.kept[selection.indexes], index=selection.indexes)
    first = kept.nsmallest(_MOST_ITEMS).index
    shown = item_map.items.loc[first].assign(kept=lambda frame: frame["kept"].round(2))
    show.note(
        f"{len(shown):,} of {len(selection.indexes):,} shown, those whose neighbours changed most first. Choose a row "
        "to open its item."
    )
    event = show.table(
        shown[[c.TITLE, c.CATEGORY, "interactions", "kept", c.ITEM]],
        hide_index=True,
        key="map_items",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            c.TITLE: st.column_config.TextColumn("Item", width="large"),
            c.CATEGORY: "Category",
            "interactions": _NUMBER(item_map.verb.nouns.capitalize(), format="%d", help="In the training data"),
            "kept": _UNCHANGED,
            c.ITEM: "Item ID",
        },
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(shown):
        item = str(shown[c.ITEM].iloc[rows[0]])
        st.switch_page("pages/2_Items.py", query_params=url.link(item=item))
