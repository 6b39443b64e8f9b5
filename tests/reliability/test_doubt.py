"""Scores that passes disagree on count less: the formula by hand, and whether it comes nearer to the truth."""

import numpy as np
import pytest

from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.reliability.doubt import Doubt, score_doubt

NAN = np.nan


def column(*passes: list[float]) -> np.ndarray:
    """Return the passes over some items as a table of one attribute."""
    return np.array(passes, dtype=float)[:, :, None]


def doubt_of(raw: list[float], passes: np.ndarray, certain: tuple[int, ...] = ()) -> Doubt:
    marks = np.zeros((len(raw), 1), dtype=bool)
    marks[list(certain)] = True
    return score_doubt(np.array(raw, dtype=np.float32)[:, None], passes, marks)


TWICE = column([1, 5, 8, 4], [3, 7, 8, NAN])
"""Sums of squares 2, 2, 0; a pass varies by 4/3. So small and even that no item is told from another by its spread."""


def test_by_hand() -> None:
    found = doubt_of([2, 6, 8, 4], TWICE)
    # Scores vary by 20/3, of which (3 * 2/3 + 4/3) / 4 is noise: 35/6 is left between items.
    np.testing.assert_allclose(found.weights[:, 0], [35 / 39, 35 / 39, 35 / 39, 35 / 43])
    np.testing.assert_allclose(found.one_pass, 35 / 43)
    assert found.repeated == 3


def test_what_is_settled_counts_in_full_and_brings_no_noise() -> None:
    found = doubt_of([2, 6, 8, 4], TWICE, certain=(3,))
    np.testing.assert_allclose(found.weights[:, 0], [37 / 41, 37 / 41, 37 / 41, 1])
    np.testing.assert_allclose(found.one_pass, 37 / 45)


def test_an_items_own_spread_counts_as_far_as_items_differ_in_it() -> None:
    # Variances 0, 0, 0, 4 of three passes: pooled 1. Their squares over 1 + 2/2 are 2 on average, so c = 2/1 - 1 = 1,
    # v0 = 2 + 2/1 = 4, and one pass varies by (4 + 0) / 6 and (4 + 8) / 6.
    found = doubt_of([0, 4, 8, 4], column([0, 4, 8, 2], [0, 4, 8, 4], [0, 4, 8, 6]))
    noise = np.array([2 / 3, 2 / 3, 2 / 3, 2]) / 3
    between = 32 / 3 - 1 / 3
    np.testing.assert_allclose(found.weights[:, 0], between / (between + noise))
    np.testing.assert_allclose(found.one_pass, between / (between + 1))


def test_agreement_and_ignorance_count_in_full() -> None:
    np.testing.assert_array_equal(doubt_of([1, 2, 4], column([1, 2, 4], [1, 2, NAN])).weights, 1)
    once = doubt_of([1, 2, 4], column([1, 2, 4], [NAN, NAN, NAN]))
    np.testing.assert_array_equal(once.weights, 1)
    assert (once.one_pass.tolist(), once.repeated) == ([1], 0)


def test_what_tells_only_noise_counts_for_nothing_but_where_it_is_settled() -> None:
    found = doubt_of([5, 5, 5, 6], column([0, 10, 2, 6], [10, 0, 8, NAN]), certain=(3,))
    assert found.weights[:, 0].tolist() == [0, 0, 0, 1]
    assert found.one_pass.tolist() == [0]


def test_each_attribute_is_on_its_own_and_gaps_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    passes = rng.normal(size=(3, 30, 2)) + rng.normal(size=(30, 2)) * 3
    passes[:, 4, 1] = passes[1:, 5, 0] = NAN
    raw = np.nanmedian(np.where(np.isnan(passes).all(axis=0), 0, passes), axis=0)
    raw[4, 1] = NAN
    none = np.zeros(raw.shape, dtype=bool)
    both = score_doubt(raw, passes, none)
    assert np.isfinite(both.weights).all()
    for a in range(2):
        alone = score_doubt(raw[:, [a]], passes[:, :, [a]], none[:, [a]])
        np.testing.assert_array_equal(alone.weights[:, 0], both.weights[:, a])
        other = score_doubt(3 * raw[:, [a]] + 7, 3 * passes[:, :, [a]] + 7, none[:, [a]])  # the scale does not matter
        np.testing.assert_allclose(other.weights, alone.weights)


class Noisy:
    """Scores whose truth is known: a third of the items is doubtful on every attribute, the last attribute most."""

    def __init__(self, passes: int, seed: int = 0, n_items: int = 600) -> None:
        rng = np.random.default_rng(seed)
        self.truth = 5 + 1.5 * rng.normal(size=(n_items, 3))
        self.doubtful = np.arange(n_items) % 3 == 0
        self.noise = np.where(self.doubtful, 3.0, 0.5)[:, None] * [0.5, 1.0, 2.0]  # [n_items, A]
        self.passes = self.truth + self.noise * rng.normal(size=(passes, n_items, 3))
        self.raw = np.median(self.passes, axis=0).astype(np.float32)
        self.found = score_doubt(self.raw, self.passes, np.zeros(self.raw.shape, dtype=bool))

    def error(self, weights: np.ndarray | None) -> np.ndarray:
        """Return the mean squared error on each attribute, in raw points, of scores that count by these weights."""
        guided = GuidedEmbedding.of(self.raw, "z", weights)
        return ((guided.values * guided.scale + guided.mean - self.truth) ** 2).mean(axis=0)


@pytest.mark.parametrize("passes", [3, 5])
def test_shrunken_scores_are_nearer_to_the_truth(passes: int) -> None:
    noisy = Noisy(passes)
    raw, shrunken = noisy.error(None), noisy.error(noisy.found.weights)
    assert (shrunken < [0.95, 0.85, 0.7] * raw).all(), shrunken / raw
    # Not only because all is shrunken: one weight for all items gains less.
    even = np.broadcast_to(noisy.found.weights.mean(axis=0), noisy.raw.shape)
    assert (shrunken < noisy.error(even)).all()


def test_weights_are_near_the_best_ones_and_least_where_noise_is_largest() -> None:
    noisy = Noisy(20)
    best = 1.5**2 / (1.5**2 + noisy.noise**2 / 20)
    assert np.abs(noisy.found.weights - best).mean() < 0.03 < 0.07 < (1 - best).mean()
    means = noisy.found.weights[noisy.doubtful].mean(axis=0), noisy.found.weights[~noisy.doubtful].mean(axis=0)
    assert (means[0] < means[1]).all()
    assert (np.diff(means[0]) < 0).all()
    pooled = (noisy.noise**2).mean(axis=0)
    np.testing.assert_allclose(noisy.found.one_pass, 1.5**2 / (1.5**2 + pooled), atol=0.04)


def test_items_scored_once_count_as_those_scored_repeatedly_have_it() -> None:
    noisy = Noisy(8)
    passes = noisy.passes.copy()
    passes[1:, 60:] = NAN
    raw = np.median(passes[:, :60], axis=0)
    raw = np.concatenate([raw, passes[0, 60:]])
    found = score_doubt(raw, passes, np.zeros(raw.shape, dtype=bool))
    assert found.repeated == 60
    np.testing.assert_allclose(found.weights[60:], np.broadcast_to(found.one_pass, (540, 3)))
    np.testing.assert_allclose(found.one_pass, noisy.found.one_pass, atol=0.1)
    assert (found.weights[:60].mean(axis=0) > found.one_pass).all()


def test_an_attribute_of_noise_alone_counts_for_next_to_nothing() -> None:
    rng = np.random.default_rng(1)
    passes = 5 + rng.normal(size=(3, 500, 1))
    found = score_doubt(np.median(passes, axis=0), passes, np.zeros((500, 1), dtype=bool))
    assert found.weights.max() < 0.2
