"""The order in which past items hold a recommendation: the best where all orders are compared, near it elsewhere."""

from itertools import permutations

import numpy as np
import pytest
from small_models import KINDS, MAKERS, random_questions

from guidedrec_core.errors import InputError
from guidedrec_core.explanation.past_items.removal_order import removal_order
from guidedrec_core.explanation.past_items.standing import Standing
from guidedrec_core.explanation.question import Question


class Additive:
    """Item 0 scores what the items of the history bring; all others score 0."""

    def __init__(self, brought: np.ndarray) -> None:
        self.brought = brought
        self.n_items = len(brought)

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        scores = np.zeros((len(histories), self.n_items), np.float32)
        scores[:, 0] = [self.brought[history].sum() - 2 for history in histories]
        return scores


def area(standing: Standing, order: np.ndarray) -> float:
    """Return what the order is chosen by, written out from the definition."""
    total = 0.0
    for j in range(1, len(order) + 1):
        for side, probability, lists in ((order[:j], 25, 1), (order[j:], -80, -2)):
            kept = np.isin(np.arange(len(order)), side)[None]
            place = standing(kept)
            rank = place.ranks[0]
            in_lists = np.mean([rank <= k for k in (1, 5, 10, 20, 50, 100)])
            total += probability * place.probabilities[0] + np.sign(probability) / np.log2(rank + 1) + lists * in_lists
    return float(total)


@pytest.mark.parametrize("kind", KINDS)
def test_no_order_of_few_positions_is_better(kind: str) -> None:
    model = MAKERS["anchored-beside-item-knn"](kind)
    for question in random_questions(25, longest=7, count=4):
        found = removal_order(model, question)
        standing = Standing(model, question)
        best = max(area(standing, np.array(order)) for order in permutations(range(len(question.history))))
        assert found.exact
        assert area(standing, found.order) == pytest.approx(best, abs=1e-6)


def test_planted_effects_are_found_in_order() -> None:
    rng = np.random.default_rng(0)
    for n in (6, 14):
        brought = rng.permutation(np.linspace(-1, 2, 30))
        model = Additive(brought)
        history = rng.permutation(np.arange(1, 30))[:n]
        found = removal_order(model, Question(0, history, 0), evaluations=400)
        assert found.exact == (n == 6)
        np.testing.assert_array_equal(found.order, np.argsort(-brought[history]))
        np.testing.assert_array_equal(np.argsort(-found.importance), found.order)
        assert sorted(found.importance) == list(range(1, n + 1))


def test_the_search_comes_near_the_best_order() -> None:
    model = MAKERS["additive"]("sasrec")
    rng = np.random.default_rng(1)
    shares = []
    for user in range(8):
        history = rng.permutation(25)[:8]
        question = Question(user, history[1:], int(history[0]))
        best = removal_order(model, question)
        near = removal_order(model, question, exact_up_to=0, evaluations=60)
        assert not near.exact
        standing = Standing(model, question)
        drawn = [area(standing, rng.permutation(7)) for _ in range(20)]
        highest, found = area(standing, best.order), area(standing, near.order)
        assert highest >= found - 1e-6
        shares.append((found - np.mean(drawn)) / (highest - np.mean(drawn)))
    assert np.mean(shares) > 0.98


def test_places_along_the_order_are_those_of_the_model() -> None:
    model = MAKERS["additive"]("gru4rec")
    history = np.array([3, 7, 3, 12])
    found = removal_order(model, Question(1, history, 5))
    standing = Standing(model, Question(1, history, 5))
    for j in range(5):
        first = np.isin(np.arange(4), found.order[:j])[None]
        assert found.alone.probabilities[j] == pytest.approx(standing(first).probabilities[0], rel=1e-5)
        assert found.without.ranks[j] == standing(~first).ranks[0]
    assert found.n_evaluations == 16


def test_seeds_repeat_it_and_short_histories_have_one_order() -> None:
    model = MAKERS["additive"]("sasrec")
    question = Question(1, np.arange(12), 20)
    first, second = (removal_order(model, question, seed=3, evaluations=200) for _ in range(2))
    np.testing.assert_array_equal(first.order, second.order)
    assert removal_order(model, Question(1, np.array([4]), 20)).order.tolist() == [0]
    assert removal_order(model, Question(1, np.array([], dtype=np.int64), 20)).order.tolist() == []
    with pytest.raises(InputError):
        removal_order(model, Question(1, np.arange(4), 2))
