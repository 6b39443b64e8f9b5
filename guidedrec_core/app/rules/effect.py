"""Who gains and loses exposure: two charts, and a table whose rows open the item and the case where it moves most."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show, url
from guidedrec_core.app.audience.percent import in_percent
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.explanation.words import ordinal
from guidedrec_core.figures.audience.exposure import exposure_bars
from guidedrec_core.figures.theme import palette
from guidedrec_core.ranking.exposure import ListChanges

LENGTHS = (5, 10, 20)
_MOST_ITEMS = 500
_CASES = 3
_EXPOSURE = (
    "A place counts 1 / log2(rank + 1), so first places count most. Shares are of all exposure in the lists looked at; "
    "an item of several categories counts in its first."
)


def exposure(view: View, changes: ListChanges, about: str, opens: str) -> None:
    """Show who gains and who loses.

    Parameters
    ----------
    view : View
        The page.
    changes : ListChanges
        Lists before and after.
    about : str
        The same in a sentence, for those who cannot see the charts.
    opens : str
        What the visitor should know of a case that is opened from here.
    """
    if not changes.changed:
        return
    colours = palette(view.dark)
    spoken = {"category": lambda table: table["category"].map(category_words)}
    categories, items = changes.categories.assign(**spoken), changes.items.assign(**spoken)
    left, right = show.pair()
    with left:
        st.markdown("**Categories that gain and lose**", help=escaped(_EXPOSURE))
        show.chart(exposure_bars(categories, "category", colours), about, "exposure_categories")
    with right:
        st.markdown("**Items that gain and lose**", help=escaped(_EXPOSURE))
        show.chart(exposure_bars(items, c.TITLE, colours), about, "exposure_items")
    _items(view, changes, items, opens)


def _items(view: View, changes: ListChanges, items: pd.DataFrame, opens: str) -> None:
    """Show the items that gain or lose; one of them can be opened, and whose lists it moves in."""
    table = items.head(_MOST_ITEMS)
    some = "" if len(table) == len(items) else f"{len(table):,} of {len(items):,} shown. "
    show.note(f"Every item whose exposure changes, the largest change first. {some}Choose a row to open it.")
    number = st.column_config.NumberColumn
    event = show.table(
        in_percent(table, "before", "after", "change")[[c.TITLE, c.CATEGORY, "before", "after", "change", c.ITEM]],
        hide_index=True,
        height=min(38 + 35 * len(table), 285),
        key="exposure_table",
        alt="Items with their share of exposure before and after",
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        column_config={
            c.TITLE: st.column_config.TextColumn("Item", width="medium"),
            c.CATEGORY: "Category",
            "before": number("Exposure before", format="%.2f %%"),
            "after": number("After", format="%.2f %%"),
            "change": number("Change, points", format="%+.2f"),
            c.ITEM: "ID",
        },
    )
    rows = event["selection"]["rows"] or [0]
    _links(view, changes, table.iloc[min(rows[0], len(table) - 1)].to_dict(), opens)


def _links(view: View, changes: ListChanges, row: dict[str, object], opens: str) -> None:
    """Link the item, and the cases where it moves most."""
    data = loaders.dataset(view.entry.data.id)
    item_id, title = str(row[c.ITEM]), str(row[c.TITLE])
    moved = changes.most_moved(data.items.index(item_id), _CASES)
    with st.container(horizontal=True, gap="small"):
        st.page_link(
            Path("pages/2_Items.py"),
            label=f"Open {escaped(title)}",
            icon=":material/inventory_2:",
            query_params=url.link(url.ITEMS, item=item_id),
        )
        for user, before, after in moved.itertuples(index=False, name=None):
            name = str(data.users.id(int(user)))
            st.page_link(
                Path("pages/1_Case_study.py"),
                label=escaped(f"{view.verb.user.capitalize()} {name}: {_move(int(before), int(after))}"),
                icon=":material/person_search:",
                query_params=url.link(user=name, item=item_id),
            )
    show.note(opens)


def _move(before: int, after: int) -> str:
    """Say where an item moves in one list."""
    if not before:
        return f"enters at {ordinal(after)}"
    return f"{ordinal(before)} to {ordinal(after)}" if after else f"leaves, was {ordinal(before)}"


def length(default: int = 10, options: Sequence[int] = LENGTHS) -> int:
    """Let the visitor choose the length of the lists; kept in the address."""
    asked = url.current().get("length", "")
    url.follow("effect_length", int(asked) if asked in map(str, options) else default)
    chosen = st.segmented_control(
        "Length of lists", list(options), required=True, key="effect_length", on_change=url.keep,
        args=("length", "effect_length"),
    )  # fmt: skip
    return int(chosen or default)
