"""What items without training events get, chosen on the validation part: in training, they do not exist."""

import numpy as np

from guidedrec_core.data.prepared import PreparedData
from guidedrec_core.data.sequences import Sequences
from guidedrec_core.data.split import Cases
from guidedrec_core.ranking import block_size, mask_seen, ndcg_at, ranks_of
from guidedrec_core.refinement.refined import RefinedModel

NEVER = -1e4
"""Offset of items that shall not be recommended; a number, because a score must be finite."""

OFFSETS = (NEVER, *np.arange(-4.0, 6.01, 0.25).tolist())
"""Tried for items without training events."""

_ENOUGH = 0.99
"""Share of the best validation NDCG@10 at which a larger offset is preferred."""


def choose_cold_offset(model: RefinedModel, cold: np.ndarray, data: PreparedData, cases: Cases) -> float:
    """Choose what all items without training events get: the most that costs at most 1 % of validation NDCG@10.

    Such items gain users from day to day, so the test part, which is later, holds more of them than the validation
    part. Hence, of a validation period, its later half is looked at; and of offsets that do about as well, the largest
    fits the test part best.

    Parameters
    ----------
    model : RefinedModel
        With an offset of 0.
    cold : ndarray of bool
        Items without training events, ``[n_items]``.
    data : PreparedData
        Histories and split.
    cases : Cases
        Validation cases.
    """
    if data.split.train_until is not None:
        cases = _later_half(cases, data.sequences)
    gains, size = np.zeros(len(OFFSETS)), block_size(model.n_items)
    for first in range(0, len(cases), size):
        users, lengths = cases.users[first : first + size], cases.lengths[first : first + size]
        histories = [data.sequences.history(u, n) for u, n in zip(users.tolist(), lengths.tolist(), strict=True)]
        scores, targets = mask_seen(model.scores(users, histories), histories), cases.targets[first : first + size]
        for place, offset in enumerate(OFFSETS):
            moved = (scores + np.float32(offset) * cold).astype(np.float32)
            gains[place] += ndcg_at(ranks_of(moved, targets), 10).sum()
    return float(OFFSETS[int(np.flatnonzero(gains >= _ENOUGH * gains.max())[-1])])


def _later_half(cases: Cases, sequences: Sequences) -> Cases:
    """Keep the later half of cases, by the time of what is to be predicted."""
    times = sequences.times[sequences.starts[cases.users] + cases.lengths]
    return cases.take(np.flatnonzero(times >= np.quantile(times, 0.5, method="lower")))
