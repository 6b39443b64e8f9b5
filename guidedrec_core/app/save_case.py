"""A button that saves what the Case study shows into a study, with a verdict and a note."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core.app import author, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import View
from guidedrec_core.app.studies import fields
from guidedrec_core.cases.case import Case
from guidedrec_core.errors import ConflictError, GuidedrecError
from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import CaseContent, SavedCase, Study

_PREFIX, _STUDY, _SAID = "save_case", "save_case_study", "save_case_said"
_PAGE = "pages/7_Studies.py"


def save_case(view: View, case: Case, place: DeltaGenerator) -> None:
    """Offer to save the view; call it once the page is drawn, when its whole state is known.

    Parameters
    ----------
    view : View
        The page.
    case : Case
        What it shows.
    place : DeltaGenerator
        Among `View.actions`.
    """
    with place:
        _popover(view, case)


@st.fragment
def _popover(view: View, case: Case) -> None:
    opened = st.popover("Save", icon=":material/bookmark:", key="save_case_open", on_change="rerun")
    if opened.open:
        with opened:
            try:
                _form(view, case)
            except GuidedrecError as error:
                complain(error)


def _form(view: View, case: Case) -> None:
    studies = StudyStore(view.store.home)
    by_name = {study.name: study for study in studies.list()}
    said = st.session_state.pop(_SAID, None)
    if _STUDY not in st.session_state:
        st.session_state[_STUDY] = None
    name = st.selectbox(
        "Study",
        _options(list(by_name), st.session_state[_STUDY]),
        key=_STUDY,
        index=None,
        placeholder="Choose one, or type a new name",
        accept_new_options=True,
        persist_state="session",
    )
    study = by_name.get(" ".join((name or "").split()))
    found = None if study is None else _same_view(studies, study)
    fields.follow(_PREFIX, found)
    if found is not None:
        written = found.written
        show.note(
            f"This view is in the study already: saved by {written.created_by}, last changed by "
            f"{written.changed_by} on {written.changed_at:%d %b %Y, %H:%M} UTC."
        )
    with st.form("save_case_form", border=False):
        fields.draw(_PREFIX)
        fields.draw_name(_PREFIX)
        label, icon = ("Save", "bookmark_add") if found is None else ("Update", "edit")
        st.form_submit_button(
            label,
            type="primary",
            icon=f":material/{icon}:",
            on_click=_save,
            args=(view, studies, case.user_id, None if case.selected is None else case.selected.item_id, found),
        )
    if isinstance(said, GuidedrecError):
        complain(said)
    elif said is not None:
        _confirm(*said)


def _options(names: list[str], typed: str | None) -> list[str]:
    """Return the studies, and the name that was typed for a new one."""
    return names if typed is None or typed in names else [*names, typed]


def _same_view(studies: StudyStore, study: Study) -> SavedCase | None:
    """Return the case of a study that was saved from this very view."""
    address = url.query()
    return next((case for case in studies.cases(study.id) if case.content.address == address), None)


def _save(view: View, studies: StudyStore, user_id: str, item_id: str | None, found: SavedCase | None) -> None:
    """Save the view, or change what is saved of it; keep what was typed when that fails."""
    who, name = fields.who(_PREFIX), str(st.session_state.get(_STUDY) or "")
    address, runs = url.query(), {"refined": view.entry.run.id}
    try:
        content = fields.judged(_PREFIX, CaseContent(view.dataset, user_id, item_id, runs, address))
        by_name = {study.name: study for study in studies.list()}
        known = fields.seen(_PREFIX) if found is not None else None
        if found is not None and known is not None and found.content.address == address:
            case, did = studies.change_case(known, fields.judged(_PREFIX, known.content), who), "Updated in"
            study = studies.find(case.study_id)
        else:
            study = by_name.get(" ".join(name.split())) or studies.create(name, who)
            case, did = studies.add(study.id, content, who), "Saved in"
    except ConflictError as error:
        if found is not None:
            fields.accept(_PREFIX, next((one for one in studies.cases(found.study_id) if one.id == found.id), None))
        st.session_state[_SAID] = error
        return
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(who)
    st.session_state[_STUDY] = study.name
    fields.read_again(_PREFIX, case)
    st.session_state[_SAID] = (did, study)


def _confirm(did: str, study: Study) -> None:
    """Say what was saved, with the way to it."""
    st.success(escaped(f"{did} {study.name}."), icon=":material/check:")
    st.page_link(
        _PAGE,
        label=f"Open {escaped(study.name)}",
        icon=":material/collections_bookmark:",
        query_params=url.link(study=study.id),
    )
