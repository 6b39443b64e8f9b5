"""Part of the Studies page: all studies and tests; making one, and reading one from a file."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from guidedrec_core.app import author, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.page import Frame
from guidedrec_core.app.studies import counts
from guidedrec_core.app.studies.new_test import new_test
from guidedrec_core.app.studies.people import tests_listing
from guidedrec_core.errors import GuidedrecError, InputError
from guidedrec_core.studies.exchange import import_study
from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import LONGEST_NAME, LONGEST_TEXT, Study

_CASE_PAGE = "pages/1_Case_study.py"


def listing(frame: Frame) -> None:
    """Show all studies."""
    studies = StudyStore(frame.store.home)
    with frame.actions:
        _new(studies)
        new_test(frame)
        _import(studies)
    _studies(studies)
    tests_listing(frame)


def _studies(studies: StudyStore) -> None:
    found, verdicts = studies.list(), studies.verdict_counts()
    if not found:
        show.lead("Nothing is saved yet.")
        st.write("Open a case, look at it, and choose **Save** at the top right: it is kept here with your verdict.")
        st.page_link(
            _CASE_PAGE,
            label="Open the Case study",
            icon=":material/person_search:",
            query_params=url.link("Case_study"),
        )
        return
    number = "1 study" if len(found) == 1 else f"{len(found):,} studies"
    show.lead(f"{number} with {counts.count_words(counts.total(verdicts))}.")
    for study in found:
        written = study.written
        with st.container(border=True, gap="xsmall"):
            st.button(
                f"**{escaped(study.name)}**",
                type="tertiary",
                icon=":material/collections_bookmark:",
                key=f"open_{study.id}",
                on_click=url.update,
                kwargs={"study": study.id, "saved": None, "test": None},
            )
            if study.note.strip():
                st.write(escaped(study.note))
            words = counts.count_words(verdicts.get(study.id, {}))
            show.note(
                f"{words[:1].upper()}{words[1:]} · last changed by {written.changed_by} on "
                f"{written.changed_at:%d %b %Y, %H:%M} UTC"
            )


def _new(studies: StudyStore) -> None:
    with st.popover("New study", icon=":material/add:"), st.form("new_study", border=False):
        name = st.text_input("Name", key="new_study_name", max_chars=LONGEST_NAME)
        note = st.text_area("What it is about", key="new_study_note", height=80, max_chars=LONGEST_TEXT)
        who = st.text_input("Your name", value=author.name(), key="new_study_who", max_chars=80)
        if st.form_submit_button("Make it", type="primary", icon=":material/add:"):
            _make(lambda: studies.create(name, who, note), who)


def _import(studies: StudyStore) -> None:
    with st.popover("Import", icon=":material/upload_file:"), st.form("import_study", border=False):
        given = st.file_uploader("A study as JSON", type="json", key="import_study_file")
        name = st.text_input(
            "Another name", key="import_study_name", max_chars=LONGEST_NAME, placeholder="The one in the file"
        )
        who = st.text_input("Your name", value=author.name(), key="import_study_who", max_chars=80)
        if st.form_submit_button("Import", type="primary", icon=":material/upload_file:"):
            _make(lambda: _read(studies, None if given is None else given.getvalue(), who, name), who)


def _read(studies: StudyStore, content: bytes | None, who: str, name: str) -> Study:
    if content is None:
        raise InputError("choose a file first")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.json"
        path.write_bytes(content)
        try:
            return import_study(studies, path, who, name.strip() or None)
        except InputError as error:
            # The visitor knows the file by another name than this one.
            raise InputError(str(error).replace(str(path), "the file")) from error


def _make(act: Callable[[], Study], who: str) -> None:
    """Make a study and open it, or say why not and keep what was typed."""
    try:
        made = act()
    except GuidedrecError as error:
        complain(error)
        return
    author.remember(who)
    url.update(study=made.id)
    st.rerun()
