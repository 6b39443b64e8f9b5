"""The questions of the Case study: a bar that stays in view, and the answer to the one that is asked."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from guidedrec_core.app import show, url
from guidedrec_core.app.case_study import lists
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.case_study.changes import what_would_change, why_it_moved, why_not
from guidedrec_core.app.case_study.history import show_history
from guidedrec_core.app.case_study.rationale import in_plain_words
from guidedrec_core.app.case_study.reasons import made_of
from guidedrec_core.app.case_study.steering import steer_section
from guidedrec_core.app.errors import escaped, guard
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case


class Section(NamedTuple):
    """A question: how the address calls it, and what answers it."""

    name: str
    show: Callable[[View, Case], None]


SECTIONS: dict[str, Section] = {
    "What is it made of": Section("made-of", made_of),
    "Which past item drove it": Section("past-items", show_history),
    "What would change it": Section("changes", what_would_change),
    "Why not …?": Section("why-not", why_not),
    "Why did it move": Section("moved", why_it_moved),
    "Steer": Section("steer", steer_section),
    "In plain words": Section("words", in_plain_words),
}
"""The sections by label, in order. Only the chosen one is computed."""

_FIRST = next(iter(SECTIONS))
_WITH_RULES = ("made-of", "why-not")
"""Questions whose answers have rules as parts."""


@st.fragment
def show_sections(view: View, case: Case) -> None:
    """Draw the reasons, offer the questions and answer the chosen one."""
    if case.selected is None:
        return
    asked = url.current().get("question")
    url.follow("section", next((label for label, one in SECTIONS.items() if one.name == asked), _FIRST))
    # Other questions have charts of their own, which would else begin below the window.
    if st.session_state["section"] == _FIRST:
        lists.charts(case, view)
    show.sticky("questions", view.dark)
    with st.container(key="questions"):
        chosen = st.segmented_control(
            f"More about {escaped(case.selected.title)}",
            list(SECTIONS),
            required=True,
            key="section",
            on_change=_ask,
            label_visibility="collapsed",
        )
    with guard():
        if case.rules and SECTIONS[str(chosen)].name not in _WITH_RULES:
            show.note("This answer is about the model alone, without the rules that are on.")
        SECTIONS[str(chosen)].show(view, case)
    case_loaders.prepare_history(len(case.history))


def _ask() -> None:
    chosen = st.session_state["section"]
    url.update(question=SECTIONS[chosen].name if chosen != _FIRST else None)
