"""Saving the users that a page speaks of as a segment, for a new name or in place of one that is there."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core.app import author, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.audience.saved import SavedSegment, SegmentStore
from guidedrec_core.conditions.condition import Definition
from guidedrec_core.database.database import one_line
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.studies.study import LONGEST_NAME, LONGEST_TEXT

_EVALUATION = "pages/4_Evaluation.py"


def save_segment(
    view: View, place: DeltaGenerator, prefix: str, definition: Definition | None, suggested: str = ""
) -> None:
    """Offer to save a group of users as a segment.

    Parameters
    ----------
    view : View
        The page.
    place : DeltaGenerator
        Where the button stands.
    prefix : str
        Begins the keys of the widgets.
    definition : Definition or None
        A condition on users; None is everyone, which is no segment.
    suggested : str
        The name to begin with.
    """
    with place:
        _popover(view, prefix, definition, suggested)


@st.fragment
def _popover(view: View, prefix: str, definition: Definition | None, suggested: str) -> None:
    opened = st.popover(
        "Save segment",
        icon=":material/group_add:",
        key=f"{prefix}_open",
        on_change="rerun",
        disabled=definition is None,
        help=f"Choose {view.verb.users} first: a segment is a group of them." if definition is None else None,
    )
    if definition is not None and opened.open:
        with opened:
            try:
                _form(view, prefix, definition, suggested)
            except GuidedrecError as error:
                complain(error)


def _form(view: View, prefix: str, definition: Definition, suggested: str) -> None:
    store, text = SegmentStore(view.store.home), definition.text
    said = st.session_state.pop(f"{prefix}_said", None)
    if st.session_state.get(f"{prefix}_about") != text:  # another group: begin anew
        st.session_state[f"{prefix}_about"], st.session_state[f"{prefix}_name"] = text, suggested
        st.session_state[f"{prefix}_note"] = ""
    st.session_state.setdefault(f"{prefix}_who", author.name())
    st.write(escaped(f"{view.verb.users.capitalize()} who match “{text}”"))
    name = st.text_input("Name", key=f"{prefix}_name", max_chars=LONGEST_NAME, placeholder="e.g. Winter customers")
    found = next((one for one in store.list(view.dataset) if one.name == one_line(name)), None)
    same = found is not None and dict(found.stored) == definition.model_dump(mode="json")
    if found is not None:
        written = found.written
        last = f"last changed by {written.changed_by} on {written.changed_at:%d %b %Y, %H:%M} UTC"
        show.note(
            f"This segment is saved, {last}."
            if same
            else f"There is a segment of this name: “{found.text}”, {last}. Its history keeps what you replace."
        )
    with st.form(f"{prefix}_form", border=False):
        st.text_area(
            "Note (optional)" if found is None else "Note (blank keeps the old one)",
            key=f"{prefix}_note",
            max_chars=LONGEST_TEXT,
            height=80,
        )
        st.text_input("Your name", key=f"{prefix}_who")
        st.form_submit_button(
            "Save" if found is None else "Save note" if same else "Replace",
            type="primary",
            icon=":material/bookmark_add:" if found is None else ":material/edit:",
            on_click=_save,
            args=(view, prefix, definition, found),
        )
    if isinstance(said, GuidedrecError):
        complain(said)
    elif said is not None:
        _confirm(view, *said)


def _save(view: View, prefix: str, definition: Definition, found: SavedSegment | None) -> None:
    """Save the segment, or change the one that the visitor has seen; what was typed stays when that fails."""
    store = SegmentStore(view.store.home)
    name, note, who = (str(st.session_state.get(f"{prefix}_{field}") or "") for field in ("name", "note", "who"))
    try:
        if found is not None and found.name == one_line(name):
            saved = store.change(found, who, definition=definition, note=note or None)
            did = "Replaced"
        else:
            saved, did = store.save(view.dataset, name, definition, who, note), "Saved"
    except GuidedrecError as error:
        st.session_state[f"{prefix}_said"] = error
        return
    author.remember(who)
    st.session_state[f"{prefix}_said"] = (did, saved)


def _confirm(view: View, did: str, saved: SavedSegment) -> None:
    """Say what was saved, with the way to it."""
    st.success(escaped(f"{did} {saved.name}."), icon=":material/check:")
    st.page_link(
        _EVALUATION,
        label=f"What does refinement bring {escaped(saved.name)}?",
        icon=":material/balance:",
        query_params=url.link(),
    )
