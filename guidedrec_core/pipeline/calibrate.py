"""Two numbers that a trained model cannot learn for itself, chosen on the validation part.

How much recency-weighted item-kNN counts beside it: on training cases, the neighbours know the answer. And what items
without training events get: in training, they do not exist.
"""

from collections.abc import Iterator

import numpy as np

from guidedrec_core.data.prepared import PreparedData
from guidedrec_core.data.split import Cases
from guidedrec_core.models.base import FloatArray
from guidedrec_core.ranking import block_size, mask_seen, ndcg_at, ranks_of
from guidedrec_core.refinement.neighbours import Likeness
from guidedrec_core.refinement.refined import RefinedModel

WEIGHTS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Tried for the neighbours, in units of 1 / spread of their scores."""

NEVER = -1e4
"""Offset of items that shall not be recommended; a number, because a score must be finite."""

OFFSETS = (NEVER, *np.arange(-4.0, 6.01, 0.25).tolist())
"""Tried for items without training events."""

_ENOUGH = 0.99
"""Share of the best validation NDCG@10 at which a larger offset is preferred."""


def choose_weight(model: RefinedModel, likeness: Likeness, data: PreparedData, cases: Cases) -> float:
    """Choose the weight of the neighbours by validation NDCG@10; of equals the smallest."""
    sums = np.zeros(3)
    for _, beside, _ in _blocks(model, likeness, data, cases):
        exact = beside.astype(np.float64)
        sums += exact.size, exact.sum(), (exact**2).sum()
    variance = sums[2] / sums[0] - (sums[1] / sums[0]) ** 2
    weights = np.array(WEIGHTS) / np.sqrt(max(variance, 1e-24))
    gains = np.zeros(len(weights))
    for scores, beside, targets in _blocks(model, likeness, data, cases):
        for place, weight in enumerate(weights.astype(np.float32)):
            blended = scores + weight * np.where(np.isfinite(scores), beside, 0.0)
            gains[place] += ndcg_at(ranks_of(blended.astype(np.float32), targets), 10).sum()
    return float(weights[int(gains.argmax())])


def choose_cold_offset(model: RefinedModel, cold: np.ndarray, data: PreparedData, cases: Cases) -> float:
    """Choose what all items without training events get: the most that costs at most 1 % of validation NDCG@10.

    Such items gain users from day to day, so the test part, which is later, holds more of them than the validation
    part: of offsets that do about as well, the largest fits it best.

    Parameters
    ----------
    model : RefinedModel
        With an offset of 0.
    cold : ndarray of bool
        Items without training events, ``[n_items]``.
    """
    gains = np.zeros(len(OFFSETS))
    for scores, _, targets in _blocks(model, None, data, cases):
        for place, offset in enumerate(OFFSETS):
            moved = (scores + np.float32(offset) * cold).astype(np.float32)
            gains[place] += ndcg_at(ranks_of(moved, targets), 10).sum()
    return float(OFFSETS[int(np.flatnonzero(gains >= _ENOUGH * gains.max())[-1])])


def _blocks(
    model: RefinedModel, likeness: Likeness | None, data: PreparedData, cases: Cases
) -> Iterator[tuple[FloatArray, FloatArray, np.ndarray]]:
    """Yield scores with seen items masked, likenesses (unmasked) and targets, some cases at a time."""
    sequences, size = data.sequences, block_size(model.n_items)
    for first in range(0, len(cases), size):
        users, lengths = cases.users[first : first + size], cases.lengths[first : first + size]
        histories = [sequences.history(u, n) for u, n in zip(users.tolist(), lengths.tolist(), strict=True)]
        scores = mask_seen(model.scores(users, histories), histories)
        beside = np.zeros_like(scores) if likeness is None else likeness.scores(users, histories)
        yield scores, beside, cases.targets[first : first + size]
