"""Exact ranking of the whole catalogue, in blocks of users so that memory stays bounded.

Seen items are never candidates. Ties are broken by item index, lower first, everywhere.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.data.split import Cases
from guidedrec_core.models.base import FloatArray, ItemScorer

# A block of scores takes at most this many numbers (256 MiB of float32), whatever the size of the catalogue.
_BLOCK_NUMBERS = 64 * 1024 * 1024
_LARGEST_BLOCK = 512
# Neighbouring items whose best score is looked at first in the search for the k best.
_RUN = 256


def target_ranks(
    model: ItemScorer, sequences: Sequences, cases: Cases, on_block: Callable[[int], None] | None = None
) -> IntArray:
    """Rank each case's held-out item among all items its user has not seen.

    Parameters
    ----------
    model : ItemScorer
        The model.
    sequences : Sequences
        Histories; a case sees only what precedes its target.
    cases : Cases
        What to predict.
    on_block : callable, optional
        Hears the number of cases done.

    Returns
    -------
    IntArray
        Ranks from 1, shape ``[n_cases]``.
    """
    ranks = np.empty(len(cases), dtype=np.int64)
    size = block_size(model.n_items)
    by_length = np.argsort(cases.lengths, kind="stable")  # blocks of similar length hold little padding
    for first in range(0, len(cases), size):
        part = by_length[first : first + size]
        users, lengths = cases.users[part], cases.lengths[part]
        histories = [sequences.history(u, n) for u, n in zip(users.tolist(), lengths.tolist(), strict=True)]
        scores = mask_seen(model.scores(users, histories), histories)
        ranks[part] = ranks_of(scores, cases.targets[part])
        if on_block is not None:
            on_block(first + len(part))
    return ranks


def top_lists(model: ItemScorer, sequences: Sequences, users: IntArray, lengths: IntArray, k: int) -> IntArray:
    """Return each user's k best unseen items, best first.

    Parameters
    ----------
    model : ItemScorer
        The model.
    sequences : Sequences
        All histories.
    users, lengths : IntArray
        User indexes and how many leading interactions of each are shown, ``[B]`` each.
    k : int
        Length of the lists, at most ``n_items``.

    Returns
    -------
    IntArray
        Item indexes, ``[B, k]``; -1 where fewer than k can be recommended.
    """
    lists = np.empty((len(users), min(k, model.n_items)), dtype=np.int64)
    size = block_size(model.n_items)
    for first in range(0, len(users), size):
        part = slice(first, first + size)
        shown = zip(users[part].tolist(), lengths[part].tolist(), strict=True)
        histories = [sequences.history(user, length) for user, length in shown]
        lists[part] = top_k(mask_seen(model.scores(users[part], histories), histories), k)
    return lists


def ranks_of(scores: FloatArray, items: IntArray) -> IntArray:
    """Return the rank, from 1, of one item in each row of ``scores [B, n_items]``."""
    own = scores[np.arange(len(items)), items][:, None]  # [B, 1]
    higher = (~(scores <= own)).sum(axis=1)  # a score that is no number never gives a good rank
    tied_before = ((scores == own) & (np.arange(scores.shape[1]) < items[:, None])).sum(axis=1)
    ranks: IntArray = (1 + higher + tied_before).astype(np.int64)
    return ranks


def mask_seen(scores: FloatArray, histories: list[IntArray]) -> FloatArray:
    """Return scores with minus infinity at each row's seen items."""
    masked = scores.copy()
    rows = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
    masked[rows, np.concatenate([*histories, np.empty(0, np.int64)])] = -np.inf
    return masked


def top_k(scores: npt.NDArray[np.floating], k: int) -> IntArray:
    """Return the k best items of each row, best first; -1 where fewer than k can be recommended.

    Parameters
    ----------
    scores : FloatArray
        ``[B, n_items]``, minus infinity for what must not be recommended.
    k : int
        Length of the lists, at most ``n_items``.

    Examples
    --------
    >>> top_k(np.array([[1.0, 3.0, 3.0, -np.inf]], dtype=np.float32), k=2)
    array([[1, 2]])
    """
    k = min(k, scores.shape[1])
    # k runs reach the k-th best of the runs' maxima, so k items do, and what is below is not among the k best. Finding
    # maxima takes one fast pass and leaves little to sort.
    maxima = np.maximum.reduceat(scores, np.arange(0, scores.shape[1], _RUN), axis=1)  # [B, n_items / _RUN]
    limits = np.partition(maxima if maxima.shape[1] >= k else scores, -k, axis=1)[:, -k]
    best = np.full((len(scores), k), -1, dtype=np.int64)
    for row, limit in enumerate(limits):
        candidates = np.flatnonzero(scores[row] >= limit)
        candidates = candidates[np.isfinite(scores[row, candidates])]
        # A stable sort settles ties by index.
        order = np.argsort(-scores[row, candidates], kind="stable")[:k]
        best[row, : len(order)] = candidates[order]
    return best


def block_size(n_items: int) -> int:
    """Return how many users to score at a time."""
    return max(1, min(_LARGEST_BLOCK, _BLOCK_NUMBERS // max(1, n_items)))


def ndcg_at(ranks: IntArray, k: int) -> npt.NDArray[np.float64]:
    """Return NDCG@k of single held-out items, ``[n_cases]``: 1 at rank 1, as the ideal is one hit on top."""
    return np.where(ranks <= k, 1.0 / np.log2(ranks + 1.0), 0.0)
