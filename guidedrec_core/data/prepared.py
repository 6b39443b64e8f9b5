"""`PreparedData`: a stored data set with its histories indexed and cut, as models and pages need it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from guidedrec_core.config import SplitConfig
from guidedrec_core.data import dataset as datasets
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.data.split import Cases, Split
from guidedrec_core.runs.store import Run, RunStore


@dataclass(frozen=True)
class PreparedData:
    """A data set with its histories indexed and cut.

    Attributes
    ----------
    run : Run
        The run of stage ``data``.
    dataset : Dataset
        Interactions and catalogue.
    sequences : Sequences
        Histories as item indexes.
    split : Split
        Train, valid and test.
    """

    run: Run
    dataset: Dataset
    sequences: Sequences
    split: Split

    @classmethod
    def of(cls, run: Run, split: SplitConfig) -> "PreparedData":
        """Load and cut a stored data set."""
        dataset = datasets.load(run)
        sequences = Sequences.of(dataset.interactions, dataset.users, dataset.items)
        cut = Split.of(sequences, split)
        if split.history_share < 1:
            sequences, cut = cut.thinned(sequences, split.history_share)
        return cls(run, dataset, sequences, cut)

    @property
    def is_temporal(self) -> bool:
        """Whether all training interactions come before all validation ones, and these before all test ones."""
        return self.split.train_until is not None

    @cached_property
    def _in_train(self) -> npt.NDArray[np.bool_]:
        """Which interactions are training ones, in the order of the histories."""
        return self._up_to(self.split.n_train)

    def _up_to(self, lengths: IntArray) -> npt.NDArray[np.bool_]:
        """Which interactions are among the first so many of their user's, in the order of the histories."""
        users = self._users
        return np.arange(len(users)) - self.sequences.starts[users] < lengths[users]

    @cached_property
    def _users(self) -> IntArray:
        """User index of each interaction, in the order of the histories."""
        return np.repeat(np.arange(self.sequences.n_users), self.sequences.lengths)

    @cached_property
    def train_pairs(self) -> tuple[IntArray, IntArray]:
        """User and item index of every training interaction."""
        return self._users[self._in_train], self.sequences.items[self._in_train]

    @cached_property
    def item_interactions(self) -> IntArray:
        """Training interactions of each item, ``[n_items]``."""
        return np.bincount(self.train_pairs[1], minlength=self.sequences.n_items).astype(np.int64)

    @cached_property
    def refreshed(self) -> "PreparedData":
        """The same data with the validation part counted as training: what is known when the test part begins.

        For what counts and is not trained: popularity and item-kNN are brought up to date as often as one likes.

        Raises
        ------
        ValueError
            Not a temporal split: a user's validation interaction may be younger than another's test interaction.
        """
        before, end = self.split.train_until, self.split.valid_until
        if before is None or end is None:
            raise ValueError("counts are brought up to date only with the temporal split")
        n_train = self.split.n_train + self.split.n_valid
        # The period stays as long as it is, because half-lives are counted in it.
        split = Split(n_train, np.zeros_like(n_train), self.split.notices, end, end + (end - before))
        return replace(self, split=split)

    def faded_interactions(self, half_life: float) -> npt.NDArray[np.float64]:
        """Return the training interactions of each item, older ones counting less, ``[n_items]``.

        Parameters
        ----------
        half_life : float
            Time before the end of training at which an interaction counts half, in lengths of the validation period.

        Raises
        ------
        ValueError
            Not a temporal split: training ends at another time for each user.
        """
        if self.split.train_until is None or self.split.valid_until is None:
            raise ValueError("faded interactions need the temporal split")
        unit = max(self.split.valid_until - self.split.train_until, 1) * half_life
        age = (self.split.train_until - self.sequences.times[self._in_train]) / unit
        counts = np.bincount(self.train_pairs[1], weights=0.5**age, minlength=self.sequences.n_items)
        return counts.astype(np.float64)

    def shown_length(self, user: int, with_valid: bool = True) -> int:
        """Return how many leading interactions a model may see of a user: train, or train and valid."""
        return int(self.split.n_train[user] + (self.split.n_valid[user] if with_valid else 0))

    def shown_history(self, user: int, with_valid: bool = True) -> IntArray:
        """Return the item indexes a model may see of a user."""
        return self.sequences.history(user, self.shown_length(user, with_valid))

    def held_out(self, user: int) -> IntArray:
        """Return a user's test items that are new to the user, in time order."""
        history = self.sequences.history(user)
        shown = self.shown_length(user)
        return np.array([i for i in history[shown:] if i not in history[:shown]], dtype=np.int64)

    @cached_property
    def valid_cases(self) -> Cases:
        """Held-out interactions of the validation part."""
        return self.split.cases(self.sequences, "valid")

    @cached_property
    def test_cases(self) -> Cases:
        """Held-out interactions of the test part."""
        return self.split.cases(self.sequences, "test")


def load_prepared(store: RunStore, base_run: Run) -> PreparedData:
    """Load the data a base run was trained on, cut as it was then."""
    return PreparedData.of(store.open(base_run.inputs["data"], "data"), SplitConfig.parse(base_run.config["split"]))
