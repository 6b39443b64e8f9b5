"""The offset of items that nobody took in training, chosen on the validation part."""

from typing import Any

import numpy as np
import pytest
from tiny import sequences_of

from guidedrec_core.data.split import Cases, Split
from guidedrec_core.ranking.ranks import ndcg_at, ranks_of, target_ranks
from guidedrec_core.refinement import cold as calibrate
from guidedrec_core.refinement.cold import NEVER, OFFSETS, choose_cold_offset

N_USERS, N_ITEMS = 60, 30
RNG = np.random.default_rng(0)
HISTORIES = [RNG.permutation(N_ITEMS)[:5].tolist() for _ in range(N_USERS)]
TARGETS = np.array([h[4] for h in HISTORIES])
CASES = Cases(np.arange(N_USERS), np.full(N_USERS, 4), TARGETS, 0, 0)


class Data:
    """As much of `SplitDataset` as calibration reads."""

    def __init__(self, temporal: bool = False) -> None:
        # User u's interactions come one after the other, and before those of user u + 1.
        self.sequences = sequences_of(HISTORIES, N_ITEMS)
        ends = (0, 1) if temporal else (None, None)
        self.split = Split(np.full(N_USERS, 4), np.full(N_USERS, 1), (), *ends)


class Table:
    """A model that returns rows of a table."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = table.astype(np.float32)
        self.n_items = table.shape[1]

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        return self.table[users]


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(N_USERS, N_ITEMS))


def knowing(strength: float, seed: int = 5) -> np.ndarray:
    """Return scores in which the targets stand out."""
    table = noise(seed)
    table[np.arange(N_USERS), TARGETS] += strength
    return table


def test_the_cold_offset_is_the_largest_that_costs_at_most_a_hundredth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "block_size", lambda n: 7)  # blocks must add up to the same
    table, cold = knowing(2.0), np.arange(N_ITEMS) < 6
    data: Any = Data()
    model: Any = Table(table)
    chosen = choose_cold_offset(model, cold, data, CASES)

    def gain(offset: float) -> float:
        moved: Any = Table(table + offset * cold)
        return float(ndcg_at(target_ranks(moved, data.sequences, CASES), 10).mean())

    best = max(gain(o) for o in OFFSETS)
    assert gain(chosen) >= 0.99 * best
    assert all(gain(o) < 0.99 * best for o in OFFSETS if o > chosen)


@pytest.mark.parametrize("seed", range(8))
def test_ranks_by_offset_are_those_of_moved_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = (rng.integers(-12, 12, (40, N_ITEMS)) / 4).astype(np.float32)  # in steps of the offsets: many ties
    cold, targets = rng.random(N_ITEMS) < rng.choice([0.0, 0.1, 0.5, 1.0]), rng.integers(N_ITEMS, size=40)
    scores[rng.random(scores.shape) < 0.2] = -np.inf  # seen
    scores[np.arange(40), targets] = rng.integers(-4, 4, 40) / 4
    scores[rng.random(scores.shape) < 0.02] = np.nan
    ranks = calibrate.ranks_by_offset(scores, cold, targets)
    for place, offset in enumerate(OFFSETS):
        moved = (scores + np.float32(offset) * cold).astype(np.float32)
        np.testing.assert_array_equal(ranks[place], ranks_of(moved, targets))


def test_items_that_hardly_anybody_wants_may_cost_nothing() -> None:
    data: Any = Data()
    places = np.setdiff1d(np.arange(N_ITEMS), TARGETS)
    assert len(places)
    cold = np.isin(np.arange(N_ITEMS), places)
    model: Any = Table(knowing(2.0))

    def gain(offset: float) -> float:
        moved: Any = Table(model.table + np.float32(offset) * cold)
        return float(ndcg_at(target_ranks(moved, data.sequences, CASES), 10).mean())

    chosen = choose_cold_offset(model, cold, data, CASES)
    assert chosen < 0.0
    assert chosen == min((o for o in OFFSETS if gain(o) == max(map(gain, OFFSETS))), key=abs)
    model.table -= np.float32(9) * cold  # now they are in nobody's way
    assert choose_cold_offset(model, cold, data, CASES) == 0.0


def test_items_that_are_never_wanted_are_held_back_and_wanted_ones_are_not() -> None:
    data: Any = Data()
    unwanted = np.ones(N_ITEMS, dtype=bool)
    unwanted[TARGETS] = False
    assert unwanted.any()
    model: Any = Table(knowing(1.0))
    wanted = ~unwanted & (np.arange(N_ITEMS) < 15)
    low: Any = Table(knowing(1.0) - 3.0 * wanted)
    assert choose_cold_offset(low, wanted, data, CASES) > choose_cold_offset(model, unwanted, data, CASES)
    assert OFFSETS[0] == NEVER


def test_of_a_validation_period_the_later_half_counts() -> None:
    """Cold items that are wanted in the later half alone are as welcome as if the earlier one had not been."""
    cold = np.arange(N_ITEMS) < 15
    table = noise(3)
    late = np.arange(N_USERS) >= N_USERS // 2
    table[np.arange(N_USERS), TARGETS] += np.where(cold[TARGETS] == late, 1.0, 4.0)
    model: Any = Table(table)
    whole: Any = Data(temporal=True)
    each: Any = Data()
    later = CASES.take(np.flatnonzero(late))
    chosen = choose_cold_offset(model, cold, whole, CASES)
    assert chosen == choose_cold_offset(model, cold, each, later)
    assert chosen > choose_cold_offset(model, cold, each, CASES)
