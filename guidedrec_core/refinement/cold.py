"""The score offset of items without training events, chosen on the validation part: training has no such items."""

import numpy as np

from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.data.split import Cases
from guidedrec_core.models.base import FloatArray
from guidedrec_core.ranking.ranks import block_size, mask_seen, ndcg_at, ranks_of
from guidedrec_core.refinement.refined import RefinedModel

NEVER = -1e4
"""Offset of items that must not be recommended; a finite number, because scores must be finite."""

OFFSETS = (NEVER, *np.arange(-4.0, 6.01, 0.25).tolist())
"""Candidates for items without training events."""

_ENOUGH = 0.99
"""Share of the best validation NDCG@10 from which on a larger offset is preferred, where targets include such items."""

_COLD_SHARE = 0.01
"""Share of validation targets that must be items without training events for these to be ranked."""


def asks_for_cold(cold: np.ndarray, cases: Cases) -> bool:
    """Tell whether enough validation targets are items without training events, ``cold [n_items]``."""
    return bool(cold[cases.targets].mean() >= _COLD_SHARE)


def choose_cold_offset(model: RefinedModel, cold: np.ndarray, data: SplitDataset, cases: Cases) -> float:
    """Choose the offset of all items without training events: the largest that costs at most 1 % of validation NDCG@10.

    Such items gain users from day to day, so the test part, which is later, has more of them than the validation part.
    Hence only the later half of a validation period is used; and of offsets that do about as well, the largest fits the
    test part best. Where less than a hundredth of the targets are such items, they may cost nothing, and the offset is
    the closest to 0, which is an average item with their guided scores, that this allows.

    Parameters
    ----------
    model : RefinedModel
        With an offset of 0.
    cold : ndarray of bool
        Items without training events, ``[n_items]``.
    data : SplitDataset
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
        gains += ndcg_at(ranks_by_offset(scores, cold, targets), 10).sum(axis=1)
    offsets = np.array(OFFSETS)
    if asks_for_cold(cold, cases):
        return float(offsets[gains >= _ENOUGH * gains.max()][-1])
    harmless = offsets[gains == gains.max()]
    return float(harmless[np.abs(harmless).argmin()])


def ranks_by_offset(scores: FloatArray, cold: np.ndarray, targets: IntArray) -> IntArray:
    """Return the targets' ranks with each of `OFFSETS` on cold items, ``[len(OFFSETS), B]``, for ``scores [B, N]``."""
    ranks = np.empty((len(OFFSETS), len(targets)), dtype=np.int64)
    rare, places = cold[targets], np.flatnonzero(cold)
    # A target that is not cold keeps its score, so only cold items can pass it; the others are counted once.
    still, wanted = scores[~rare], targets[~rare, None]
    own, moving, before = np.take_along_axis(still, wanted, axis=1), still[:, places], places < wanted  # [b, n_cold]

    def passing(offset: float) -> IntArray:
        """Count the cold items that rank before each target, by the rules of `ranks_of`."""
        moved = moving + np.float32(offset)
        count: IntArray = (~(moved <= own) | ((moved == own) & before)).sum(axis=1)
        return count

    behind_warm = ranks_of(still, wanted[:, 0]) - passing(0.0)
    for place, offset in enumerate(OFFSETS):
        ranks[place, ~rare] = behind_warm + passing(offset)
        ranks[place, rare] = ranks_of(scores[rare] + np.float32(offset) * cold.astype(np.float32), targets[rare])
    return ranks


def _later_half(cases: Cases, sequences: Sequences) -> Cases:
    """Keep the later half of cases, by the time of what is to be predicted."""
    times = sequences.times[sequences.starts[cases.users] + cases.lengths]
    return cases.take(np.flatnonzero(times >= np.quantile(times, 0.5, method="lower")))
