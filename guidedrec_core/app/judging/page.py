"""The judges' page: who you are, one case after the other, and the results when the test is closed."""

import streamlit as st

from guidedrec_core.app import author, loaders, show, url
from guidedrec_core.app.errors import complain, escaped
from guidedrec_core.app.judging import frame
from guidedrec_core.app.judging.case import show_case
from guidedrec_core.app.judging.results import show_results
from guidedrec_core.errors import GuidedrecError, NotFoundError
from guidedrec_core.judging.experiment import Experiment, Judge, next_turn
from guidedrec_core.judging.store import LONGEST_PERSON, ExperimentStore

_NAME, _SAID = "judge_name", "judge_begin_said"


def judge_page() -> None:
    """Show what the address asks for."""
    place = frame.begin()
    with st.container(key=frame.KEY):
        store = ExperimentStore(loaders.store().home)
        try:
            _page(store, place.get("test", ""), place.get("judge", ""))
        except GuidedrecError as error:
            complain(error)


def _page(store: ExperimentStore, test: str, judge_id: str) -> None:
    experiment = _found(store, test)
    if experiment is None:
        st.title("Which one is better?", anchor=False)
        st.info(
            "Here people compare recommendations. The link to a test is missing or mistyped: ask whoever sent it.",
            icon=":material/link_off:",
        )
        return
    verb = experiment.content.words
    if experiment.kind == "taste_test":
        st.title(f"Which list is better for this {verb.user}?", anchor=False)
    else:
        st.title(f"Which item is in this {verb.user}'s top {experiment.content.length:d}?", anchor=False)
    judge = _judge(store, experiment, judge_id)
    if judge is None:
        _welcome(store, experiment)
        return
    turn = next_turn(experiment, judge)
    if turn is None:
        _thanks(store, experiment, judge)
    elif not experiment.is_open:
        done = f"This test is closed. Thank you: your {_cases(len(judge.answered))} count."
        st.info(escaped(done), icon=":material/lock:")
    else:
        show_case(store, experiment, judge, turn)


def _found(store: ExperimentStore, test: str) -> Experiment | None:
    try:
        found = store.find(test) if test else None
    except NotFoundError:
        return None
    return found if found is not None and found.id == test else None  # names may be guessed


def _judge(store: ExperimentStore, experiment: Experiment, judge_id: str) -> Judge | None:
    try:
        judge = store.judge(judge_id) if judge_id else None
    except NotFoundError:
        return None
    return judge if judge is not None and judge.experiment_id == experiment.id else None


def _welcome(store: ExperimentStore, experiment: Experiment) -> None:
    """Say what is asked, and ask for a name."""
    if not experiment.is_open:
        st.info("This test is closed; it takes no more answers.", icon=":material/lock:")
        return
    content, verb = experiment.content, experiment.content.words
    number = content.per_judge
    people = verb.count_users(number)
    if experiment.kind == "taste_test":
        st.write(
            f"You will see {people}, each with two lists of recommendations. Choose the list that you think is better "
            "for them. There is no right answer."
        )
    else:
        st.write(
            f"You will see {people}, each with two items. One of them is in the top {content.length:d} that a "
            "recommender chose for them. Say which, and how sure you are. Sometimes you are told how the recommender "
            "weighs the items."
        )
    if content.note.strip():
        st.write(escaped(content.note))
    show.note("Every answer is saved at once. You can stop at any time and go on later with the same name.")
    if _NAME not in st.session_state:
        st.session_state[_NAME] = author.name()
    name = st.text_input("Your name", key=_NAME, max_chars=LONGEST_PERSON)
    known = _same_name(store, experiment, name)
    if known is None:
        st.button(
            "Begin", type="primary", width="stretch", key="begin", on_click=_begin, args=(store, experiment, False)
        )
    else:
        st.info(
            escaped(
                f"{known.name} has answered {len(known.answered)} of {len(known.plan)} here, since "
                f"{known.written.created_at:%d %b %Y}. Is that you? If not, enter another name, e.g. with your surname."
            ),
            icon=":material/person:",
        )
        st.button(
            "Yes, go on", type="primary", width="stretch", key="go_on", on_click=_begin, args=(store, experiment, True)
        )
    said = st.session_state.pop(_SAID, None)
    if isinstance(said, GuidedrecError):
        complain(said)


def _same_name(store: ExperimentStore, experiment: Experiment, name: str) -> Judge | None:
    return store.known(experiment.id, name) if name.strip() else None


def _begin(store: ExperimentStore, experiment: Experiment, confirmed: bool) -> None:
    """Begin, or go on; a name that is known here is asked about first."""
    name = str(st.session_state.get(_NAME) or "")
    try:
        if not confirmed and _same_name(store, experiment, name) is not None:
            return
        judge = store.begin(experiment.id, name)
    except GuidedrecError as error:
        st.session_state[_SAID] = error
        return
    author.remember(judge.name)
    url.update(judge=judge.id)


def _thanks(store: ExperimentStore, experiment: Experiment, judge: Judge) -> None:
    """Thank; what has been found is shown once nobody answers any more, for judges talk to each other."""
    st.success(
        escaped(f"Thank you, {judge.name}. You have been through all {_cases(len(judge.plan))}."),
        icon=":material/check:",
    )
    if experiment.kind == "prediction":
        show.note(
            "Some of the bars you saw were placebos: the same lines with shuffled values. They show what comes from an "
            "explanation's content, and not from being given one."
        )
    if experiment.is_open:
        show.note("The results are shown here, at the same address, when the test is closed.")
        return
    show_results(store, experiment)


def _cases(number: int) -> str:
    return "1 case" if number == 1 else f"{number:,} cases"
