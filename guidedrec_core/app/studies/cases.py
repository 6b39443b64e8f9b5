"""Part of a study: its cases in order; opening, judging, moving and deleting them."""

import streamlit as st

from guidedrec_core.app import author, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.studies import fields
from guidedrec_core.app.studies.titles import Titles
from guidedrec_core.errors import ConflictError, GuidedrecError
from guidedrec_core.report.saved_case import is_steered, missing
from guidedrec_core.runs.titles import dataset_title
from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import SavedCase, Study, Verdict

_CASE_PAGE, _SAID = "pages/1_Case_study.py", "study_case_said"
_COLOURS: dict[Verdict, str] = {"good": "green", "wrong": "orange", "harmful": "red", "unsure": "gray"}


def case_list(
    store: StudyStore, study: Study, cases: tuple[SavedCase, ...], titles: Titles, chosen: str | None
) -> None:
    """Show the cases of a study; the chosen one can be changed.

    Parameters
    ----------
    store : StudyStore
        Where changes go.
    study : Study
        The study.
    cases : tuple of SavedCase
        Its cases, in order.
    titles : Titles
        Of the items, with the runs there are.
    chosen : str, optional
        Id of the case that is being changed.
    """
    said = st.session_state.pop(_SAID, None)
    if chosen is not None and all(case.id != chosen for case in cases):
        show.note("The case that was open here was deleted meanwhile; the history below says by whom.")
    for place, case in enumerate(cases):
        with st.container(border=True, gap="xsmall"):
            _row(place, case, titles, chosen == case.id)
            if chosen == case.id:
                _edit(store, study, cases, place, said)
    if said is not None and not any(case.id == chosen for case in cases):
        _tell(said)


def _row(place: int, case: SavedCase, titles: Titles, is_open: bool) -> None:
    content, written = case.content, case.written
    user = titles.verb(content.dataset).user.capitalize()
    item = "" if content.item_id is None else f" · {titles.of(content.dataset, content.item_id)}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{place + 1}\\. {escaped(f'{user} {content.user_id}{item}')}**", width="stretch")
        if content.verdict is not None:
            st.badge(
                fields.VERDICT_LABELS[content.verdict],
                icon=fields.VERDICT_ICONS[content.verdict],
                color=_COLOURS[content.verdict],  # type: ignore[arg-type]
            )
        gone = missing(case, titles.entries)
        if not gone:
            st.page_link(
                _CASE_PAGE,
                label="Open",
                icon=":material/open_in_new:",
                query_params=url.query_parameters(content.address) or url.link(user=content.user_id),
            )
        st.button(
            "Close" if is_open else "Edit",
            key=f"edit_{case.id}",
            icon=":material/close:" if is_open else ":material/edit:",
            on_click=url.update,
            kwargs={"saved": None if is_open else case.id},
            type="tertiary",
        )
    # An open case has its texts in the fields, unless the visitor has typed others.
    if not is_open or not fields.untouched(_prefix(case)):
        for text in filter(str.strip, (content.reason, content.note)):
            st.write(escaped(text))
    if gone:
        show.note(f"Cannot be opened: {gone}.")
    steered = " · with changes to taste or history" if is_steered(case) else ""
    show.note(
        f"{dataset_title(content.dataset)}{steered} · saved by {written.created_by} on {written.created_at:%d %b %Y}"
        + (
            f" · changed by {written.changed_by} on {written.changed_at:%d %b %Y, %H:%M} UTC"
            if written.version > 1
            else ""
        )
    )


def _edit(store: StudyStore, study: Study, cases: tuple[SavedCase, ...], place: int, said: object) -> None:
    """Offer the fields of a case, its place, and deleting it."""
    case = cases[place]
    prefix = _prefix(case)
    fields.follow(prefix, case)
    fields.draw_name(prefix)
    with st.form(f"form_{case.id}", border=False):
        fields.draw(prefix)
        st.form_submit_button(
            "Save", type="primary", icon=":material/check:", on_click=_save, args=(store, case.id, prefix)
        )
    _tell(said)
    ids = [one.id for one in cases]
    with st.container(horizontal=True, gap="small"):
        for label, icon, step in (("Move up", "arrow_upward", -1), ("Move down", "arrow_downward", 1)):
            st.button(
                label,
                icon=f":material/{icon}:",
                key=f"{label}_{case.id}",
                disabled=not 0 <= place + step < len(cases),
                on_click=_move,
                args=(store, study, ids, place, step, prefix),
            )
        with st.popover("Delete", icon=":material/delete:", key=f"delete_{case.id}"):
            st.write("Delete this case for everyone? The history keeps what it was.")
            st.text_input("Reason", key=f"{prefix}_why")
            st.button(
                "Delete the case",
                key=f"delete_now_{case.id}",
                type="primary",
                icon=":material/delete:",
                on_click=_delete,
                args=(store, case, prefix),
            )


def _prefix(case: SavedCase) -> str:
    return f"study_case_{case.id}"


def _tell(said: object) -> None:
    if isinstance(said, GuidedrecError):
        complain(said)
    elif isinstance(said, str):
        st.success(escaped(said), icon=":material/check:")


def _save(store: StudyStore, case_id: str, prefix: str) -> None:
    """Save what was typed; where somebody else was quicker, say so and keep it typed."""
    known, who = fields.seen(prefix), fields.who(prefix)
    if known is None or known.id != case_id:
        return
    try:
        changed = store.change_case(known, fields.judged(prefix, known.content), who)
    except ConflictError as error:
        _conflict(store, case_id, prefix, error)
        return
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(who)
    fields.read_again(prefix, changed)
    st.session_state[_SAID] = "Saved."


def _conflict(store: StudyStore, case_id: str, prefix: str, error: ConflictError) -> None:
    """Say what is stored now; the next press replaces it."""
    try:
        now = store.case(case_id)
    except GuidedrecError:  # deleted: the sentence says by whom
        st.session_state[_SAID] = error
        return
    fields.accept(prefix, now)
    st.session_state[_SAID] = ConflictError(
        f"{now.written.changed_by} changed this case on {now.written.changed_at:%d %b %Y, %H:%M} UTC, while you were "
        "writing. Above the fields is what it says now; what you typed is kept. Save again to replace it"
    )


def _move(store: StudyStore, study: Study, ids: list[str], place: int, step: int, prefix: str) -> None:
    ids = [*ids]
    ids[place], ids[place + step] = ids[place + step], ids[place]
    untouched = fields.untouched(prefix)
    try:
        store.order(study.id, ids, fields.who(prefix))
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(fields.who(prefix))
    known = fields.seen(prefix)
    # A move is a version, too: the visitor's own is no change by somebody else.
    if known is not None and not untouched:
        now = store.case(known.id)
        if now.content == known.content:
            fields.accept(prefix, now)


def _delete(store: StudyStore, case: SavedCase, prefix: str) -> None:
    who = fields.who(prefix)
    try:
        store.delete_case(case, who, str(st.session_state.get(f"{prefix}_why") or ""))
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(who)
    url.update(saved=None)
    st.session_state[_SAID] = "Deleted."
