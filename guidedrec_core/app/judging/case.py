"""One case as a judge sees it: the customer, two lists or two items, and the answer. Nothing tells which is which."""

import streamlit as st

from guidedrec_core.app import show
from guidedrec_core.app.errors import complain
from guidedrec_core.app.judging import frame
from guidedrec_core.app.judging.cards import LETTERS, customer_html, items_html, lists_html
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.figures.theme import palette
from guidedrec_core.judging.content import SIDES, Content, Customer, PredictionCase, ShownItem, Side
from guidedrec_core.judging.experiment import Experiment, Judge, Turn
from guidedrec_core.judging.store import ExperimentStore

_SURE = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_SAID = "judge_said"


def show_case(store: ExperimentStore, experiment: Experiment, judge: Judge, turn: Turn) -> None:
    """Show the next case of a judge with its question.

    Parameters
    ----------
    store : ExperimentStore
        Where the answer goes.
    experiment : Experiment
        The test.
    judge : Judge
        Who answers.
    turn : Turn
        What to show.
    """
    content, case = experiment.content, turn.case
    st.progress(turn.position / len(judge.plan), text=f"{turn.position + 1:d} of {len(judge.plan)}")
    said = st.session_state.pop(_SAID, None)
    if isinstance(said, GuidedrecError):
        complain(said)
    _customer(content, case.customer)
    if isinstance(case, PredictionCase):
        _items(case, turn)
    else:
        _lists(*case.sides(turn.slot.side))
    _question(store, content, judge, turn)
    frame.to_top(turn.position)


def _customer(content: Content, customer: Customer) -> None:
    words = content.words
    if not customer.history:
        show.note(f"A new {words.user}, without any {words.nouns}.")
        return
    more = customer.n_history - len(customer.history)
    note = f"and {words.count(more, 'earlier')}" if more > 0 else ""
    st.html(customer_html(f"What this {words.user} {words.past} last", customer.history, note, palette(show.dark())))


def _lists(left: tuple[ShownItem, ...], right: tuple[ShownItem, ...]) -> None:
    both = {item.item_id for item in left} & {item.item_id for item in right}
    st.html(lists_html(left, right, both, palette(show.dark())))
    if both:
        show.note(f"Bold: only in one of both lists. {len(both)} of {len(left)} items are in both.")


def _items(case: PredictionCase, turn: Turn) -> None:
    left, right = case.sides(turn.slot.side)
    told = [option.told(turn.slot.arm) for option in (left, right)]  # type: ignore[arg-type]
    st.html(items_html((left.item, right.item), (told[0], told[1]), palette(show.dark())))
    if any(told):
        show.note(
            "The bars say what counts for an item (+) and against it (−) in the recommender's score, largest first."
        )


def _question(store: ExperimentStore, content: Content, judge: Judge, turn: Turn) -> None:
    case_id = turn.slot.case_id
    is_taste = content.kind == "taste_test"
    what = "List" if is_taste else "Item"
    key, sure_key = f"choice_{case_id}", f"sure_{case_id}"
    chosen: Side | None = st.segmented_control(
        "Your choice", SIDES, format_func=lambda side: f"{what} {LETTERS[side]}", key=key, width="stretch"
    )
    sure = None
    if not is_taste:
        sure = st.segmented_control(
            "How sure are you? 50 % is a guess, 100 % is certain.",
            _SURE,
            format_func=lambda value: f"{100 * value:.0f} %",
            key=sure_key,
            width="stretch",
            wrap=False,
        )
    ready = chosen is not None and (is_taste or sure is not None)
    st.button(
        "Save and go on",
        type="primary",
        width="stretch",
        disabled=not ready,
        key=f"next_{case_id}",
        on_click=_answer,
        args=(store, judge.id, case_id, chosen, sure),
    )
    st.button(
        "I cannot say: skip",
        type="tertiary",
        width="stretch",
        key=f"skip_{case_id}",
        on_click=_answer,
        args=(store, judge.id, case_id, None, None),
    )


def _answer(store: ExperimentStore, judge_id: str, case_id: str, side: Side | None, sure: float | None) -> None:
    """Write the answer at once; what was answered in another tab stays."""
    try:
        store.answer(judge_id, case_id, side, sure)
    except GuidedrecError as error:
        st.session_state[_SAID] = error
