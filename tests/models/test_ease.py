import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import arrays

from guidedrec_core.config import EASEConfig
from guidedrec_core.errors import ConfigError
from guidedrec_core.models import ease
from guidedrec_core.models.ease import EASEModel


def fitted(table: np.ndarray, penalty: float, decay: float = 1.0) -> EASEModel:
    users, items = np.nonzero(table)
    return EASEModel(users, items, *table.shape, EASEConfig(penalty=penalty, decay=decay))


def test_a_hand_made_example() -> None:
    """Two users took both of two items: X'X + 2I = [[4, 2], [2, 4]], so one item says 2/4 of the other."""
    model = fitted(np.ones((2, 2)), penalty=2.0)
    np.testing.assert_allclose(model.weights, [[0, 0.5], [0.5, 0]], rtol=1e-6)
    np.testing.assert_allclose(model.scores(np.array([0]), arrays([[0]])), [[0, 0.5]], rtol=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 100))
def test_each_items_weights_are_its_own_ridge_regression(seed: int, penalty: float) -> None:
    """EASE in words: predict each item from all others, least squares with a penalty; solved here one by one."""
    table = (np.random.default_rng(seed).random((9, 6)) < 0.4).astype(float)
    model = fitted(table, penalty)
    for item in range(6):
        others = np.delete(np.arange(6), item)
        x, y = table[:, others], table[:, item]
        expected = np.linalg.solve(x.T @ x + penalty * np.eye(5), x.T @ y)
        np.testing.assert_allclose(model.weights[others, item], expected, atol=1e-5)
        assert model.weights[item, item] == 0


def test_recent_items_count_more_and_repeated_training_counts_once() -> None:
    table = (np.random.default_rng(0).random((20, 5)) < 0.5).astype(float)
    users, items = np.nonzero(table)
    twice = EASEModel(np.tile(users, 2), np.tile(items, 2), 20, 5, EASEConfig(penalty=3.0, decay=0.5))
    plain = fitted(table, 3.0)
    assert np.array_equal(twice.weights, plain.weights)
    scores = twice.scores(np.array([0]), arrays([[4, 2, 0]]))[0]
    np.testing.assert_allclose(scores, 0.25 * plain.weights[4] + 0.5 * plain.weights[2] + plain.weights[0], rtol=1e-5)
    assert np.array_equal(twice.with_decay(1.0).scores(np.array([0]), arrays([[4]])), plain.weights[[4]])


def test_items_alike_in_training_tie() -> None:
    """Items 1 and 2 have the same users, so whoever took item 0 gets equal scores for both."""
    table = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1]], dtype=float)
    scores = fitted(table, 1.5).scores(np.array([0]), arrays([[0, 3]]))[0]
    assert scores[1] == scores[2]


def test_a_catalogue_too_large_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    none = np.empty(0, np.int64)
    with pytest.raises(ConfigError, match=r"at most 20,000 items for EASE, got 90,000: it would take 97 GB; use item"):
        EASEModel(none, none, 1, 90_000, EASEConfig())
    monkeypatch.setattr(ease, "LARGEST_CATALOGUE", 3)
    with pytest.raises(ConfigError, match="got 4"):
        fitted(np.ones((2, 4)), 1.0)
