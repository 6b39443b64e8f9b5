"""Directions that people follow are told from placebos: random rotations and shuffled items."""

import numpy as np
import pytest

from guidedrec_core.discovery.evidence import FEWEST_CASES, weigh
from guidedrec_core.naming.directions import Directions, find_directions

N, WIDTH, CASES = 500, 10, 1500


def themed(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw item vectors with five themes, users' vectors, what they went on to by them, and interactions of items."""
    rng = np.random.default_rng(seed)
    themes = np.zeros((N, 5))
    for theme in range(5):
        own = rng.permutation(N)[:40]
        themes[own, theme] = rng.uniform(2, 4, 40)
    turn = np.linalg.qr(rng.normal(size=(WIDTH, 5)))[0].T
    vectors = themes @ turn + 0.3 * rng.normal(size=(N, WIDTH))
    sides = rng.normal(size=(CASES, WIDTH))
    noisy = 0.5 * sides @ vectors.T + rng.gumbel(size=(CASES, N))
    return vectors, sides, noisy.argmax(axis=1), rng.integers(1, 100, N)


def found(vectors: np.ndarray, sides: np.ndarray, rotation: str = "varimax", seed: int = 0) -> Directions:
    return find_directions(vectors, np.ones(N), sides.T @ sides / CASES, 5, rotation, seed)


def test_directions_that_people_follow_pass() -> None:
    vectors, sides, targets, interactions = themed(0)
    evidence = weigh(found(vectors, sides), sides, targets, interactions)
    assert evidence.passed.all()
    assert (evidence.followed > 0.1).all()


def test_at_most_one_in_twenty_placebos_passes() -> None:
    rotated = shuffled = 0
    for seed in range(4):
        vectors, sides, targets, interactions = themed(seed)
        turned = found(vectors, sides, "random", seed)
        rotated += int(weigh(turned, sides, targets, interactions).passed.sum())
        elsewhere = vectors[np.random.default_rng(seed).permutation(N)]
        evidence = weigh(found(elsewhere, sides), sides, targets, interactions)
        assert (found(elsewhere, sides).stability > 0.9).all()  # it is people who turn these down
        shuffled += int(evidence.passed.sum())
    assert rotated <= 1
    assert shuffled <= 1


def test_what_everybody_goes_on_to_is_no_evidence() -> None:
    """Targets that depend on popularity alone, with loadings that do so, too, are told by the shuffles."""
    vectors, sides, _, interactions = themed(0)
    chosen = np.random.default_rng(1).choice(N, CASES, p=interactions / interactions.sum())
    assert not weigh(found(vectors, sides), sides, chosen, interactions).passed.any()


@pytest.mark.parametrize("cases", [0, FEWEST_CASES - 1])
def test_few_cases_are_no_evidence(cases: int) -> None:
    vectors, sides, targets, interactions = themed(0)
    evidence = weigh(found(vectors, sides), sides[:cases], targets[:cases], interactions)
    assert not evidence.passed.any()
    assert (evidence.chance == 1).all()
