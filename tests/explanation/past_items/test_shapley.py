"""Shapley values over a history: they add up, equal the definition, and know their own error."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from small_models import KINDS, MAKERS, USER_SCORES, additive, base_of, head, literal, neighbours
from uncompiled import uncompiled_shap

from guidedrec_core.explanation.past_items.shapley import base_history_shapley, exact_shapley, history_shapley, warm_up
from guidedrec_core.explanation.question import Question

HISTORY = np.array([3, 7, 3, 12, 24, 8, 19])  # one item twice, one without training events, longer than the window
ITEM = 5


@pytest.fixture
def shap() -> None:
    """Load shap without the ten seconds in which it compiles what a test calls a few times."""
    uncompiled_shap()


class Counting:
    """A refined model that notes what it is asked to score."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.asked: list[bytes] = []

    def item_values(self) -> Any:
        return self.model.item_values()

    def parts(self, users: Any, histories: Any, items: Any = None) -> Any:
        self.asked += [history.tobytes() for history in histories]
        return self.model.parts(users, histories, items)


def parts_of(model: Any, user: int, history: np.ndarray, item: int = ITEM) -> np.ndarray:
    """Return contributions and remainder, ``[A + 1]``."""
    parts = model.parts(np.array([user]), [history], np.array([item]))
    return np.append(parts.slopes[0].astype(float) * model.item_values()[item], parts.remainder[0, 0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", MAKERS)
def test_rows_columns_and_all_of_it_add_up(form: str, kind: str) -> None:
    model = MAKERS[form](kind)
    for user, history in ((2, HISTORY), (-1, HISTORY[:1]), (0, HISTORY[:0])):
        shares = history_shapley(model, Question(user, history, ITEM))
        score = model.scores(np.array([user]), [history])[0, ITEM]
        assert shares.matrix.shape == (len(history), model.n_attributes + 1)
        assert shares.score == pytest.approx(score, abs=1e-5)
        whole, alone = parts_of(model, user, history), parts_of(model, user, history[:0])
        np.testing.assert_allclose(shares.matrix.sum(axis=0), whole - alone, atol=1e-5)
        np.testing.assert_allclose(shares.alone, alone, atol=1e-5)
        assert shares.values.sum() + shares.alone.sum() + shares.bias == pytest.approx(shares.score)
        np.testing.assert_array_equal(shares.items, history)
        np.testing.assert_array_equal(shares.positions, np.arange(len(history)))
        assert (shares.exact, shares.grouped, shares.n_evaluations) == (True, 1, 2 ** len(history))
        dropped = [np.delete(history, position) for position in range(len(history))]
        scores = model.scores(np.full(len(dropped), user), dropped)[:, ITEM]
        np.testing.assert_allclose(shares.without, scores, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_base_values_add_up_to_the_base_score(kind: str) -> None:
    model = base_of(kind)
    shares = base_history_shapley(model, Question(1, HISTORY, ITEM))
    assert shares.matrix.shape == (len(HISTORY), 1)
    assert shares.score == pytest.approx(model.scores(np.array([1]), [HISTORY])[0, ITEM], abs=1e-5)
    empty = model.scores(np.array([1]), [HISTORY[:0]])[0, ITEM]
    assert shares.alone[0] + shares.bias == pytest.approx(empty, abs=1e-5)


@pytest.mark.parametrize("form", ["anchored", "literal", "head-beside-item-knn"])
def test_exact_values_are_the_average_over_all_orders_of_joining(form: str) -> None:
    model, history = MAKERS[form]("sasrec"), HISTORY[:4]
    expected = np.zeros((4, model.n_attributes + 1))
    for order in permutations(range(4)):
        before = parts_of(model, 4, history[:0])
        for count, position in enumerate(order, start=1):
            after = parts_of(model, 4, history[np.sort(order[:count])])
            expected[position] += (after - before) / 24
            before = after
    shares = history_shapley(model, Question(4, history, ITEM))
    np.testing.assert_allclose(shares.matrix, expected, atol=1e-6)
    assert np.abs(expected).max() > 0.05


def test_players_who_add_up_get_what_they_bring_and_twins_the_same() -> None:
    coalitions = np.arange(16)[:, None] >> np.arange(4) & 1
    brought = np.array([1.0, -2.0, 0.5, 0.0])
    together = (coalitions[:, 0] & coalitions[:, 1]) * 6.0
    values = exact_shapley(np.stack([coalitions @ brought, together], axis=1))
    np.testing.assert_allclose(values[:, 0], brought, atol=1e-12)
    np.testing.assert_allclose(values[:, 1], [3, 3, 0, 0], atol=1e-12)


def test_scores_of_users_are_what_stands_without_any_history() -> None:
    model = additive("sasrec")
    known, unknown = (history_shapley(model, Question(user, HISTORY[:3], ITEM)) for user in (2, -1))
    assert np.abs(known.alone - unknown.alone)[:-1].max() > 0.01
    prior = model.user_score_weight.detach().numpy() * USER_SCORES[2]
    expected = model.weights() * prior * model.item_values()[ITEM]
    np.testing.assert_allclose(known.alone[:-1] - unknown.alone[:-1], expected, atol=1e-5)


def test_every_coalition_is_scored_once(shap: None) -> None:
    distinct = np.arange(9)  # so that coalitions are told apart by their items
    for options in ({}, {"exact_up_to": 0, "evaluations": 900}):
        model = Counting(literal("sasrec"))
        shares = history_shapley(model, Question(0, distinct, ITEM), **options)
        coalitions = model.asked[1:]  # first the bias is read off the whole history
        assert len(coalitions) == len(set(coalitions)) == shares.n_evaluations
    assert shares.n_evaluations < 512


def test_sampled_values_lie_within_their_own_error(shap: None) -> None:
    """The error is of the mean over orders, each with its reverse: neither too small nor too large by half."""
    model, history = head(base_of("sasrec"), literal("sasrec")), np.array([3, 7, 9, 12, 20, 8])
    exact = history_shapley(model, Question(2, history, ITEM))
    far, far_cells = [], []
    for seed in range(50):
        drawn = history_shapley(model, Question(2, history, ITEM), seed=seed, evaluations=12 * 25, exact_up_to=0)
        assert not drawn.exact
        np.testing.assert_allclose(drawn.matrix.sum(axis=0), exact.matrix.sum(axis=0), atol=1e-6)
        np.testing.assert_allclose(drawn.without, exact.without, atol=1e-6)
        far.append((drawn.values - exact.values) / drawn.errors)
        far_cells.append((drawn.matrix - exact.matrix) / drawn.cell_errors)
    for each in (np.array(far), np.array(far_cells)):
        assert 0.7 < np.sqrt(np.mean(each**2)) < 1.35
        assert np.mean(np.abs(each) < 2) > 0.9
        assert np.abs(each.mean()) < 0.2


def test_drawing_is_seeded_and_leaves_numpys_generator_alone(shap: None) -> None:
    model, question = literal("gru4rec"), Question(0, np.arange(8), ITEM)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (
        history_shapley(model, question, seed=seed, evaluations=1, exact_up_to=0) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    np.testing.assert_array_equal(first.matrix, again.matrix)
    assert np.abs(first.matrix - other.matrix).max() > 0


def test_positions_beyond_the_newest_share_a_row() -> None:
    model = additive("bert4rec")
    shares = history_shapley(model, Question(2, HISTORY, ITEM), most=3)
    assert (shares.grouped, shares.positions.tolist(), shares.items.tolist()) == (5, [4, 5, 6], [24, 8, 19])
    worths = []
    for coalition in range(8):
        kept = (
            [HISTORY[:5]] * (coalition & 1) + [HISTORY[5:6]] * (coalition >> 1 & 1) + [HISTORY[6:]] * (coalition >> 2)
        )
        worths.append(parts_of(model, 2, np.concatenate([*kept, np.empty(0, np.int64)])))
    np.testing.assert_allclose(shares.matrix, exact_shapley(np.array(worths)), atol=1e-6)
    assert shares.score == pytest.approx(model.scores(np.array([2]), [HISTORY])[0, ITEM], abs=1e-5)


def test_a_known_additive_score_goes_to_whom_it_belongs() -> None:
    """Nearest neighbours weigh each item of the history by itself: likeness times fading is what it brought."""
    beside = neighbours()
    model = head(None, beside=beside)
    shares = history_shapley(model, Question(-1, HISTORY, ITEM))
    alone = np.array([beside.scores(np.array([-1]), [HISTORY[[p]]])[0, ITEM] for p in range(len(HISTORY))])
    np.testing.assert_allclose(shares.matrix[:, -1], 1.7 * alone, atol=1e-5)


def test_warming_up_leaves_the_global_generator_alone(shap) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    warm_up()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
