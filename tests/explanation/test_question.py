"""A question is checked when it is made, and gives models what they take."""

from typing import Any

import numpy as np
import pytest

from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.explanation.question import DEFAULT_K, Question, UserHistory
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

HISTORY = np.array([4, 2, 4])


@pytest.fixture(scope="module")
def system(tiny_build: Build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


def test_models_get_one_row_of_everything() -> None:
    question = Question(3, HISTORY, 7)
    assert question.users.tolist() == [3]
    assert [each.tolist() for each in question.histories] == [[4, 2, 4]]
    assert question.items.tolist() == [7]
    assert question.users.dtype == question.items.dtype == np.int64
    assert question.k == DEFAULT_K == 10


def test_the_rest_stays_when_item_or_history_change() -> None:
    question = UserHistory(3, HISTORY).ask(7, k=5)
    other = question.with_item(2)
    assert (other.user, other.item, other.k, other.history is HISTORY) == (3, 2, 5, True)
    later = question.with_history(HISTORY[1:])
    assert (later.user, later.item, later.k, later.history.tolist()) == (3, 7, 5, [2, 4])
    assert (question.item, question.history is HISTORY) == (7, True)


def test_an_item_of_the_history_is_seen_and_refused_where_a_rank_is_needed() -> None:
    question = Question(-1, HISTORY, 7)
    assert not question.seen
    question.require_unseen()
    assert question.with_item(2).seen
    with pytest.raises(InputError, match="got number 2 of the history; choose another"):
        question.with_item(2).require_unseen()
    assert not question.with_history(np.empty(0, np.int64)).seen


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user": -2}, "expected a user index from 0, or -1 for somebody unknown, got -2"),
        ({"item": -1}, "expected an item index from 0, got -1"),
        ({"k": 0}, "expected a list of at least one item, got k = 0"),
        ({"history": [4, 2]}, "one-dimensional array of item indexes, oldest first, got list"),
        ({"history": np.array([])}, r"got ndarray with shape \(0,\) and dtype float64; an empty one is np.array"),
        ({"history": HISTORY[None]}, r"got ndarray with shape \(1, 3\)"),
        ({"history": np.array(["4"])}, "dtype <U1"),
        ({"history": np.array([4, -1])}, "expected item indexes from 0 in the history, got -1; leave padding out"),
    ],
)
def test_what_no_model_can_be_asked_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Question(**{"user": 0, "history": HISTORY, "item": 7, **change})


def test_a_question_by_ids_is_about_what_the_data_set_shows(system: RefinedRecommender) -> None:
    for shown in ("full", "train"):
        data = system.data.showing(shown)
        question = Question.of(data, "user-03", "item-05", k=4)
        assert question.user == data.dataset.users.index("user-03")
        assert question.item == data.dataset.items.index("item-05")
        assert question.k == 4
        np.testing.assert_array_equal(question.history, data.shown_history(question.user))
        np.testing.assert_array_equal(UserHistory.shown(data, question.user).history, question.history)
    with pytest.raises(UnknownIdError, match="unknown user id: 'nobody'"):
        Question.of(system.data, "nobody", "item-05")
    with pytest.raises(UnknownIdError, match="unknown item id: 'nothing'"):
        Question.of(system.data, "user-03", "nothing")
