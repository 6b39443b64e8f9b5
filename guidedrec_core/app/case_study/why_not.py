"""The section "Why not …?": any item of the catalogue, and what keeps it out of this user's list."""

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.figures import counterfactuals as figures
from guidedrec_core.figures.theme import palette

_MOST = 50


def why_not(view: View, case: Case) -> None:
    """Let the visitor find an item; show why it is not recommended, compared with the last item of the list."""
    index = item_loaders.index(view.entry.data.id)
    left, right = st.columns(2)
    query = left.text_input(
        "Find an item", placeholder="Title, ID or category", icon=":material/search:", key="why_not_find"
    )
    found = index.search(query, _MOST)
    labels = dict(zip(found.items[c.ITEM], found.items[c.TITLE], strict=True))
    if st.session_state.get("why_not_item") not in labels:
        st.session_state["why_not_item"] = next(iter(labels), None) if query.strip() else None
    chosen = right.selectbox(
        f"Items ({escaped(found.note)})",
        list(labels),
        format_func=lambda item_id: f"{labels[item_id]} ({item_id})",
        placeholder="Choose an item" if labels else "Nothing found; try fewer letters",
        disabled=not labels,
        key="why_not_item",
    )
    if chosen is None:
        show.note(f"Find any item to see what keeps it out of this {view.verb.user}'s list.")
        return
    answer = case_loaders.why_not(case.key.about(chosen))
    show.lead(answer.sentence)
    if answer.parts.empty:
        return
    st.markdown("**Score difference, part by part**")
    figure = figures.contrast_bars(answer.parts, palette(view.dark))
    show.chart(figure, alt=answer.sentence, key="why_not_bars")
    show.note(f"Score difference to {answer.against}: {answer.margin:+.2f}, the exact sum of all parts.")
    show.table_twin(
        answer.parts,
        "All parts",
        key="why_not_table",
        column_config={"label": "Part", "value": st.column_config.NumberColumn("Score difference", format="%+.4f")},
    )
