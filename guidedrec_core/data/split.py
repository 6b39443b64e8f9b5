"""Train, valid and test: leading, middle and last part of every user's history."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from guidedrec_core.config import SplitConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.errors import DataError

Part = Literal["valid", "test"]


@dataclass(frozen=True)
class Cases:
    """Held-out interactions, each to be predicted from the history before it.

    Attributes
    ----------
    users : IntArray
        User index of each case, shape ``[n_cases]``.
    lengths : IntArray
        How many leading interactions of the user precede the target, shape ``[n_cases]``: the history shown.
    targets : IntArray
        Item index held out, shape ``[n_cases]``.
    n_repeats : int
        Held-out interactions left out because the user already had the item: seen items are never recommended.
    n_without_history : int
        Held-out interactions left out because nothing precedes them.
    """

    users: IntArray
    lengths: IntArray
    targets: IntArray
    n_repeats: int
    n_without_history: int

    def __len__(self) -> int:
        return len(self.users)

    def take(self, cases: IntArray) -> "Cases":
        """Return some of the cases, by position."""
        return replace(self, users=self.users[cases], lengths=self.lengths[cases], targets=self.targets[cases])


@dataclass(frozen=True)
class Split:
    """Where each user's history is cut; every part is contiguous in time.

    Attributes
    ----------
    n_train, n_valid : IntArray
        Leading interactions in train, and following ones in valid; shape ``[n_users]``. The rest is test.
    notices : tuple of Notice
        Users without a test or training part, with counts.
    train_until, valid_until : int or None
        Last moment of the training and of the validation period, in the unit of ``Sequences.times``; temporal only.
    """

    n_train: IntArray
    n_valid: IntArray
    notices: tuple[Notice, ...] = ()
    train_until: int | None = None
    valid_until: int | None = None

    @classmethod
    def of(cls, sequences: Sequences, config: SplitConfig) -> "Split":
        """Cut all histories.

        Raises
        ------
        DataError
            No user has two interactions to train on, or no user has one to test with.
        """
        lengths = sequences.lengths
        notices = []
        ends: tuple[int, ...] = ()
        if config.kind == "leave-one-out":
            held_out = lengths >= 3
            n_train = np.where(held_out, lengths - 2, lengths)
            n_valid = np.where(held_out, 1, 0)
            short = int((~held_out).sum())
            if short:
                notices.append(
                    Notice.counted(
                        "short_histories",
                        short,
                        "user has fewer than 3 interactions and is only trained on",
                        "users have fewer than 3 interactions and are only trained on",
                    )
                )
        else:
            cuts = np.quantile(
                sequences.times,
                [1 - config.valid_fraction - config.test_fraction, 1 - config.test_fraction],
                method="lower",
            )
            ends = int(cuts[0]), int(cuts[1])
            users = np.repeat(np.arange(sequences.n_users), lengths)
            n_train = np.bincount(users[sequences.times <= cuts[0]], minlength=sequences.n_users)
            n_valid = np.bincount(users[sequences.times <= cuts[1]], minlength=sequences.n_users) - n_train
            new = int((n_train == 0).sum())
            if new:
                notices.append(
                    Notice.counted(
                        "users_without_training",
                        new,
                        "user appears only after the training period",
                        "users appear only after the training period",
                    )
                )
        split = cls(n_train.astype(np.int64), n_valid.astype(np.int64), tuple(notices), *ends)
        if not (n_train > 1).any() or not (lengths - n_train - n_valid > 0).any():
            if config.kind == "leave-one-out":
                expected = "at least one user with at least 4 interactions (2 to train on, 1 each for valid and test)"
            else:
                expected = "a user with 2 interactions in the training period and interactions after the training"
            raise DataError(
                f"expected {expected}; the longest of {len(lengths):,} histories has {int(lengths.max())}. "
                "Import more data"
            )
        return split

    def thinned(self, sequences: Sequences, share: float) -> "tuple[Sequences, Split]":
        """Drop the oldest part of every training history; valid and test parts stay as they are.

        Parameters
        ----------
        sequences : Sequences
            What was cut.
        share : float
            Of each training history kept, in (0, 1]; rounded up, so that none is left empty.
        """
        kept = np.ceil(self.n_train * share).astype(np.int64)
        dropped = self.n_train - kept
        lengths = sequences.lengths
        position = np.arange(len(sequences.items)) - np.repeat(sequences.starts[:-1], lengths)
        stays = position >= np.repeat(dropped, lengths)
        starts = np.concatenate([[0], np.cumsum(lengths - dropped)]).astype(np.int64)
        shorter = Sequences(sequences.items[stays], starts, sequences.times[stays], sequences.n_items)
        return shorter, replace(self, n_train=kept)

    def cases(self, sequences: Sequences, part: Part) -> Cases:
        """List the held-out interactions of a part, each with its history up to then (rolling)."""
        first = self.n_train if part == "valid" else self.n_train + self.n_valid
        last = self.n_train + self.n_valid if part == "valid" else sequences.lengths
        users, lengths, targets = [], [], []
        repeats = without = 0
        for user in np.flatnonzero(last > first).tolist():
            history = sequences.history(user)
            for position in range(int(first[user]), int(last[user])):
                if position == 0:
                    without += 1
                elif history[position] in history[:position]:
                    repeats += 1
                else:
                    users.append(user)
                    lengths.append(position)
                    targets.append(int(history[position]))
        columns = np.array([users, lengths, targets], dtype=np.int64)
        return Cases(columns[0], columns[1], columns[2], repeats, without)
