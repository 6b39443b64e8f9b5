"""Numbers chosen on the validation part: the neighbours' weight and the offset of items nobody took in training."""

from typing import Any

import numpy as np
import pytest
from tiny import sequences_of

from guidedrec_core.data.split import Cases
from guidedrec_core.pipeline import calibrate
from guidedrec_core.pipeline.calibrate import NEVER, OFFSETS, choose_cold_offset, choose_weight
from guidedrec_core.ranking import ndcg_at, target_ranks

N_USERS, N_ITEMS = 60, 30
RNG = np.random.default_rng(0)
HISTORIES = [RNG.permutation(N_ITEMS)[:5].tolist() for _ in range(N_USERS)]
TARGETS = np.array([h[4] for h in HISTORIES])
CASES = Cases(np.arange(N_USERS), np.full(N_USERS, 4), TARGETS, 0, 0)


class Data:
    """As much of `PreparedData` as calibration reads."""

    sequences = sequences_of(HISTORIES, N_ITEMS)


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


def weight(model: np.ndarray, beside: np.ndarray) -> float:
    data: Any = Data()
    return choose_weight(Table(model), Table(beside), data, CASES)  # type: ignore[arg-type]


def test_neighbours_that_know_nothing_get_little_weight_or_none() -> None:
    assert weight(knowing(8.0), noise(2)) == 0.0
    assert weight(knowing(3.0), noise(2)) < 0.3


def test_neighbours_that_know_more_count_and_in_units_of_their_own_spread() -> None:
    first = weight(noise(1), knowing(4.0))
    assert first > 0.5
    assert weight(noise(1), 100 * knowing(4.0)) == pytest.approx(first / 100, rel=1e-4)


def test_the_weight_is_the_best_of_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    model, beside = knowing(1.0, 3), knowing(1.0, 4)
    monkeypatch.setattr(calibrate, "block_size", lambda n: 7)  # blocks must add up to the same
    chosen = weight(model, beside)
    data: Any = Data()
    spread = beside.astype(np.float32).astype(np.float64).std()

    def gain(value: float) -> float:
        whole: Any = Table(model + value * beside)
        return float(ndcg_at(target_ranks(whole, data.sequences, CASES), 10).mean())

    grid = [w / spread for w in calibrate.WEIGHTS]
    assert gain(chosen) == pytest.approx(max(gain(w) for w in grid))
    assert min(abs(np.array(grid) - chosen)) < 1e-5


def test_the_cold_offset_is_the_largest_that_costs_at_most_a_hundredth() -> None:
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
