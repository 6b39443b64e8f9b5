"""Blocks of cases: whole where the catalogue fits, else samples on which the same weights are found."""

from typing import Any

import numpy as np

from guidedrec_core.refinement.head_blocks import LEAST_CANDIDATES, Sampling, blocks_of
from guidedrec_core.refinement.head_fit import HeadFit

V, N, A = 3000, 1500, 2
RNG = np.random.default_rng(0)
GUIDED, PROFILES = (RNG.normal(size=(count, A)).astype(np.float32) for count in (N, V))
COUNTS = np.exp(2 * RNG.normal(size=N)).round()
POPULARITY = ((np.log1p(COUNTS) - np.log1p(COUNTS).mean()) / np.log1p(COUNTS).std())[:, None].astype(np.float32)
SCORES = 1.5 * RNG.normal(size=(V, N)).astype(np.float32)
HISTORIES = [RNG.choice(N, 5, replace=False) for _ in range(V)]
USERS = np.arange(V)


class Table:
    """A head over one frozen model whose scores are a table."""

    counts, n_items = COUNTS, N

    def frozen_scores(self, users: np.ndarray, histories: Any, items: np.ndarray | None = None) -> np.ndarray:
        return SCORES[None, users] if items is None else SCORES[None, users][:, :, items]

    def whitened_profiles(self, histories: Any) -> np.ndarray:
        return PROFILES[[int(np.flatnonzero([h is each for each in HISTORIES])[0]) for h in histories]]


class Fast(Table):
    """The same without a search for profiles, for cases in their order."""

    def __init__(self) -> None:
        self.next = 0

    def whitened_profiles(self, histories: Any) -> np.ndarray:
        first, self.next = self.next, self.next + len(histories)
        return PROFILES[first : self.next]


def drawn_targets() -> np.ndarray:
    logits = 0.8 * SCORES + 0.7 * POPULARITY[:, 0] + (np.array([0.5, 0.0]) * PROFILES + [0.0, -0.4]) @ GUIDED.T
    for row, history in enumerate(HISTORIES):
        logits[row, history] = -np.inf
    return (logits + RNG.gumbel(size=logits.shape)).argmax(axis=1)


TARGETS = drawn_targets()


def weights(numbers: int) -> np.ndarray:
    blocks = blocks_of(Fast(), USERS, HISTORIES, TARGETS, Sampling(1, numbers))
    learned = HeadFit(blocks, np.array([1.0]), POPULARITY, GUIDED, 0.01).weights()
    return np.concatenate([learned.models, learned.popularity, learned.profile, learned.everyone])


def test_a_sample_of_items_leads_to_the_weights_of_all() -> None:
    """Without the correction for how items are drawn, popularity's weight would be far off."""
    whole, sampled = weights(V * N), weights(1)
    np.testing.assert_allclose(whole, [0.8, 0.7, 0.5, 0.0, 0.0, -0.4], atol=0.06)
    np.testing.assert_allclose(sampled, whole, atol=0.06)
    assert (whole != sampled).any()


def test_all_cases_are_there_and_compared_with_what_was_drawn() -> None:
    part = slice(0, 150)
    blocks = blocks_of(Table(), USERS[part], HISTORIES[part], TARGETS[part], Sampling(1, 1))
    assert [len(block.targets) for block in blocks] == [64, 64, 22]
    share = 0.5 / N + 0.5 * COUNTS / COUNTS.sum()
    first = 0
    for block in blocks:
        b, items = len(block.targets), block.items
        assert items is not None
        assert len(items) == LEAST_CANDIDATES + b
        rows = np.arange(first, first + b)
        np.testing.assert_array_equal(items[block.targets], TARGETS[rows])
        np.testing.assert_array_equal(block.scores[0], SCORES[rows][:, items])
        np.testing.assert_array_equal(block.profiles, PROFILES[rows])
        np.testing.assert_allclose(block.shift, -np.log(share[items]), rtol=1e-5)
        for row in range(b):
            open_to = np.flatnonzero(~block.barred[row])
            own = [place for place in range(LEAST_CANDIDATES) if items[place] not in HISTORIES[first + row]]
            assert open_to.tolist() == [*own, block.targets[row]]
        first += b
    assert first == 150
    assert (blocks[0].items[:LEAST_CANDIDATES] != blocks[1].items[:LEAST_CANDIDATES]).any()  # type: ignore[index]


def test_the_whole_catalogue_is_compared_where_it_fits() -> None:
    part = slice(0, 90)
    blocks = blocks_of(Table(), USERS[part], HISTORIES[part], TARGETS[part], Sampling(1, 90 * N))
    assert all(block.items is None for block in blocks)
    assert sum(len(block.targets) for block in blocks) == 90
    np.testing.assert_array_equal(np.concatenate([block.targets for block in blocks]), TARGETS[part])
    seen = np.concatenate([block.barred for block in blocks])
    assert [sorted(np.flatnonzero(row)) for row in seen] == [sorted(history) for history in HISTORIES[part]]
