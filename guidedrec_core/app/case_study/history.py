"""The section "Which past item drove it": a sentence, a bar for each item, items by attributes on demand."""

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.cases.history import HistoryCase
from guidedrec_core.figures import history as figures
from guidedrec_core.figures.theme import palette

_HELP = (
    "Each past item's share is its Shapley value: what the score gains when the item is added to the others, averaged "
    "over all orders. The shares add up to what the history as a whole contributes to the score."
)
_TOTAL = "Total"
_MODELS = {"refined": "Refined model", "base": "Base model"}


def show_history(view: View, case: Case) -> None:
    """Show what each past item contributed to the selected item's score."""
    assert case.selected is not None  # sections are shown only with an item
    model = st.segmented_control(
        "Score of", list(_MODELS), default="refined", required=True, format_func=_MODELS.__getitem__,
        key="history_model", help=_HELP,
    )  # fmt: skip
    shown = case_loaders.history(case.key, str(model))
    show.lead(shown.sentence)
    if shown.items.empty:
        return
    colours = palette(view.dark)
    whiskers = "" if shown.exact else " Whiskers show two standard errors."
    show.note(f"{shown.exactness} Newest first.{whiskers}")
    show.chart(figures.item_bars(shown.items, colours), alt=shown.sentence, key="history_bars")
    show.table_twin(
        shown.items,
        "Show as table",
        key="history_shares",
        column_config={
            "number": "Number",
            c.ITEM: "Item ID",
            c.TITLE: st.column_config.TextColumn("Item", width="medium"),
            "value": st.column_config.NumberColumn("Share of the score", format="%+.3f"),
            "margin": st.column_config.NumberColumn("±", format="%.3f", help="Two standard errors; 0 means exact"),
            "without": st.column_config.NumberColumn(
                "Score change without it", format="%+.3f", help="If only this item is removed"
            ),
        },
    )
    if model == "base":
        show.note("The base model uses no attributes, so its shares cannot be split further.")
    elif st.toggle("Attribute by attribute", key="history_map"):
        _by_attribute(shown, view)


def _by_attribute(shown: HistoryCase, view: View) -> None:
    """Draw the shares split by attribute, with the sums that lead to the score."""
    show.note(
        "Each row adds up to the item's share, each column to what the history adds through that attribute. Together "
        "with the part that needs no history, they make up the contributions of the score."
    )
    figure = figures.item_attribute_map(shown.items, shown.matrix, palette(view.dark))
    show.chart(figure, alt="What each past item contributed to the score by attribute", key="history_matrix")
    table = shown.matrix.assign(**{_TOTAL: shown.matrix.sum(axis=1)})
    history, alone = table.sum(), shown.alone
    alone = pd.concat([alone, pd.Series({_TOTAL: alone.sum()})])
    rows = pd.concat([table, pd.DataFrame([history, alone, history + alone])], ignore_index=True)
    sums = ["Whole history", "Without any history", "Total, without popularity"]
    rows.insert(0, "Item", [*shown.items[c.TITLE], *sums])
    number = st.column_config.NumberColumn(format="%+.3f")
    show.table_twin(
        rows,
        "Show as table, with the part that needs no history",
        key="history_matrix_table",
        column_config=dict.fromkeys(rows.columns[1:], number),
    )
