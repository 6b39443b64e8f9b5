"""The fields in which a saved case is judged: verdict, reason, note, and the visitor's name.

What is typed stays until it is saved. The fields follow what is stored only while nobody has typed over it; which
version that was is remembered, so that a change by somebody else in between is noticed.
"""

from dataclasses import replace

import streamlit as st

from guidedrec_core.app import author
from guidedrec_core.studies.study import LONGEST_TEXT, VERDICTS, CaseContent, SavedCase, Verdict

VERDICT_LABELS: dict[Verdict, str] = {"good": "Good", "wrong": "Wrong", "harmful": "Harmful", "unsure": "Unsure"}
VERDICT_ICONS: dict[Verdict, str] = {
    "good": ":material/thumb_up:",
    "wrong": ":material/thumb_down:",
    "harmful": ":material/warning:",
    "unsure": ":material/help:",
}
_BLANK = (None, "", "")


def follow(prefix: str, case: SavedCase | None) -> None:
    """Fill the fields with what is stored of a case, or empty them, unless the visitor has typed something.

    Parameters
    ----------
    prefix : str
        Begins the keys of these fields.
    case : SavedCase, optional
        What they are about; None for a view that is not saved yet.
    """
    shown = seen(prefix)
    if untouched(prefix) and case != shown:
        read_again(prefix, case)
    elif shown is None or case is None or case.id != shown.id:
        st.session_state[f"{prefix}_seen"] = case  # typed before: it goes to the case that is chosen now
    verdict, reason, note = _texts(prefix)
    # Drawn or not, they stay: Streamlit forgets the widgets that a script run does not draw.
    st.session_state[f"{prefix}_verdict"], st.session_state[f"{prefix}_reason"] = verdict, reason
    st.session_state[f"{prefix}_note"] = note
    st.session_state.setdefault(f"{prefix}_who", author.name())


def read_again(prefix: str, case: SavedCase | None) -> None:
    """Fill the fields with what is stored of a case, whatever was typed."""
    verdict, reason, note = _said(case)
    st.session_state[f"{prefix}_verdict"], st.session_state[f"{prefix}_reason"] = verdict, reason
    st.session_state[f"{prefix}_note"] = note
    st.session_state[f"{prefix}_seen"] = case


def accept(prefix: str, case: SavedCase | None) -> None:
    """Remember that the visitor now knows this version of a case, and keep what was typed."""
    st.session_state[f"{prefix}_seen"] = case


def seen(prefix: str) -> SavedCase | None:
    """Return the version of the case that the visitor knows."""
    case: SavedCase | None = st.session_state.get(f"{prefix}_seen")
    return case


def untouched(prefix: str) -> bool:
    """Return whether the fields say what is stored in the version that the visitor knows."""
    return _texts(prefix) == _said(seen(prefix))


def draw(prefix: str) -> None:
    """Draw the fields; see `follow`, which comes first."""
    st.segmented_control(
        "Verdict",
        VERDICTS,
        format_func=lambda one: f"{VERDICT_ICONS[one]} {VERDICT_LABELS[one]}",
        key=f"{prefix}_verdict",
        help="Is this a recommendation you would stand by? Click again to take a verdict back.",
    )
    st.text_input("Reason for the verdict", key=f"{prefix}_reason", max_chars=2_000)
    st.text_area("Note", key=f"{prefix}_note", height=80, max_chars=LONGEST_TEXT)


def draw_name(prefix: str) -> None:
    """Draw the field for the visitor's name; apart, because what is in a form is known only once that is sent."""
    st.text_input("Your name", key=f"{prefix}_who", max_chars=80)


def who(prefix: str) -> str:
    """Return the name that was typed."""
    return str(st.session_state.get(f"{prefix}_who") or "")


def judged(prefix: str, content: CaseContent) -> CaseContent:
    """Return a case with what was typed."""
    verdict, reason, note = _texts(prefix)
    return replace(content, verdict=verdict, reason=reason, note=note)


def _texts(prefix: str) -> tuple[Verdict | None, str, str]:
    verdict = st.session_state.get(f"{prefix}_verdict")
    reason, note = (str(st.session_state.get(f"{prefix}_{name}") or "") for name in ("reason", "note"))
    return verdict, reason, note


def _said(case: SavedCase | None) -> tuple[Verdict | None, str, str]:
    return _BLANK if case is None else (case.content.verdict, case.content.reason, case.content.note)
