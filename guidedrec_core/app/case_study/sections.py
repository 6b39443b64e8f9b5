"""The Case study below the score: one section at a time, chosen by the visitor's question."""

from collections.abc import Callable

import streamlit as st

from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.case_study.changes import what_would_change, why_it_moved
from guidedrec_core.app.case_study.history import show_history
from guidedrec_core.app.case_study.rationale import in_plain_words
from guidedrec_core.app.case_study.reasons import every_reason
from guidedrec_core.app.case_study.steering import steer_section
from guidedrec_core.app.case_study.why_not import why_not
from guidedrec_core.app.errors import escaped, guard
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case

Section = Callable[[View, Case], None]


SECTIONS: dict[str, Section] = {
    "Every reason": every_reason,
    "Which past item drove it": show_history,
    "What would change it": what_would_change,
    "Why not …?": why_not,
    "Why it moved": why_it_moved,
    "Steer": steer_section,
    "In plain words": in_plain_words,
}
"""The sections by label, in order. Only the chosen one is computed."""


@st.fragment
def show_sections(view: View, case: Case) -> None:
    """Offer the sections and show the chosen one."""
    if case.selected is None:
        return
    chosen = st.segmented_control(
        f"More about {escaped(case.selected.title)}",
        list(SECTIONS),
        default=next(iter(SECTIONS)),
        required=True,
        key="section",
    )
    with guard():
        SECTIONS[str(chosen)](view, case)
    case_loaders.prepare_history(len(case.history))
