"""The trial of a name: held-out items are others than those shown, and chance does not pass."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from guidedrec_core.discovery.trial import FEWEST, auroc, judge, part
from guidedrec_core.errors import InputError


def parted(count: int, seed: int = 0) -> tuple:
    loadings = np.linspace(3, -3, 200)
    return loadings, part(np.arange(count), np.arange(199, 199 - count, -1), loadings, np.ones(200), seed)


def test_a_third_of_each_end_is_shown_and_the_rest_held_out() -> None:
    _, parting = parted(30)
    assert len(parting.high) == len(parting.low) == 10
    assert len(parting.held_high) == len(parting.held_low) == 20
    assert sorted([*parting.high, *parting.held_high]) == list(range(30))
    assert not set(parting.low) & set(parting.held_low)
    assert set(parting.middle.tolist()) == set(range(95, 105))
    # As extreme as the others: one of each three in a row.
    assert (np.sort(parting.high) // 3).tolist() == list(range(10))
    again = parted(30, seed=1)[1]
    assert again.high.tolist() != parting.high.tolist()


def test_small_ends_cannot_be_parted() -> None:
    assert len(parted(8)[1].held_high) == FEWEST
    with pytest.raises(InputError, match="too small"):
        parted(5)


def test_the_area_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    high, low = rng.integers(2, 11, 15).astype(float), rng.integers(0, 9, 12).astype(float)
    wanted = roc_auc_score([1] * 15 + [0] * 12, np.concatenate([high, low]))
    assert auroc(high, low) == pytest.approx(wanted)


def test_a_name_that_tells_the_ends_apart_passes_and_its_reverse_does_not() -> None:
    rng = np.random.default_rng(1)
    high, low = rng.normal(7, 2, 20), rng.normal(4, 2, 20)
    trial = judge(high, low)
    assert trial.accepted
    assert trial.ci_low < trial.auroc < trial.ci_high
    assert not judge(low, high).accepted


def test_scores_by_chance_pass_less_than_one_time_in_a_hundred() -> None:
    rng = np.random.default_rng(2)
    passed = sum(judge(rng.integers(0, 11, 20) * 1.0, rng.integers(0, 11, 20) * 1.0).accepted for _ in range(300))
    assert passed <= 3
    few = sum(judge(rng.integers(0, 11, 5) * 1.0, rng.integers(0, 11, 5) * 1.0).accepted for _ in range(300))
    assert few <= 30  # the interval is what few items fail on


def test_missing_scores_do_not_count() -> None:
    high, low = np.array([9.0] * 5 + [np.nan]), np.array([1.0] * 6)
    trial = judge(high, low)
    assert (trial.n_high, trial.n_low, trial.auroc) == (5, 6, 1.0)
    with pytest.raises(InputError, match="got 4 and 6"):
        judge(high[1:], low)
