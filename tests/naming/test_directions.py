"""Directions of the unnamed rest: planted ones are found, sum up to the rest, and random ones are not stable."""

import numpy as np
import pytest
from small_models import N_USERS, named

from guidedrec_core.naming.directions import find_directions, unnamed_rest, varimax
from guidedrec_core.naming.model import named_vectors, user_moments, user_sides


def planted(n_items: int = 600, noise: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw item vectors in which each of three themes has a few items; return them, the themes and users' moments."""
    rng = np.random.default_rng(seed)
    themes = np.zeros((n_items, 3))
    for theme in range(3):
        own = rng.permutation(n_items)[:40]
        themes[own, theme] = rng.uniform(2, 4, 40)
    vectors = themes @ np.linalg.qr(rng.normal(size=(8, 3)))[0].T + noise * rng.normal(size=(n_items, 8))
    sides = rng.normal(size=(400, 8))
    return vectors, themes, sides.T @ sides / 400


def best(loadings: np.ndarray, theme: np.ndarray) -> float:
    return max(abs(np.corrcoef(one, theme)[0, 1]) for one in loadings.T)


def test_planted_themes_are_found_with_their_items_on_the_positive_side() -> None:
    vectors, themes, moments = planted()
    found = find_directions(vectors, np.ones(600), moments, 3)
    for theme in themes.T:
        correlations = [np.corrcoef(one, theme)[0, 1] for one in found.loadings.T]
        assert max(correlations) > 0.9
    assert (found.stability > 0.95).all()
    assert found.held.sum() < 1
    assert (np.diff(found.held) <= 0).all()


def test_a_random_rotation_of_them_is_neither_theme_nor_stable() -> None:
    vectors, themes, moments = planted()
    turned = find_directions(vectors, np.ones(600), moments, 3, "random", seed=1)
    found = find_directions(vectors, np.ones(600), moments, 3)
    assert (turned.stability < found.chance).sum() >= 2
    assert (found.stability > found.chance).sum() >= 2
    assert turned.held.sum() == pytest.approx(found.held.sum())
    assert min(best(turned.loadings, theme) for theme in themes.T) < 0.9


def test_all_directions_together_are_the_rest_exactly() -> None:
    rng = np.random.default_rng(2)
    rest, sides, weights = rng.normal(size=(50, 6)), rng.normal(size=(20, 6)), rng.uniform(0, 3, 50)
    for rotation in ("varimax", "none", "random"):
        found = find_directions(rest, weights, sides.T @ sides / 20, 6, rotation)
        whole = sides @ rest.T
        parts = found.weights(sides) @ found.loadings.T
        np.testing.assert_allclose(parts, whole - np.average(whole, axis=1, weights=weights)[:, None], atol=1e-8)
        assert found.held.sum() == pytest.approx(1)
        np.testing.assert_allclose(np.average(found.loadings, axis=0, weights=weights), 0, atol=1e-9)


def test_items_without_weight_do_not_count() -> None:
    vectors, _, moments = planted()
    weights = np.ones(600)
    weights[:100] = 0
    changed = vectors.copy()
    changed[:100] = 50.0
    first, second = (find_directions(each, weights, moments, 3) for each in (vectors, changed))
    np.testing.assert_allclose(first.to_users, second.to_users, atol=1e-8)
    np.testing.assert_allclose(first.held, second.held, atol=1e-8)


def test_there_are_no_more_directions_than_dimensions() -> None:
    rng = np.random.default_rng(3)
    flat = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 5))
    assert len(find_directions(flat, np.zeros(40), np.eye(5), 12)) == 2
    none = find_directions(np.zeros((40, 5)), np.ones(40), np.eye(5), 12)
    assert len(none) == 0


def test_varimax_is_a_rotation() -> None:
    turn = varimax(np.random.default_rng(4).normal(size=(30, 5)))
    np.testing.assert_allclose(turn @ turn.T, np.eye(5), atol=1e-10)


def test_the_rest_of_a_model_is_what_it_leaves_unnamed_out_of_fold() -> None:
    names = named("additive", "sasrec")
    rng = np.random.default_rng(5)
    users, histories = np.arange(N_USERS), [rng.integers(0, 25, 6) for _ in range(N_USERS)]
    rest = unnamed_rest(names, named_vectors(names.model))
    moments = user_moments(names.model, users, histories)
    sides = user_sides(names.model, users, histories)
    unnamed = names.unnamed_out_of_fold(users, histories)
    np.testing.assert_allclose(sides @ rest.T, unnamed, atol=1e-5)
    found = find_directions(rest, np.ones(25), moments, 99)
    parts = found.weights(sides) @ found.loadings.T
    np.testing.assert_allclose(parts, unnamed - unnamed.mean(axis=1, keepdims=True), atol=1e-4)
