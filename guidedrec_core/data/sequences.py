"""Histories as dense arrays, and the batches made from them.

Two numberings meet here and nowhere else: an *item index* is a row of the item table, ``0 .. n_items-1``; a *token*
is what stands in ``item_seq``, where 0 is padding and token ``t`` is item index ``t - 1``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.data.interactions import Interactions
from guidedrec_core.data.vocabulary import Vocabulary

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sequences:
    """All users' histories, one after the other (CSR layout).

    Attributes
    ----------
    items : IntArray
        Item indexes, shape ``[n_interactions]``, grouped by user, in time order.
    starts : IntArray
        User ``u``'s history is ``items[starts[u]:starts[u + 1]]``; shape ``[n_users + 1]``.
    times : IntArray
        Unix time in microseconds, shape ``[n_interactions]``.
    n_items : int
        Size of the item vocabulary.
    """

    items: IntArray
    starts: IntArray
    times: IntArray
    n_items: int

    @classmethod
    def of(cls, interactions: Interactions, users: Vocabulary, items: Vocabulary) -> "Sequences":
        """Index a clean table; users must be numbered in the table's order."""
        frame = interactions.frame
        user_index = users.indexes(frame[c.USER])
        counts = np.bincount(user_index, minlength=len(users))
        order = np.argsort(user_index, kind="stable")
        times = frame[c.DATETIME].to_numpy().astype("datetime64[us]").astype(np.int64)
        return cls(
            items=items.indexes(frame[c.ITEM])[order],
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            times=times[order],
            n_items=len(items),
        )

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> IntArray:
        """Interactions of each user, shape ``[n_users]``."""
        return np.diff(self.starts)

    def history(self, user: int, length: int | None = None) -> IntArray:
        """Return a user's first `length` item indexes (all by default)."""
        start, end = self.starts[user], self.starts[user + 1]
        return self.items[start : end if length is None else start + length]


def item_seq(histories: list[IntArray], max_length: int) -> IntArray:
    """Stack the most recent part of histories as tokens, padded on the left.

    Parameters
    ----------
    histories : list of IntArray
        Item indexes of B users.
    max_length : int
        L is the longest history, but at most this.

    Returns
    -------
    IntArray
        Tokens, shape ``[B, L]``, 0 = padding.

    Examples
    --------
    >>> item_seq([np.array([4, 5, 6]), np.array([7])], max_length=2)
    array([[6, 7],
           [0, 8]])
    """
    longest = max(1, min(max_length, max((len(h) for h in histories), default=1)))
    tokens = np.zeros((len(histories), longest), dtype=np.int64)
    for row, history in enumerate(histories):
        recent = history[-longest:]
        if len(recent):
            tokens[row, -len(recent) :] = recent + 1
    return tokens


@dataclass(frozen=True)
class Window:
    """A stretch of one user's training history: inputs and, one step on, targets."""

    user: int
    start: int
    end: int


@dataclass(frozen=True)
class Batch:
    """Training windows.

    Attributes
    ----------
    users : IntArray
        User indexes, shape ``[B]``.
    item_seq : IntArray
        Input tokens, shape ``[B, L]``, 0 = padding (left).
    targets : IntArray
        The token that follows each input, shape ``[B, L]``, 0 where there is nothing to learn.
    prefixes : list of IntArray
        Item indexes that precede each window in the user's history, oldest first; B arrays.
    """

    users: IntArray
    item_seq: IntArray
    targets: IntArray
    prefixes: list[IntArray]


class TrainingWindows:
    """Cuts training histories into windows in which every step but a user's first is a target exactly once.

    Parameters
    ----------
    sequences : Sequences
        All histories.
    n_train : IntArray
        Leading interactions of each user that belong to training, shape ``[n_users]``.
    max_length : int
        Longest input, L.
    batch_size : int
        Windows in a batch.
    """

    def __init__(self, sequences: Sequences, n_train: IntArray, max_length: int, batch_size: int) -> None:
        self.sequences = sequences
        self.batch_size = batch_size
        # Counted from the end, so that only a user's oldest window is short.
        self.windows = [
            Window(user, max(0, end - max_length), end)
            for user, length in enumerate(n_train.tolist())
            for end in range(length - 1, 0, -max_length)
        ]

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-len(self.windows) // self.batch_size)

    @property
    def n_targets(self) -> int:
        """Targets in an epoch."""
        return sum(w.end - w.start for w in self.windows)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield all windows once, in batches of similar length, in random order."""
        lengths = np.array([w.end - w.start for w in self.windows])
        # Sorting by length inside large random blocks keeps batches both random and nearly free of padding.
        order = rng.permutation(len(lengths))
        block = self.batch_size * 16
        order = np.concatenate(
            [
                part[np.argsort(lengths[part], kind="stable")]
                for part in np.split(order, range(block, len(order), block))
            ]
        )
        batches = np.split(order, range(self.batch_size, len(order), self.batch_size))
        for position in rng.permutation(len(batches)):
            yield self._batch([self.windows[i] for i in batches[position]])

    def _batch(self, windows: list[Window]) -> Batch:
        """Assemble one batch."""
        longest = max(w.end - w.start for w in windows)
        tokens = np.zeros((len(windows), longest), dtype=np.int64)
        targets = np.zeros_like(tokens)
        prefixes = []
        for row, window in enumerate(windows):
            history = self.sequences.history(window.user)
            size = window.end - window.start
            tokens[row, longest - size :] = history[window.start : window.end] + 1
            targets[row, longest - size :] = history[window.start + 1 : window.end + 1] + 1
            prefixes.append(history[: window.start])
        users = np.array([w.user for w in windows], dtype=np.int64)
        return Batch(users, tokens, targets, prefixes)
