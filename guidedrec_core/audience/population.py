"""`Population`: all users of a data set with their pasts, tastes and lists, as arrays."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.audience.lists import TopLists
from guidedrec_core.audience.segments import Segments, find_segments
from guidedrec_core.audience.terms import Terms
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.models.base import FloatArray
from guidedrec_core.ranking.ranks import target_ranks
from guidedrec_core.recommenders.refined import RefinedRecommender

_USERS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Population:
    """All users of a data set, and what two models show them.

    Attributes
    ----------
    model : RefinedRecommender
        The refined recommender, whose `data` shows the part of the histories that the lists are made from.
    lists : TopLists
        The lists of all users.
    stored_cases : pandas.DataFrame or None
        Test cases with ranks, as `EvaluationReport.cases`; None computes those of base and refined when needed.
    """

    model: RefinedRecommender
    lists: TopLists
    stored_cases: pd.DataFrame | None = None

    @classmethod
    def of(
        cls,
        model: RefinedRecommender,
        recommendations: pd.DataFrame | None = None,
        cases: pd.DataFrame | None = None,
        k: int = 10,
    ) -> Self:
        """Prepare the users of a refined recommender.

        Lists start from histories without the test part, so that held-out items can be told from past ones.

        Parameters
        ----------
        model : RefinedRecommender
            A fitted refined recommender.
        recommendations : pandas.DataFrame, optional
            Lists of all users from these histories, as an evaluation stores them; computed by default.
        cases : pandas.DataFrame, optional
            Test cases with ranks, as an evaluation stores them; computed by default when they are needed.
        k : int
            Length of the lists, where they are computed.

        Raises
        ------
        InputError
            `k` is not positive.
        """
        if k < 1:
            raise InputError(f"expected a list length k of at least 1, got {k}")
        shown = model.showing("train+valid")
        if recommendations is None:
            models = {name: shown.model(name) for name in ("base", "refined")}
            return cls(shown, TopLists.of(models, shown.data, k), cases)
        return cls(shown, TopLists.from_table(recommendations, shown.data.dataset), cases)

    @property
    def data(self) -> SplitDataset:
        """Histories and catalogue."""
        return self.model.data

    @property
    def schema(self) -> AttributeSchema:
        """The attributes used, in column order."""
        return self.model.schema

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self.data.sequences.n_users

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.data.sequences.n_items

    @cached_property
    def terms(self) -> Terms:
        """The words of conditions."""
        return Terms.of(self.data.dataset, self.schema, self.model.verb)

    @cached_property
    def lengths(self) -> IntArray:
        """Past interactions of each user: those that the models were shown, ``[n_users]``."""
        split = self.data.split
        lengths: IntArray = split.n_train + split.n_valid
        return lengths

    @cached_property
    def past(self) -> sparse.csr_matrix:
        """How often each user had each item in the past, float64 ``[n_users, n_items]``."""
        sequences = self.data.sequences
        users = np.repeat(np.arange(self.n_users), sequences.lengths)
        known = np.arange(len(users)) - sequences.starts[users] < self.lengths[users]
        entries = (np.ones(int(known.sum())), (users[known], sequences.items[known]))
        return sparse.csr_matrix(entries, shape=(self.n_users, self.n_items))

    @cached_property
    def last_times(self) -> IntArray:
        """Time of each user's last past interaction, Unix microseconds ``[n_users]``; 0 without any."""
        sequences = self.data.sequences
        last = np.maximum(sequences.starts[:-1] + self.lengths - 1, 0)
        times: IntArray = np.where(self.lengths > 0, sequences.times[last], 0)
        return times

    @cached_property
    def _taste(self) -> tuple[FloatArray, FloatArray]:
        """Guided profiles and slopes of all users, ``[n_users, A]`` each."""
        profiles, slopes = [], []
        for first in range(0, self.n_users, _USERS_AT_ONCE):
            users = np.arange(first, min(first + _USERS_AT_ONCE, self.n_users))
            histories = [self.data.shown_history(user) for user in users.tolist()]
            parts = self.model.refined.parts(users, histories, np.array([0]))
            profiles.append(parts.profile)
            slopes.append(parts.slopes)
        return np.concatenate(profiles), np.concatenate(slopes)

    @property
    def profiles(self) -> FloatArray:
        """What each user seeks: guided profiles, ``[n_users, A]``, in units of the guided embedding."""
        return self._taste[0]

    @property
    def slopes(self) -> FloatArray:
        """What one unit of an item's value adds to a user's refined score, ``[n_users, A]``."""
        return self._taste[1]

    @cached_property
    def cases(self) -> pd.DataFrame:
        """Test cases: ``user_id, item_id`` (held out), ``rank_base, rank_refined`` and, if stored, other models'."""
        if self.stored_cases is not None:
            return self.stored_cases
        cases, data = self.data.test_cases, self.data
        ranks = {
            f"rank_{name}": target_ranks(self.model.model(name), data.sequences, cases) for name in ("base", "refined")
        }
        users, items = data.dataset.users.ids[cases.users], data.dataset.items.ids[cases.targets]
        return pd.DataFrame({c.USER: users, c.ITEM: items, **ranks})

    @cached_property
    def segments(self) -> Segments:
        """Segments of users by taste; see `guidedrec_core.audience.segments`."""
        return find_segments(self.profiles, self.schema, self.model.seed)

    def cut(self, k: int) -> Self:
        """Return the same users with lists of another length, at most that of these.

        Raises
        ------
        InputError
            The lists are shorter than that.
        """
        if k == self.lists.k:
            return self
        other = replace(self, lists=self.lists.cut(k))
        # Computed once for both.
        own = vars(self)
        vars(other).update({name: own[name] for name in _SHARED if name in own})
        return other


_SHARED = ("terms", "lengths", "past", "last_times", "_taste", "cases", "segments")
"""What does not depend on the lists."""
