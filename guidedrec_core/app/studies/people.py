"""Part of the Studies page: tests put to people; one test with its link, its judges and its results."""

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from guidedrec_core.app import author, show, url
from guidedrec_core.app.errors import complain, escaped, way_on
from guidedrec_core.app.judging.results import show_results
from guidedrec_core.app.page import Frame
from guidedrec_core.app.studies.people_files import people_files
from guidedrec_core.errors import GuidedrecError, NotFoundError
from guidedrec_core.judging.analysis import judge_table
from guidedrec_core.judging.describe import about, progress
from guidedrec_core.judging.experiment import Experiment, Judge
from guidedrec_core.judging.store import ExperimentStore
from guidedrec_core.runs.titles import dataset_title

_SAID = "people_test_said"


def tests_listing(frame: Frame) -> None:
    """Show all tests."""
    store = ExperimentStore(frame.store.home)
    found, counts = store.list(), store.counts()
    st.subheader("Tests with people", anchor=False)
    if not found:
        st.write(
            "Ask colleagues which of two lists is better, or whether explanations help them to predict what is "
            "recommended: choose **New test**, then send them the link. They can answer on a phone."
        )
        return
    for test in found:
        with st.container(border=True, gap="xsmall"):
            st.button(
                f"**{escaped(test.name)}**",
                type="tertiary",
                icon=":material/how_to_vote:",
                key=f"open_test_{test.id}",
                on_click=url.update,
                kwargs={"test": test.id, "study": None, "saved": None, "results": None},
            )
            st.write(escaped(about(test, dataset_title(test.dataset))))
            closed = "" if test.is_open else " · closed"
            show.note(
                f"{progress(*counts.get(test.id, (0, 0)))}{closed} · made by {test.written.created_by} on "
                f"{test.written.created_at:%d %b %Y}"
            )


def people_test(frame: Frame) -> None:
    """Show the test in the address."""
    store = ExperimentStore(frame.store.home)
    try:
        test = store.find(frame.place["test"])
    except NotFoundError:
        way_on("This test no longer exists, or the link is mistyped.", "Show all studies", test=None, results=None)
    judges, answers = store.judges(test.id), store.answers(test)
    waiting = _unfinished(store, test)
    with frame.actions:
        if waiting is None:
            people_files(store, test)
        _change(store, test, len(answers))
    st.button(
        "All studies",
        type="tertiary",
        icon=":material/arrow_back:",
        key="all_studies",
        on_click=url.update,
        kwargs={"test": None, "results": None},
    )
    st.subheader(escaped(test.name), anchor=False)
    st.write(escaped(about(test, dataset_title(test.dataset))))
    made = test.written
    show.note(f"Made by {made.created_by} on {made.created_at:%d %b %Y, %H:%M} UTC.")
    said = st.session_state.pop(_SAID, None)
    if isinstance(said, GuidedrecError):
        complain(said)
    if test.is_open:
        st.write("Send this link to those who are to judge. It does not say what is compared.")
        st.code(judge_address(test), language=None, wrap_lines=True)
    else:
        st.info("Closed: nobody can answer any more.", icon=":material/lock:")
    st.subheader("What did they say?", anchor=False)
    if waiting is None:
        _results(store, test, frame.place.get("results") == "1")
    else:
        _wait(test, waiting)
    st.subheader("Who answered?", anchor=False)
    show.note(f"{progress(len(judges), len(answers))}.")
    if judges:
        show.table(
            judge_table(answers, judges),
            hide_index=True,
            key="judges",
            alt="Judges, when they answered, and how much",
            column_config={
                "judge": "Who",
                "began": st.column_config.DatetimeColumn("Began (UTC)", format="D MMM YYYY, HH:mm"),
                "last": st.column_config.DatetimeColumn("Last answer", format="D MMM YYYY, HH:mm"),
                "answered": "Answered",
                "skipped": "Skipped",
                "cases": "Of",
                "finished": st.column_config.CheckboxColumn("Finished"),
            },
        )


def judge_address(test: Experiment) -> str:
    """Return the address of the judges' page for a test, on the server that the visitor sees."""
    here = urlsplit(st.context.url or "")
    path = here.path.rstrip("/").rpartition("/")[0]
    return urlunsplit((here.scheme, here.netloc, f"{path}/{url.JUDGE}", urlencode({"test": test.id}), ""))


def _unfinished(store: ExperimentStore, test: Experiment) -> Judge | None:
    """Return the visitor as a judge whose own answers results would sway; None where there is no such reason."""
    name = author.name()
    judge = store.known(test.id, name) if name and test.is_open else None
    return None if judge is None or judge.finished else judge


def _wait(test: Experiment, judge: Judge) -> None:
    """Send a judge to the cases that are left."""
    st.info(
        escaped(
            f"{judge.name}, you have answered {len(judge.answered)} of {len(judge.plan)} cases. The results are shown "
            "when you are done, so that they do not sway you."
        ),
        icon=":material/visibility_off:",
    )
    st.page_link(
        "pages/10_Judge.py",
        label="Go on judging",
        icon=":material/how_to_vote:",
        query_params={"test": test.id, "judge": judge.id},
    )


def _results(store: ExperimentStore, test: Experiment, wanted: bool) -> None:
    """Show the results; while answers are taken, only when asked for."""
    if test.is_open and not wanted:
        show.note("If you are going to judge, too, do that first: results would sway you.")
        st.button(
            "Show the results",
            icon=":material/visibility:",
            key="show_results",
            on_click=url.update,
            kwargs={"results": "1"},
        )
        return
    show_results(store, test)


def _change(store: ExperimentStore, test: Experiment, n_answers: int) -> None:
    """Offer to close the test, to open it again, and, without answers, to delete it."""
    icon = ":material/lock:" if test.is_open else ":material/lock_open:"
    with st.popover("Close" if test.is_open else "Reopen", icon=icon, key="change_test"):
        if test.is_open:
            st.write("Take no more answers? It can be opened again.")
        else:
            st.write("Take answers again?")
        st.text_input("Your name", key="change_test_who", value=author.name(), max_chars=80)
        st.button(
            "Close the test" if test.is_open else "Open the test",
            type="primary",
            key="set_open",
            on_click=_act,
            args=(store, test, "open"),
        )
        if not n_answers:
            st.button("Delete the test", key="delete_test", on_click=_act, args=(store, test, "delete"))


def _act(store: ExperimentStore, test: Experiment, what: str) -> None:
    who = str(st.session_state.get("change_test_who") or "")
    try:
        if what == "delete":
            store.delete(test, who)
            url.update(test=None, results=None)
        else:
            store.set_open(test, not test.is_open, who)
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(who)
