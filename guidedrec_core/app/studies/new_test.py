"""Part of the Studies page: making a test that people answer."""

from collections.abc import Mapping

import streamlit as st

from guidedrec_core.app import author, loaders, show, url
from guidedrec_core.app.errors import complain
from guidedrec_core.app.page import Frame
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.judging.content import JUDGEMENT_KINDS, Content, JudgementKind
from guidedrec_core.judging.describe import KIND_WORDS
from guidedrec_core.judging.power import answers_for_difference, answers_for_share
from guidedrec_core.judging.prediction import new_prediction_test
from guidedrec_core.judging.store import ExperimentStore
from guidedrec_core.judging.taste import new_taste_test, offered
from guidedrec_core.runs.library import RefinedEntry, refined_entries
from guidedrec_core.runs.titles import dataset_title, run_titles
from guidedrec_core.studies.study import LONGEST_NAME

_MOST_CASES, _MOST_LENGTH = 200, 10


def new_test(frame: Frame) -> None:
    """Show the menu "New test"."""
    opened = st.popover("New test", icon=":material/how_to_vote:", key="new_test", on_change="rerun")
    if opened.open:
        with opened:
            entries = refined_entries(frame.store)
            if entries:
                _form(frame, {entry.run.id: entry for entry in entries})
            else:
                st.write("A test compares recommendations: build a model first.")


def _form(frame: Frame, entries: Mapping[str, RefinedEntry]) -> None:
    kind: JudgementKind = st.segmented_control(
        "What do people decide?",
        JUDGEMENT_KINDS,
        format_func=KIND_WORDS.__getitem__,
        default=JUDGEMENT_KINDS[0],
        required=True,
        key="new_test_kind",
        help="Taste test: which of two lists is better. Prediction test: which of two items is recommended, with and "
        "without an explanation.",
    )
    left, right = st.columns(2)
    name = left.text_input("Name", key="new_test_name", max_chars=LONGEST_NAME, help="Judges do not see it.")
    who = right.text_input("Your name", key="new_test_who", value=author.name(), max_chars=80)
    ids = list(entries)
    here = url.current().get("run")
    titles = run_titles(list(entries.values()))
    run_id = st.selectbox(
        "Run",
        ids,
        index=ids.index(here) if here in ids else 0,
        format_func=lambda run: f"{dataset_title(str(entries[run].data.config['name']))}: {titles[run]}",
        key="new_test_run",
    )
    entry = entries[run_id]
    first = second = ""
    if kind == "taste_test":
        names = offered(frame.store, entry)
        keys = list(names)
        left, right = st.columns(2)
        first = left.selectbox("Compare", keys, index=0, format_func=names.__getitem__, key="new_test_first")
        second = right.selectbox("with", keys, index=1, format_func=names.__getitem__, key="new_test_second")
    left, right = st.columns(2)
    cases = left.number_input("Cases", 1, _MOST_CASES, 12, key="new_test_cases", help="Drawn at random.")
    length = right.number_input("Items in a list", 1, _MOST_LENGTH, 5, key="new_test_length")
    note = st.text_area(
        "What judges are told first", key="new_test_note", height=80, max_chars=2_000, placeholder="Optional"
    )
    needed = answers_for_share() if kind == "taste_test" else 3 * answers_for_difference(0.2, 0.6)
    of = "10 points from an even split" if kind == "taste_test" else "20 points between two arms"
    show.note(
        f"About {needed:,} answers are needed to see a difference of {of} with 80 % power, more where judges or cases "
        "differ much. Decide how many people you ask before you look at results."
    )
    trouble = st.container()  # below the button it would be out of sight
    if st.button("Make the test", type="primary", icon=":material/add:", key="make_test"):
        with trouble:
            _make(frame, kind, entry, name, who, first, second, int(cases), int(length), note)


def _make(
    frame: Frame, kind: JudgementKind, entry: RefinedEntry, name: str, who: str, first: str, second: str, cases: int,
    length: int, note: str,
) -> None:  # fmt: skip
    """Draw the cases, store the test and open it, or say why not and keep what was typed."""
    try:
        with st.spinner("Drawing cases"):
            content, runs = _drawn(frame, kind, entry, first, second, cases, length, note)
        made = ExperimentStore(frame.store.home).create(name, str(entry.data.config["name"]), runs, content, who)
    except GuidedrecError as error:
        complain(error)
        return
    author.remember(who)
    url.update(test=made.id, study=None, saved=None, results=None)
    st.rerun()


def _drawn(
    frame: Frame, kind: JudgementKind, entry: RefinedEntry, first: str, second: str, cases: int, length: int, note: str
) -> tuple[Content, dict[str, str]]:
    if kind == "taste_test":
        return new_taste_test(
            frame.store, entry, first, second, loaders.system, cases=cases, length=length, note=note,
            lock=loaders.MODEL_LOCK,
        )  # fmt: skip
    return new_prediction_test(entry, loaders.system, cases=cases, length=length, note=note, lock=loaders.MODEL_LOCK)
