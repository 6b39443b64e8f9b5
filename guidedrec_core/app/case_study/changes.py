"""The sections "What would change it" and "Why it moved"."""

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show
from guidedrec_core.app.case_study import changes_loaders as loaders
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.figures import counterfactuals as figures
from guidedrec_core.figures.theme import palette

_STEPS_HELP = (
    "One step is one standard deviation of taste on an attribute of average weight, as on the sliders under Steer."
)
_MOVED_HELP = (
    "Each part's Shapley value in the game whose worth is the item's rank: the places it gains when it joins the base "
    "score, averaged over the orders in which the parts may join."
)
_SURROGATE_HELP = (
    "Ridge regression of this user's base scores on the guided embedding, over all items the user has not taken. The "
    "share is R2 on items that were left out of the fit. The base model itself uses no attribute."
)


def what_would_change(view: View, case: Case) -> None:
    """Say and draw the smallest changes that take the selected item out of the list, or bring it in."""
    assert case.selected is not None  # sections are shown only with an item
    found = loaders.changes(case.key)
    if found.seen:
        show.note("The user has this item already, so no change brings it into the list.")
        return
    goal = "leave" if case.selected.rank <= found.k else "enter"
    show.lead(f"The smallest changes found that make {case.selected.title} {goal} the top {found.k}")
    left, right = show.pair()
    with left:
        _sentences("Another history", found.history)
        _sentences("Another taste", found.pulls, _STEPS_HELP)
        _sentences("Other scores of the item", found.scores)
        show.note("Every change was verified by scoring all items anew with it.")
    with right:
        st.markdown("**Its rank, as the user wants less or more of an attribute**")
        alt = "What the rank becomes as one attribute is pulled, for those that change it most"
        show.chart(figures.pull_curves(found.curves, found.k, palette(view.dark)), alt=alt, key="pull_curves")
    show.table_twin(
        found.edits,
        f"All {len(found.edits):,} changes found",
        key="changes_table",
        column_config={"kind": "What", "change": st.column_config.TextColumn("Change", width="large"), c.RANK: "Rank"},
    )


def why_it_moved(view: View, case: Case) -> None:
    """Say and draw what moved the selected item from its base rank to its refined one."""
    assert case.selected is not None  # sections are shown only with an item
    found = loaders.moved(case.key)
    if found is None:
        show.note("The user has this item already, so it has no rank in either model.")
        return
    colours = palette(view.dark)
    show.lead(found.sentence)
    figure = figures.rank_steps(found.parts, found.base_rank, found.rank, colours)
    show.chart(figure, alt=found.sentence, key="rank_steps")
    how = "Exact, over all orders." if found.exact else "From random orders; the table gives standard errors."
    st.caption(escaped(f"Places gained and lost from base to refined. {how}"), help=_MOVED_HELP)
    number = st.column_config.NumberColumn
    show.table_twin(
        found.parts,
        "All parts",
        key="moved_table",
        column_config={
            "label": "Part",
            "gained": number("Places gained", format="%+.2f"),
            "error": number("Standard error", format="%.2f"),
        },
    )
    st.caption(escaped(found.base_sentence), help=_SURROGATE_HELP)
    show.table_twin(
        found.base_parts,
        "What attributes go with in its base score (estimate)",
        key="surrogate_table",
        column_config={"label": "Attribute", "value": number("Goes with", format="%+.2f")},
    )


def _sentences(heading: str, sentences: tuple[str, ...], tooltip: str | None = None) -> None:
    st.markdown(f"**{heading}**", help=tooltip)
    st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in sentences))
