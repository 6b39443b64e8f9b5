"""The catalogue as a model sorts it: shelves, agreement with categories, and items on unexpected shelves."""

from pathlib import Path

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show, url
from guidedrec_core.app.audience import loaders as audience_loaders
from guidedrec_core.app.audience.percent import PERCENT, in_percent
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.audience.shelves.report import SPACE_WORDS, SPACES, ShelfReport
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.figures.audience.shelves import shelf_tree
from guidedrec_core.figures.theme import Palette

_MOST_ITEMS = 200
_NUMBER = st.column_config.NumberColumn


def shelves(view: View, colours: Palette) -> None:
    """Show the shelves of one space, and compare all."""
    lead = st.container()
    space = st.segmented_control(
        "As seen by the",
        SPACES,
        default="refined",
        required=True,
        format_func=SPACE_WORDS.__getitem__,
        key="space",
        bind="query-params",
    )
    report, space = audience_loaders.shelves(view.entry.run.id), space or "refined"
    with lead:
        show.lead(report.sentence(space))
    show.note(
        "A box is a shelf with the boards on it, as large as it holds items; its colour is stronger where more of its "
        "items share one category. Names say what stands there more often than elsewhere. Click a shelf to zoom in.",
        help="Residual quantisation of the item vectors: the first code is the shelf, the first two are the board.",
    )
    show.chart(shelf_tree(report.trees[space], colours), report.sentence(space), f"shelves_{space}")
    _misplaced(report, space)
    with st.expander("The shelves, and all spaces compared", icon=":material/table:"):
        _tables(report, space)


def _misplaced(report: ShelfReport, space: str) -> None:
    """Show items on another shelf than their category says; one of them can be opened."""
    st.subheader("Items on another shelf than their category says", anchor=False)
    table = report.misplaced[space]
    if table.empty:
        show.note("None: no category has half of its items on one shelf, or all of them stand there.")
        return
    some = "" if len(table) <= _MOST_ITEMS else f"{_MOST_ITEMS:,} of {len(table):,} shown. "
    show.note(
        f"{len(table):,} items. Their category has at least half of its items on its home shelf. The surest first. "
        f"{some}Choose a row to open the item."
    )
    shown = table.head(_MOST_ITEMS)
    event = show.table(
        in_percent(shown, "at_home")[[c.TITLE, c.CATEGORY, "shelf", "home", "at_home", "nearer"]],
        hide_index=True,
        height=min(38 + 35 * len(shown), 285),
        key=f"misplaced_{space}",
        alt="Items on another shelf than their category says",
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        column_config={
            c.TITLE: st.column_config.TextColumn("Item", width=250),
            c.CATEGORY: "Category",
            "shelf": st.column_config.TextColumn("Stands on", width=260),
            "home": st.column_config.TextColumn("Its category stands on", width=260),
            "at_home": _NUMBER("Of the category there", format=PERCENT),
            "nearer": _NUMBER(
                "How clearly",
                format="%.2f",
                help="0: halfway between both shelves; 1: at the centre of its own; more: beyond",
            ),
        },
    )
    rows = event["selection"]["rows"] or [0]
    row = shown.iloc[min(rows[0], len(shown) - 1)]
    st.page_link(
        Path("pages/2_Items.py"),
        label=f"Open {escaped(str(row[c.TITLE]))}",
        icon=":material/inventory_2:",
        query_params=url.link(item=str(row[c.ITEM])),
    )


def _tables(report: ShelfReport, space: str) -> None:
    """Show the shelves of a space, and how all spaces agree with the categories."""
    table = report.tables[space].assign(category=report.tables[space]["category"].map(category_words))
    table = in_percent(table, "purity")
    show.table(
        table,
        hide_index=True,
        height="content",
        key=f"shelf_table_{space}",
        alt="Shelves with their size and commonest category",
        column_config={
            "shelf": _NUMBER("#", width=40),
            "name": st.column_config.TextColumn("Rich in", width=420),
            "items": _NUMBER("Items", format="%d"),
            "category": "Most common category",
            "purity": _NUMBER("Its share", format=PERCENT),
        },
    )
    levels = {1: "shelves", 2: "boards", 3: "finest"}
    show.table(
        in_percent(report.agreement, "purity", "chance", "explained").assign(
            space=report.agreement["space"].map(SPACE_WORDS),
            level=report.agreement["level"].map(lambda level: levels.get(level, str(level))),
        ),
        hide_index=True,
        height="content",
        key="agreement",
        alt="Agreement of shelves with categories in each space",
        column_config={
            "space": "Space",
            "level": "Level",
            "shelves": _NUMBER("Number", format="%d"),
            "purity": _NUMBER("Purity", format=PERCENT, help="Items of their shelf's most common category"),
            "chance": _NUMBER("By chance", format=PERCENT, help="The same with shuffled categories"),
            "nmi": _NUMBER(
                "NMI", format="%.2f", help="Normalised mutual information with categories; grows with levels"
            ),
            "ami": _NUMBER("AMI", format="%.2f", help="Adjusted mutual information; 0 by chance, 1 for the same"),
            "collisions": _NUMBER(
                "Items that share a code", format="%d", help="The whole code, down to the finest level"
            ),
            "explained": _NUMBER("Variance explained", format=PERCENT, help="Of the item vectors, by the codes so far"),
        },
    )
