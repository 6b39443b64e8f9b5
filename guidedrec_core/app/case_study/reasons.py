"""The section "Every reason": each contribution in words, compared with an average item or another of the list."""

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show
from guidedrec_core.app.case_study import lists
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.explanation.words import ordinal
from guidedrec_core.figures import counterfactuals as figures
from guidedrec_core.figures.theme import palette

_AVERAGE, _BELOW = "", "just below"


def every_reason(view: View, case: Case) -> None:
    """Show what each line adds to the selected item's score, compared with another item's."""
    assert case.selected is not None  # sections are shown only with an item
    selected = case.selected
    rows = zip(*(case.refined[name].tolist() for name in (c.ITEM, c.RANK, c.TITLE)), strict=True)
    labels = {_AVERAGE: "An average item", _BELOW: "The next item in the list"}
    labels |= {item: f"{ordinal(rank)}: {title}" for item, rank, title in rows if item != selected.item_id}
    if selected.seen:
        del labels[_BELOW]
    # The key names the item, so that another item starts with the average again.
    chosen = st.selectbox(
        "Compared with",
        list(labels),
        format_func=lambda item: labels.get(item, item),
        key=f"against_{case.user_id}_{selected.item_id}",
    )
    if chosen == _AVERAGE:
        lists.contributions(selected, view.verb)
        return
    other = None if chosen == _BELOW else chosen
    comparison = case_loaders.against(case.key, other)
    if comparison is None:
        show.note("This is the last item, so there is no next one.")
        return
    show.lead(comparison.sentence)
    show.chart(figures.contrast_bars(comparison.parts, palette(view.dark)), alt=comparison.sentence, key="against_bars")
    show.note(f"Score difference: {comparison.difference:+.2f}, the exact sum of all parts.")
    show.table_twin(
        comparison.parts,
        "All parts",
        key="against_table",
        column_config={"label": "Part", "value": st.column_config.NumberColumn("Score difference", format="%+.4f")},
    )
