import math

import numpy as np
import pytest
from scipy import stats

from guidedrec_core.reliability.agreement import (
    commonest,
    compare,
    correlations,
    holm,
    icc,
    mean_absolute_difference,
    order_effect,
    variance_inflation,
)

NAN = math.nan
# Six targets rated by four judges: Shrout and Fleiss (1979), table 2.
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


def test_icc_of_shrout_and_fleiss() -> None:
    found = icc(RATINGS)
    # 0.29 in their table 4; all digits from pingouin 0.7.0 (intraclass_corr, ICC(A,1), its rounding switched off).
    assert found.value == pytest.approx(0.28976377952755916, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((0.018786513374712058, 0.7610843696489527), abs=1e-9)
    assert (found.items, found.passes) == (6, 4)


def test_icc_counts_strictness_of_passes_as_disagreement() -> None:
    items = np.arange(10.0)[:, None]
    assert icc(items + np.zeros(3)).value == pytest.approx(1)
    assert icc(items + np.array([0, 5, 10])).value < 0.5


def test_icc_of_noise_is_near_the_true_share_of_variance() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 2, (4000, 1))
    passes = truth + rng.normal(0, 1, (4000, 3))
    found = icc(passes)
    assert found.value == pytest.approx(0.8, abs=0.02)
    assert found.low < 0.8 < found.high


def test_the_interval_of_icc_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        table = rng.normal(0, 1, (15, 1)) + rng.normal(0, 0.4, (1, 5)) + rng.normal(0, 0.6, (15, 5))
        found = icc(table)
        hits += found.low <= 1 / (1 + 0.16 + 0.36) <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_icc_takes_the_part_of_the_table_without_gaps() -> None:
    table = np.vstack([RATINGS, [[1, 2, NAN, 4], [NAN, NAN, NAN, 9]]])
    assert icc(table) == icc(RATINGS)
    only_started = np.column_stack([RATINGS, [5, NAN, NAN, NAN, NAN, NAN]])
    assert icc(only_started) == icc(RATINGS)
    empty = np.column_stack([np.full(6, NAN), RATINGS])
    assert icc(empty) == icc(RATINGS)


@pytest.mark.parametrize(
    "table", [np.array([[1.0, 2.0]]), np.array([[1.0], [2.0]]), np.full((4, 3), 7.0), np.full((3, 2), NAN)]
)
def test_icc_of_nothing_to_compare_is_not_known(table: np.ndarray) -> None:
    found = icc(table)
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_icc_of_passes_that_agree_on_everything_is_one() -> None:
    found = icc(np.tile([[1.0], [4.0], [9.0]], 3))
    assert (found.value, found.low, found.high) == (1, 1, 1)


def test_mean_absolute_difference_is_over_pairs_within_items() -> None:
    table = np.array([[1, 4, NAN], [2, 4, 9], [8, NAN, NAN]])
    assert mean_absolute_difference(table) == pytest.approx((3 + (2 + 7 + 5) / 3) / 2)
    assert math.isnan(mean_absolute_difference(np.array([[1, NAN], [NAN, 3]])))


def test_every_item_counts_the_same_for_the_commonest_value() -> None:
    table = np.array([[3.0, 3.0, 3.0, 3.0], [5, NAN, NAN, NAN], [5, NAN, NAN, NAN]])
    assert commonest(table) == (5, pytest.approx(2 / 3))
    assert commonest(np.array([[2.0], [1.0]])) == (1, 0.5)
    assert np.isnan(commonest(np.full((2, 2), NAN))).all()


def ols_with_dummies(table: np.ndarray, positions: np.ndarray) -> tuple[float, float]:
    """Slope and its p-value by ordinary least squares on the place and a dummy for every item and pass."""
    known = ~np.isnan(table)
    known &= known.sum(axis=1, keepdims=True) > 1
    items, passes = np.nonzero(known)
    columns = [positions[known], *(items == i for i in np.unique(items)), *(passes == p for p in np.unique(passes)[1:])]
    x, y = np.column_stack(columns).astype(float), table[known]
    solution, _, rank, _ = np.linalg.lstsq(x, y, rcond=None)
    freedom = len(y) - rank
    variance = ((y - x @ solution) ** 2).sum() / freedom
    error = math.sqrt(variance * np.linalg.inv(x.T @ x)[0, 0])
    return solution[0], 2 * stats.t.sf(abs(solution[0] / error), freedom)


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_the_order_effect_is_that_of_a_regression_with_dummies(gaps: float) -> None:
    rng = np.random.default_rng(2)
    positions = np.stack([rng.permutation(12) for _ in range(4)], axis=1).astype(float)
    table = rng.normal(5, 2, (12, 1)) + rng.normal(0, 1, 4) + rng.normal(0, 1, (12, 4)) + 0.05 * positions
    table[rng.random(table.shape) < gaps] = NAN
    found = order_effect(table, positions)
    slope, p_value = ols_with_dummies(table, positions)
    known = ~np.isnan(table)
    known &= known.sum(axis=1, keepdims=True) > 1
    assert found.drift == pytest.approx(slope * np.ptp(positions[known]), abs=1e-6)
    assert found.p_value == pytest.approx(p_value, abs=1e-6)
    assert found.scores == known.sum()
    assert np.sign(found.correlation) == np.sign(slope)


def test_strict_passes_and_different_items_are_no_order_effect() -> None:
    rng = np.random.default_rng(3)
    p_values = []
    for _ in range(200):
        positions = np.stack([rng.permutation(10) for _ in range(3)], axis=1).astype(float)
        positions[:, 2] += 100  # one pass began late
        table = rng.normal(0, 3, (10, 1)) + np.array([0, 1, 5]) + rng.normal(0, 1, (10, 3))
        p_values.append(order_effect(table, positions).p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_no_order_effect_can_be_seen_when_the_order_never_changes() -> None:
    rng = np.random.default_rng(4)
    positions = np.tile(rng.permutation(9)[:, None], 3).astype(float)
    found = order_effect(rng.normal(0, 1, (9, 3)), positions)
    assert math.isnan(found.correlation)
    assert math.isnan(found.p_value)
    assert math.isnan(order_effect(np.array([[1.0, 2.0]]), np.array([[1.0, 2.0]])).p_value)


def test_comparing_two_scorings() -> None:
    found = compare(np.array([1, 2, 3, 4, NAN, 6]), np.array([2, 2, 5, 4, 5, NAN]))
    assert found.items == 4
    assert found.difference == pytest.approx(3 / 4)
    assert found.correlation == pytest.approx(np.corrcoef([1, 2, 3, 4], [2, 2, 5, 4])[0, 1])
    z, half = math.atanh(found.correlation), stats.norm.ppf(0.975)  # Fisher's z, standard error 1 / sqrt(n - 3)
    assert (found.low, found.high) == pytest.approx((math.tanh(z - half), math.tanh(z + half)))
    assert math.isnan(compare(np.arange(3.0), np.arange(3.0)).correlation)
    assert compare(np.arange(3.0), np.arange(3.0)).difference == 0
    assert math.isnan(compare(np.ones(5), np.arange(5.0)).correlation)
    assert compare(np.array([NAN]), np.array([1.0])).items == 0


def test_redundancy_is_over_rows_without_gaps() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(0, 1, (50, 3))
    scores[:, 2] += scores[:, 0]
    with_gap = np.vstack([scores, [[NAN, 1e6, 1e6]]])
    expected = np.corrcoef(scores, rowvar=False)
    np.testing.assert_allclose(correlations(with_gap), expected)
    np.testing.assert_allclose(variance_inflation(with_gap), np.diag(np.linalg.inv(expected)))


def test_a_sum_of_others_is_wholly_redundant_and_a_constant_tells_nothing() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(0, 1, (2, 30))
    factors = variance_inflation(np.column_stack([a, b, a + b, np.full(30, 4.0)]))
    assert np.isinf(factors[:3]).all()
    assert math.isnan(factors[3])
    together = correlations(np.column_stack([a, -a, np.full(30, 4.0)]))
    assert together[0, 1] == pytest.approx(-1)
    assert np.isnan(together[2]).all()
    assert np.isnan(variance_inflation(rng.normal(0, 1, (3, 3)))).all()


def test_holm_adjusts_for_the_number_of_tests() -> None:
    # Hand-computed: 4 * 0.005, 3 * 0.01, 2 * 0.03, then 1 * 0.04 lifted to 0.06.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]
    assert np.isnan(holm(np.array([NAN]))).all()
