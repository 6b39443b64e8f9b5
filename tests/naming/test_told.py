"""Directions that texts tell: found where texts go with vectors, and not where they are shuffled over items."""

import numpy as np

from guidedrec_core.naming.directions import find_directions
from guidedrec_core.naming.told import number_told, told_directions


def planted(seed: int = 0, n_items: int = 300, width: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors, in whose last column a text feature stands, text features, and what is told."""
    rng = np.random.default_rng(seed)
    texts = rng.normal(size=(n_items, 8))
    told = texts[:, 0] + texts[:, 1]
    vectors = rng.normal(size=(n_items, width)) * np.linspace(3, 1, width)
    vectors[:, -1] = told + 0.3 * rng.normal(size=n_items)
    return vectors - vectors.mean(axis=0), texts, told


def test_the_direction_that_texts_tell_is_found_although_others_hold_more() -> None:
    vectors, texts, _ = planted()
    found = told_directions(vectors, np.ones(len(vectors)), texts, 1)
    assert abs(found.directions[-1, 0]) > 0.95
    loadings = vectors @ found.directions[:, 0]
    assert np.corrcoef(loadings, found.predicted[:, 0])[0, 1] > 0.9


def test_predictions_for_an_item_do_not_know_its_vector() -> None:
    vectors, texts, _ = planted()
    weight = np.ones(len(vectors))
    changed = vectors.copy()
    changed[7] += 100.0
    own = told_directions(vectors, weight, texts, 12)
    other = told_directions(changed, weight, texts, 12)
    before, after = (each.predicted[7] @ each.directions.T for each in (own, other))
    np.testing.assert_allclose(before, after, atol=1e-6)


def test_texts_shuffled_over_items_tell_nothing() -> None:
    vectors, texts, _ = planted()
    weight = np.ones(len(vectors))
    assert number_told(vectors, weight, texts) >= 1
    shuffled = texts[np.random.default_rng(1).permutation(len(texts))]
    assert number_told(vectors, weight, shuffled) == 0


def test_told_directions_come_with_others_orthogonal_to_them() -> None:
    vectors, texts, told = planted()
    found = find_directions(vectors, np.ones(len(vectors)), np.eye(12), 6, texts=texts)
    assert len(found) == 6
    assert found.told.sum() >= 1
    np.testing.assert_allclose(found.to_users.T @ found.to_users, np.eye(6), atol=1e-8)
    best = np.abs(np.corrcoef(told, found.loadings[:, found.told].T)[0, 1:]).max()
    assert best > 0.9
    assert not found.predicted[:, ~found.told].any()
