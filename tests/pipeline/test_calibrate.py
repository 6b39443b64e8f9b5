"""The offset of items that nobody took in training, chosen on the validation part."""

from typing import Any

import numpy as np
import pytest
from tiny import sequences_of

from guidedrec_core.data.split import Cases, Split
from guidedrec_core.pipeline import calibrate
from guidedrec_core.pipeline.calibrate import NEVER, OFFSETS, choose_cold_offset
from guidedrec_core.ranking import ndcg_at, target_ranks

N_USERS, N_ITEMS = 60, 30
RNG = np.random.default_rng(0)
HISTORIES = [RNG.permutation(N_ITEMS)[:5].tolist() for _ in range(N_USERS)]
TARGETS = np.array([h[4] for h in HISTORIES])
CASES = Cases(np.arange(N_USERS), np.full(N_USERS, 4), TARGETS, 0, 0)


class Data:
    """As much of `PreparedData` as calibration reads."""

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
