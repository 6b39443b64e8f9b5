"""The saved segments of a data set: who is in each, who saved it, and the way to ask about it or to delete it."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from guidedrec_core.app import author, show
from guidedrec_core.app.audience import loaders as audience_loaders
from guidedrec_core.app.audience.group import LENGTHS, ask
from guidedrec_core.app.audience.percent import PERCENT, in_percent
from guidedrec_core.app.audience.segments import TABS
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.audience.saved import SavedSegment, SegmentStore
from guidedrec_core.conditions.reading import saved_phrase
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.runs.store import RunInfo

if TYPE_CHECKING:
    from guidedrec_core.audience.audience import Audience

_NUMBER = st.column_config.NumberColumn
_SAID = "segment_deleted"


def saved_segments(view: View, run: RunInfo) -> None:
    """Show the saved segments; one of them can be asked about or deleted."""
    st.subheader("Saved segments", anchor=False)
    store = SegmentStore(view.store.home)
    found = store.list(view.dataset)
    _say_deleted()
    if not found:
        show.note(f"None yet. Choose {view.verb.users} under “{TABS[0]}”, or a segment above, and save them.")
        return
    people = audience_loaders.audience(view.entry.run.id, run.id, max(LENGTHS))
    table, faults = _table(people, found)
    show.note(
        f"Evaluation shows what refinement brings each. Choose a row to ask what its {view.verb.users} are shown."
    )
    event = show.table(
        in_percent(table, "share"),
        hide_index=True,
        height="content",
        key="saved_segment_table",
        alt="Saved segments with their conditions and authors",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "name": st.column_config.TextColumn("Segment", width=220),
            "users": _NUMBER(view.verb.users.capitalize(), format="%d"),
            "share": _NUMBER("Share", format=PERCENT),
            "conditions": st.column_config.TextColumn("Who", width=320),
            "note": st.column_config.TextColumn("Note", width=220),
            "changed_by": "Changed by",
            "changed_at": st.column_config.DatetimeColumn("When (UTC)", format="DD MMM YYYY, HH:mm"),
        },
    )
    for fault in faults:
        show.note(fault)
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(found):
        _actions(view, store, found[rows[0]])


def _table(people: "Audience", found: tuple[SavedSegment, ...]) -> tuple[pd.DataFrame, list[str]]:
    """Tabulate segments; return what cannot be counted, too."""
    rows, faults = [], []
    for one in found:
        try:
            users: float = int(people.users(one.condition).sum())
        except GuidedrecError as error:
            users = float("nan")
            faults.append(f"{one.name}: {error}.")
        written = one.written
        moment = written.changed_at.replace(tzinfo=None)
        rows.append((one.name, users, users / people.n_users, one.text, one.note, written.changed_by, moment))
    names = ["name", "users", "share", "conditions", "note", "changed_by", "changed_at"]
    return pd.DataFrame(rows, columns=names), faults


def _actions(view: View, store: SegmentStore, segment: SavedSegment) -> None:
    """Offer what can be done with a segment."""
    with st.container(horizontal=True):
        st.button(
            f"Who gets what in {escaped(segment.name)}?",
            icon=":material/groups:",
            on_click=_take,
            args=(segment.name,),
            key="take_saved_segment",
        )
        opened = st.popover("Delete", icon=":material/delete:", key="delete_segment", on_change="rerun")
        if opened.open:
            with opened, st.form("delete_segment_form", border=False):
                st.write(escaped(f"Delete {segment.name}? Its history stays."))
                st.session_state.setdefault("delete_segment_who", author.name())
                st.text_input("Your name", key="delete_segment_who")
                st.form_submit_button("Delete", type="primary", on_click=_delete, args=(store, segment))


def _take(name: str) -> None:
    """Ask about a segment on the first tab."""
    ask(users=saved_phrase(name))
    st.session_state["part"] = TABS[0]


def _delete(store: SegmentStore, segment: SavedSegment) -> None:
    """Delete the segment, unless somebody changed it meanwhile."""
    who = str(st.session_state.get("delete_segment_who") or "")
    try:
        store.delete(segment, who)
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(who)
    st.session_state[_SAID] = segment.name


def _say_deleted() -> None:
    """Say what became of the last deletion."""
    said = st.session_state.pop(_SAID, None)
    if isinstance(said, GuidedrecError):
        complain(said)
    elif said is not None:
        st.success(escaped(f"Deleted {said}."), icon=":material/check:")
