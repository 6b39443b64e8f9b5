"""Part of the Studies page: one study with its cases, its history, and what can be taken away."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from guidedrec_core.app import author, show, url
from guidedrec_core.app.errors import complain, escaped, way_on
from guidedrec_core.app.page import Frame
from guidedrec_core.app.studies import counts
from guidedrec_core.app.studies.cases import case_list
from guidedrec_core.app.studies.take_away import take_away
from guidedrec_core.app.studies.titles import Titles
from guidedrec_core.database.tables import Change
from guidedrec_core.errors import ConflictError, GuidedrecError, NotFoundError
from guidedrec_core.runs.library import refined_entries
from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import LONGEST_NAME, LONGEST_TEXT, SavedCase, Study, Verdict

_SEEN = "study_seen"
_FIELDS = {
    "name": "name",
    "note": "note",
    "verdict": "verdict",
    "reason": "reason",
    "position": "place",
    "address": "view",
}


def study(frame: Frame) -> None:
    """Show the study in the address."""
    store = StudyStore(frame.store.home)
    try:
        found = store.find(frame.place["study"])
    except NotFoundError:
        way_on("This study no longer exists, or the link is mistyped.", "Show all studies", study=None, saved=None)
    cases = store.cases(found.id)
    entries = refined_entries(frame.store)
    with frame.actions:
        _change(store, found)
        take_away(frame, store, found, cases, entries)
        _delete(store, found)
    st.button(
        "All studies",
        type="tertiary",
        icon=":material/arrow_back:",
        key="all_studies",
        on_click=url.update,
        kwargs={"study": None, "saved": None},
    )
    show.lead(found.name)
    if found.note.strip():
        st.write(escaped(found.note))
    written, words = found.written, counts.count_words(_verdicts(cases))
    begun = f"Begun by {written.created_by} on {written.created_at:%d %b %Y}"
    changed = f"last changed by {written.changed_by} on {written.changed_at:%d %b %Y, %H:%M} UTC"
    show.note(f"{words[:1].upper()}{words[1:]}. {begun}, {changed}.")
    titles = Titles(entries)
    if cases:
        case_list(store, found, cases, titles, frame.place.get("saved"))
    else:
        st.info("No case yet. Open one in the Case study and choose Save.", icon=":material/bookmark:")
    with st.expander("History", icon=":material/history:", key="study_history", on_change="rerun") as history:
        if history.open:
            _history(store.history(found.id), cases, titles)


def _verdicts(cases: tuple[SavedCase, ...]) -> dict[Verdict | None, int]:
    found: dict[Verdict | None, int] = {}
    for case in cases:
        found[case.content.verdict] = found.get(case.content.verdict, 0) + 1
    return found


def _change(store: StudyStore, found: Study) -> None:
    """Offer another name or note; what is typed stays when somebody else was quicker."""
    opened = st.popover("Rename", icon=":material/edit:", key="study_change", on_change="rerun")
    if not opened.open:
        st.session_state.pop(_SEEN, None)
        return
    seen: Study = st.session_state.setdefault(_SEEN, found)
    if seen.id != found.id:
        seen = st.session_state[_SEEN] = found
    with opened, st.form("change_study", border=False):
        name = st.text_input("Name", value=seen.name, key=f"study_name_{found.id}", max_chars=LONGEST_NAME)
        note = st.text_area("What it is about", value=seen.note, key=f"study_note_{found.id}", max_chars=LONGEST_TEXT)
        who = st.text_input("Your name", value=author.name(), key="study_change_who", max_chars=80)
        if st.form_submit_button("Save", type="primary", icon=":material/check:"):
            try:
                store.change(seen, who, name=name, note=note)
            except ConflictError as error:
                complain(error)
                show.note(f"It is now called {found.name}. Save again to replace that.")
                st.session_state[_SEEN] = found
                return
            except GuidedrecError as error:
                complain(error)
                return
            author.remember(who)
            st.session_state.pop(_SEEN)
            st.rerun()


def _delete(store: StudyStore, found: Study) -> None:
    with st.popover("Delete", icon=":material/delete:", key="study_delete"), st.form("delete_study", border=False):
        cases = "its case" if found.n_cases == 1 else f"its {found.n_cases:,} cases"
        st.write(escaped(f"Delete {found.name}" + (f" and {cases}" if found.n_cases else "") + " for everyone?"))
        why = st.text_input("Reason", key="study_delete_why")
        who = st.text_input("Your name", value=author.name(), key="study_delete_who", max_chars=80)
        if st.form_submit_button("Delete the study", type="primary", icon=":material/delete:"):
            _leave(lambda: store.delete(found, who, why), who)


def _leave(act: Callable[[], None], who: str) -> None:
    try:
        act()
    except GuidedrecError as error:
        complain(error)
        return
    author.remember(who)
    url.update(study=None, saved=None)
    st.rerun()


def _history(changes: tuple[Change, ...], cases: tuple[SavedCase, ...], titles: Titles) -> None:
    """Show who changed what and when, newest first."""
    rows = [
        {
            "when": change.at,
            "who": change.who,
            "what": _about(change, titles),
            "did": change.action,
            "change": _difference(change),
            "why": change.why,
        }
        for change in reversed(changes)
    ]
    show.table(
        pd.DataFrame(rows),
        hide_index=True,
        key="study_changes",
        alt="Changes of the study, newest first",
        column_config={
            "when": st.column_config.DatetimeColumn("When (UTC)", format="D MMM YYYY, HH:mm"),
            "who": "Who",
            "what": st.column_config.TextColumn("What", width="medium"),
            "did": "Did",
            "change": st.column_config.TextColumn("Now", width="large"),
            "why": "Why it was changed",
        },
    )


def _about(change: Change, titles: Titles) -> str:
    values = change.after or change.before or {}
    if change.record != "saved_cases":
        return "the study"
    user, item = str(values.get("user_id", "")), values.get("item_id")
    return f"{user} · {titles.of(str(values.get('dataset', '')), str(item))}" if item else user


def _difference(change: Change) -> str:
    """Say which fields have another value now, and which."""
    before, after = change.before or {}, change.after or {}
    named = [name for name in _FIELDS if after.get(name) and before.get(name) != after.get(name)]
    emptied = [name for name in _FIELDS if before.get(name) and after and not after.get(name) and name != "position"]
    said = [
        f"{_FIELDS[name]}: {after[name] + 1 if name == 'position' else after[name]}"
        for name in named
        if name != "address"
    ]
    return "; ".join([*said, *(f"no {_FIELDS[name]}" for name in emptied)])
