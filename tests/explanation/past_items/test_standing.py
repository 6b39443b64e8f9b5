"""Where an item stands with parts of a history: as the model itself says, each part asked for once."""

import numpy as np
import pytest
from small_models import KINDS, MAKERS, N_ITEMS

from guidedrec_core.errors import InputError
from guidedrec_core.explanation.past_items.standing import Standing
from guidedrec_core.explanation.question import Question

HISTORY = np.array([3, 7, 3, 12, 24, 8, 19])


class Counting:
    """Scores an item by its number less the history's length, and notes what it is shown."""

    n_items = 6

    def __init__(self) -> None:
        self.shown: list[list[int]] = []

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        self.shown += [history.tolist() for history in histories]
        lengths = np.array([[len(history)] for history in histories], np.float32)
        return np.arange(self.n_items, dtype=np.float32) * (1 - lengths)


def test_what_is_kept_keeps_its_order_and_is_scored_once() -> None:
    model = Counting()
    standing = Standing(model, Question(2, np.array([4, 1, 5]), 3))
    kept = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1]], dtype=bool)
    first, second = standing(kept), standing(kept[1:])
    assert sorted(model.shown) == [[], [4, 5]]
    assert standing.n_evaluations == 2
    np.testing.assert_array_equal(first.ranks[1:], second.ranks)
    # Unseen are 0, 2 and 3. Two items shown: scores 0, -2, -3; none: 0, 2, 3.
    np.testing.assert_array_equal(first.ranks, [3, 1, 3])
    np.testing.assert_array_equal(first.scores, [-3, 3, -3])
    expected = np.exp([-3, 3]) / np.exp([[0, -2, -3], [0, 2, 3]]).sum(axis=1)
    np.testing.assert_allclose(first.probabilities, expected[[0, 1, 0]], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_agrees_with_the_model_asked_one_by_one(kind: str) -> None:
    model = MAKERS["anchored-beside-item-knn"](kind)
    kept = np.random.default_rng(0).random((9, len(HISTORY))) < 0.5
    found = Standing(model, Question(2, HISTORY, 5))(kept)
    unseen = np.setdiff1d(np.arange(N_ITEMS), HISTORY)
    for row, mask in enumerate(kept):
        scores = model.scores(np.array([2]), [HISTORY[mask]])[0].astype(float)
        assert found.scores[row] == pytest.approx(scores[5], abs=1e-5)
        assert found.probabilities[row] == pytest.approx(np.exp(scores[5]) / np.exp(scores[unseen]).sum(), rel=1e-4)
        assert found.ranks[row] == 1 + (scores[unseen] > scores[5] + 1e-6).sum()


def test_an_item_of_the_history_has_no_standing() -> None:
    with pytest.raises(InputError, match="expected an item that is not in the history"):
        Standing(Counting(), Question(0, np.array([4, 1]), 4))


def test_the_oldest_are_kept_or_removed_together() -> None:
    model = Counting()
    standing = Standing(model, Question(2, np.array([4, 1, 5, 0]), 3), most=2)
    assert (standing.n_positions, standing.grouped) == (2, 3)
    standing(np.array([[1, 0], [0, 1]], dtype=bool))
    assert sorted(model.shown) == [[0], [4, 1, 5]]
