"""Histories as dense arrays, and the batches made from them.

Two numberings are used here and nowhere else: an *item index* is a row of the item table, ``0 .. n_items-1``; a *token*
is an entry of ``item_seq``, where 0 is padding and token ``t`` is item index ``t - 1``.
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
    """Histories of all users in one array (CSR layout).

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
class Batch:
    """Training windows.

    Attributes
    ----------
    users : IntArray
        User indexes, shape ``[B]``.
    item_seq : IntArray
        Tokens, shape ``[B, L + 1]``, 0 = padding (left): L inputs, and the last one's successor. Every token but a
        row's first is to be predicted.
    prefixes : list of IntArray
        Item indexes that precede each window in the user's history, oldest first; B arrays.
    """

    users: IntArray
    item_seq: IntArray
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
        Mean number of windows in a batch, ``B``. A batch has about as many targets as ``B`` windows of mean length.
    """

    def __init__(self, sequences: Sequences, n_train: IntArray, max_length: int, batch_size: int) -> None:
        self.sequences = sequences
        self.n_train = n_train
        self.batch_size = batch_size
        steps = np.maximum(n_train - 1, 0)
        windows = -(-steps // max_length)  # of each user
        number = np.arange(windows.sum()) - np.repeat(np.cumsum(windows) - windows, windows)  # 0 = most recent
        # A window's inputs are the user's interactions `starts .. ends-1`, its targets `starts+1 .. ends`. Counted from
        # the end, so that only a user's oldest window is short.
        self.users = np.repeat(np.arange(len(n_train)), windows)
        self.ends = np.repeat(steps, windows) - number * max_length
        self.starts = np.maximum(0, self.ends - max_length)

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.users)

    @property
    def n_targets(self) -> int:
        """Targets in an epoch."""
        return int((self.ends - self.starts).sum())

    def item_counts(self) -> IntArray:
        """Return the training interactions of each item, ``[n_items]``."""
        position = np.arange(len(self.sequences.items)) - np.repeat(self.sequences.starts[:-1], self.sequences.lengths)
        trained = position < np.repeat(self.n_train, self.sequences.lengths)
        return np.bincount(self.sequences.items[trained], minlength=self.sequences.n_items)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield all windows once, in batches of similar length and about equally many targets, in random order.

        A training step follows the mean over the targets of a batch. With a fixed number of windows, a batch of short
        histories would move the weights as far as one of long ones, and an interaction of an active user would count
        several times less than one of an occasional user.
        """
        lengths = self.ends - self.starts
        size = -(-self.n_targets * self.batch_size // len(self))  # targets in a batch
        # Sorting by length inside large random blocks keeps batches both random and nearly free of padding.
        batches: list[IntArray] = []
        for block in _parts(rng.permutation(len(lengths)), lengths, 16 * size):
            batches += _parts(block[np.argsort(lengths[block], kind="stable")], lengths, size)
        for position in rng.permutation(len(batches)):
            yield self._batch(batches[position])

    def _batch(self, windows: IntArray) -> Batch:
        """Assemble one batch."""
        users, starts, ends = self.users[windows], self.starts[windows], self.ends[windows]
        first = self.sequences.starts[users]  # where each user's history begins in `sequences.items`
        longest = int((ends - starts).max())
        steps = ends[:, None] + np.arange(-longest, 1)  # [B, L + 1], of the user's history
        shown = steps >= starts[:, None]
        tokens = np.where(shown, self.sequences.items[np.where(shown, first[:, None] + steps, 0)] + 1, 0)
        bounds = zip(first.tolist(), (first + starts).tolist(), strict=True)
        return Batch(users, tokens, [self.sequences.items[begin:end] for begin, end in bounds])


def _parts(windows: IntArray, lengths: IntArray, size: int) -> list[IntArray]:
    """Cut windows, in their order, into parts of about equal total length, each of about `size` at most."""
    ends = np.cumsum(lengths[windows])
    number = (ends - 1) * -(-ends[-1] // size) // ends[-1]
    return np.split(windows, np.flatnonzero(np.diff(number)) + 1)
