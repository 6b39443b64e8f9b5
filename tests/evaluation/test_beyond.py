"""List measures against hand-made values and a slow version written from their definitions."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import random_histories, sequences_of

from guidedrec_core.evaluation import beyond
from guidedrec_core.evaluation.beyond import coverage, gini, history_means, list_table, user_measures

N_ITEMS = 12


def slow_measures(items: list[int], counts: list[int], guided: np.ndarray, wanted: np.ndarray) -> list[float]:
    """Measure one list by the definitions, pair by pair."""
    guided, total = guided.astype(np.float64), sum(counts) + len(counts)
    novelty = sum(-math.log2((counts[i] + 1) / total) for i in items) / len(items)
    popularity = sum(counts[i] for i in items) / len(items)
    scored = [guided[i] for i in items if any(guided[i])]
    distances = [
        1 - float(a @ b) / math.sqrt(float(a @ a) * float(b @ b)) for a, b in itertools.combinations(scored, 2)
    ]
    apart = [abs(sum(float(guided[i, a]) for i in items) / len(items) - wanted[a]) for a in range(len(wanted))]
    return [novelty, popularity, sum(distances) / len(distances) if distances else 0.0, sum(apart) / len(apart)]


def slow_gini(times_listed: list[int]) -> float:
    """Half of the mean difference of all pairs, relative to the mean."""
    differences = [abs(a - b) for a in times_listed for b in times_listed]
    return sum(differences) / (2 * len(times_listed) * sum(times_listed))


def random_lists(rng: np.random.Generator, n_users: int, k: int) -> np.ndarray:
    """Draw lists; some end early."""
    lists = np.stack([rng.permutation(N_ITEMS)[:k] for _ in range(n_users)])
    for row in lists:
        row[rng.integers(1, k + 1) :] = -1
    return lists


def test_a_hand_made_list() -> None:
    counts = np.array([3, 1, 0, 0])  # of 4 interactions; p = 4/8, 2/8, 1/8, 1/8
    guided = np.array([[1, 0], [0, 2], [-3, 0], [0, 0]], dtype=np.float32)
    wanted = np.array([[1.0, 0.0]])
    measured = user_measures(np.array([[0, 1, 2, 3]]), counts, guided, wanted)[0]
    # 1, 2, 3 and 3 bits; distances 1, 2 and 1, the item without scores passed over; means (-0.5, 0.5) for (1, 0).
    np.testing.assert_allclose(measured, [9 / 4, 1.0, 4 / 3, (1.5 + 0.5) / 2])
    short = user_measures(np.array([[1, -1, -1, -1]]), counts, guided, wanted)[0]
    np.testing.assert_allclose(short, [2.0, 1.0, 0.0, (1 + 2) / 2])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 6))
def test_a_slow_version_agrees_whatever_the_blocks(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, N_ITEMS)
    guided = rng.normal(size=(N_ITEMS, 3)).astype(np.float32)
    guided[rng.random(N_ITEMS) < 0.2] = 0
    lists, wanted = random_lists(rng, 7, k), rng.normal(size=(7, 3))
    expected = [
        slow_measures([i for i in row if i >= 0], counts.tolist(), guided, want)
        for row, want in zip(lists.tolist(), wanted, strict=True)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beyond, "_BLOCK", 3)
        np.testing.assert_allclose(user_measures(lists, counts, guided, wanted), expected, atol=1e-9)
    listed = [int((lists == item).sum()) for item in range(N_ITEMS)]
    assert coverage(lists, N_ITEMS) == sum(n > 0 for n in listed) / N_ITEMS
    assert gini(lists, N_ITEMS) == pytest.approx(slow_gini(listed))


def test_the_histories_mean_counts_only_what_was_shown() -> None:
    rng = np.random.default_rng(0)
    histories = random_histories(rng, 6, N_ITEMS, 8)
    guided = rng.normal(size=(N_ITEMS, 2)).astype(np.float32)
    lengths = np.array([max(1, len(h) - 1) for h in histories])
    means = history_means(sequences_of(histories, N_ITEMS), lengths, np.array([4, 1]), guided)
    for row, user in zip(means, (4, 1), strict=True):
        np.testing.assert_allclose(row, guided[histories[user][: lengths[user]]].mean(axis=0), rtol=1e-5)


def test_the_histories_own_items_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    guided = rng.normal(size=(N_ITEMS, 4)).astype(np.float32)
    lists = random_lists(rng, 9, 5)
    own = np.stack([guided[row[row >= 0]].mean(axis=0) for row in lists])
    assert user_measures(lists, np.ones(N_ITEMS, np.int64), guided, own)[:, 3].max() < 1e-6


def test_the_table_pairs_models_by_user() -> None:
    rng = np.random.default_rng(0)
    guided = rng.normal(size=(N_ITEMS, 3)).astype(np.float32)
    counts, wanted = rng.integers(1, 9, N_ITEMS), rng.normal(size=(50, 3))
    lists = {"base": random_lists(rng, 50, 5), "refined": random_lists(rng, 50, 5)}
    table = list_table(lists, counts, guided, wanted, "base", 300, np.random.default_rng(1))
    assert table["metric"].unique().tolist() == [
        *("Coverage@5", "Gini@5", "Novelty@5", "ARP@5", "Diversity@5", "Miscalibration@5")
    ]
    value = table.set_index(["model", "metric"])
    own = {name: user_measures(lists[name], counts, guided, wanted)[:, 1] for name in lists}
    refined = value.loc[("refined", "ARP@5")]
    assert refined["value"] == pytest.approx(own["refined"].mean())
    assert refined["change"] == pytest.approx((own["refined"] - own["base"]).mean())
    assert refined["change_low"] < refined["change"] < refined["change_high"]
    spread = (own["refined"] - own["base"]).std() / 50**0.5
    assert refined["change_high"] - refined["change_low"] == pytest.approx(2 * 1.96 * spread, rel=0.2)
    assert pd.isna(value.loc[("refined", "Coverage@5"), "ci_low"])
    assert value.loc[("refined", "Coverage@5"), "value"] == coverage(lists["refined"], N_ITEMS)
    unchanged = value.loc["base"]
    assert (unchanged["change"] == 0).all()
