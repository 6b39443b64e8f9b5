import numpy as np
import pytest
from scipy import stats

from guidedrec_core.evaluation.bootstrap import UserBootstrap


def make(values: np.ndarray, users: np.ndarray | None = None, samples: int = 4000, seed: int = 0) -> UserBootstrap:
    users = np.arange(len(values)) if users is None else users
    return UserBootstrap(values, users, samples, np.random.default_rng(seed))


def test_interval_agrees_with_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(0.3, 1.0, size=(800, 1))
    interval = make(values).mean(0)
    low, high = stats.norm.interval(0.95, loc=values.mean(), scale=values.std(ddof=1) / np.sqrt(800))
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(low, abs=0.01)
    assert interval.high == pytest.approx(high, abs=0.01)


def test_interval_agrees_with_scipys_bootstrap() -> None:
    values = np.random.default_rng(2).exponential(1.0, size=(200, 1))
    theirs = stats.bootstrap((values[:, 0],), np.mean, n_resamples=4000, method="percentile", rng=3).confidence_interval
    ours = make(values).mean(0)
    assert ours.low == pytest.approx(theirs.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.high, abs=0.02)


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(3)
    shared = rng.normal(0, 1, 300)
    # Two columns that vary much but always differ by almost the same amount.
    values = np.column_stack([shared + 0.1, shared + rng.normal(0, 0.001, 300)])
    interval = make(values).difference(0, 1)
    assert interval.value == pytest.approx(0.1, abs=0.001)
    assert interval.high - interval.low < 0.001


def test_a_users_cases_are_drawn_together() -> None:
    rng = np.random.default_rng(4)
    own = rng.normal(0, 1, 50)
    users = np.repeat(np.arange(50), 20)
    clustered = make(own[users][:, None], users).mean(0)
    as_if_independent = make(own[users][:, None]).mean(0)
    assert clustered.high - clustered.low > 3 * (as_if_independent.high - as_if_independent.low)


def test_users_with_many_cases_weigh_more() -> None:
    users = np.array([7, 7, 7, 9])
    interval = make(np.array([[1.0], [1.0], [1.0], [0.0]]), users).mean(0)
    assert interval.value == 0.75
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_relative_difference() -> None:
    values = np.column_stack([np.full(100, 0.3), np.full(100, 0.2)])
    relative = make(values).relative(0, 1)
    assert relative is not None
    assert relative.value == pytest.approx(0.5)
    assert make(np.column_stack([np.ones(10), np.zeros(10)])).relative(0, 1) is None


def test_same_seed_same_interval() -> None:
    values = np.random.default_rng(5).random((40, 2))
    assert make(values, samples=150).difference(0, 1) == make(values, samples=150).difference(0, 1)
    assert make(values, samples=150).mean(0) != make(values, samples=150, seed=1).mean(0)
