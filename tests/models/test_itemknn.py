from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import arrays

from guidedrec_core.config import ItemKNNConfig
from guidedrec_core.errors import ConfigError
from guidedrec_core.models.itemknn import ItemKNNModel


def brute_force(taken: list[tuple[int, int]], n_items: int, neighbours: int, history: list[int]) -> list[float]:
    """Score by the definition, with exact comparisons of squared cosines."""
    buyers = [{user for user, item in taken if item == i} for i in range(n_items)]
    scores = []
    for item in range(n_items):
        squared = {
            other: Fraction(len(buyers[item] & buyers[other]) ** 2, len(buyers[item]) * len(buyers[other]))
            for other in range(n_items)
            if other != item and buyers[item] & buyers[other]
        }
        nearest = sorted(squared, key=lambda other: (-squared[other], other))[:neighbours]
        scores.append(sum(float(squared[other]) ** 0.5 for other in history if other in nearest))
    return scores


def fitted(taken: list[tuple[int, int]], n_items: int, neighbours: int, **weights: float) -> ItemKNNModel:
    pairs = np.array(taken, dtype=np.int64).reshape(-1, 2)
    config = ItemKNNConfig(neighbours=neighbours, **weights)
    return ItemKNNModel(pairs[:, 0], pairs[:, 1], int(pairs[:, 0].max(initial=0)) + 1, n_items, config)


def slow_in_order(taken: list[tuple[int, int]], n_items: int, config: ItemKNNConfig, history: list[int]) -> list[float]:
    """Score by the definition of the recency-weighted form, all neighbours kept."""
    orders: dict[int, list[int]] = {}
    for user, item in taken:
        if item not in orders.setdefault(user, []):
            orders[user].append(item)
    takers = [sum(item in order for order in orders.values()) for item in range(n_items)]

    def similarity(candidate: int, item: int) -> float:
        total = 0.0
        for order in orders.values():
            if candidate != item and candidate in order and item in order:
                steps = order.index(candidate) - order.index(item)
                total += config.closeness ** (abs(steps) - 1) * (1.0 if steps > 0 else config.backward)
        return total / (takers[candidate] * takers[item]) ** 0.5 if total else 0.0

    weights = [config.decay**back for back in range(len(history))][::-1]
    return [sum(w * similarity(i, j) for w, j in zip(weights, history, strict=True)) for i in range(n_items)]


def test_a_hand_made_example() -> None:
    # Item 0 is taken by users a, b; item 1 by a, b; item 2 by b; item 3 by nobody.
    model = fitted([(0, 0), (1, 0), (0, 1), (1, 1), (1, 2)], 4, neighbours=5)
    scores = model.scores(np.array([0]), arrays([[0]]))[0]
    np.testing.assert_allclose(scores, [0, 1, 2**-0.5, 0], rtol=1e-6)
    assert model.scores(np.array([0]), arrays([[]])).tolist() == [[0, 0, 0, 0]]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 8)), min_size=1, max_size=50),
    st.integers(1, 5),
    st.lists(st.integers(0, 8), max_size=6, unique=True),
)
def test_the_brute_force_agrees_ties_included(
    taken: list[tuple[int, int]], neighbours: int, history: list[int]
) -> None:
    scores = fitted(taken, 9, neighbours).scores(np.array([0]), arrays([history]))[0]
    np.testing.assert_allclose(scores, brute_force(taken, 9, neighbours, history), rtol=1e-5, atol=1e-6)


def test_equal_likeness_is_equal_whatever_the_numbers_behind_it() -> None:
    """Cosines 2/sqrt(6*4) of item 1 and 3/sqrt(6*9) of item 2 are equal, so item 1 is the one neighbour kept."""
    buyers = [range(6), [0, 1, 20, 21], [0, 1, 2, 20, 21, 22, 23, 24, 25]]
    model = fitted([(user, item) for item, users in enumerate(buyers) for user in users], 3, neighbours=1)
    assert model.similarity.toarray()[0].nonzero()[0].tolist() == [1]


@pytest.mark.parametrize("repeats", [1, 4])
def test_repeated_purchases_count_once(repeats: int) -> None:
    once = [(0, 0), (0, 1), (1, 0), (1, 2)]
    model = fitted(once * repeats, 3, neighbours=2)
    np.testing.assert_allclose(model.scores(np.array([0]), arrays([[0]]))[0], [0, 2**-0.5, 2**-0.5], rtol=1e-6)


def test_a_hand_made_example_in_order() -> None:
    """One user took 0, 1, 2; another 2, 0. Each of 0 and 2 has two users, 1 has one."""
    model = fitted([(0, 0), (0, 1), (0, 2), (1, 2), (1, 0)], 3, 5, decay=0.5, closeness=0.8, backward=0.25)
    after_0 = [0, 1 / 2**0.5, (0.8 + 0.25) / 2]
    after_2 = [(1 + 0.25 * 0.8) / 2, 0.25 / 2**0.5, 0]
    histories = arrays([[0], [2], [0, 2]])
    expected = [after_0, after_2, [0.5 * a + b for a, b in zip(after_0, after_2, strict=True)]]
    np.testing.assert_allclose(model.scores(np.zeros(3, np.int64), histories), expected, rtol=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=40),
    st.lists(st.integers(0, 7), max_size=6),
    st.floats(0.6, 1),
    st.floats(0.1, 1),
    st.floats(0.1, 1),
)
def test_a_slow_version_agrees_on_order(
    taken: list[tuple[int, int]], history: list[int], closeness: float, backward: float, decay: float
) -> None:
    model = fitted(taken, 8, 8, closeness=closeness, backward=backward, decay=decay)
    scores = model.scores(np.array([0]), arrays([history]))[0]
    np.testing.assert_allclose(scores, slow_in_order(taken, 8, model.config, history), rtol=1e-4, atol=1e-6)


def test_the_plain_form_is_the_limit_of_the_ordered_one() -> None:
    rng = np.random.default_rng(0)
    taken = [(u, i) for u in range(12) for i in rng.permutation(9)[:5].tolist()]
    plain, ordered = fitted(taken, 9, 9), fitted(taken, 9, 9, backward=1 - 1e-9)
    np.testing.assert_allclose(plain.similarity.toarray(), ordered.similarity.toarray(), atol=1e-6)


def test_another_decay_leaves_the_model_as_it_was() -> None:
    model = fitted([(0, 0), (0, 1), (0, 2)], 3, 5)
    users, histories = np.array([0]), arrays([[0, 1]])
    before = model.scores(users, histories)
    assert model.with_decay(0.5).scores(users, histories)[0, 2] == pytest.approx(1.5)
    assert np.array_equal(model.scores(users, histories), before)
    with pytest.raises(ConfigError, match="decay"):
        model.with_decay(0)
