from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import arrays

from guidedrec_core.models.itemknn import ItemKNN


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


def fitted(taken: list[tuple[int, int]], n_items: int, neighbours: int) -> ItemKNN:
    pairs = np.array(taken, dtype=np.int64).reshape(-1, 2)
    return ItemKNN(pairs[:, 0], pairs[:, 1], int(pairs[:, 0].max(initial=0)) + 1, n_items, neighbours)


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
