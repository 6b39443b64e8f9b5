"""`Subjects`: what conditions are about, the items and users of a refined recommender."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.conditions.condition import Refined, Segment, Shown
from guidedrec_core.conditions.phrases import condition_text
from guidedrec_core.conditions.terms import Terms
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.models.base import FloatArray
from guidedrec_core.recommenders.refined import RefinedRecommender

_USERS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Subjects:
    """The items and users of a refined recommender; nothing is computed before a condition needs it.

    Conditions on items need the catalogue, scores and training counts; those on what users had need histories, those on
    what users seek need all users' guided profiles. None needs lists; see `of_lists`.

    Attributes
    ----------
    model : RefinedRecommender
        The refined recommender, whose `data` shows the part of the histories that counts as past.
    """

    model: RefinedRecommender
    skips_unknown_ids: ClassVar[bool] = False
    """Whether ids that are not there are left out of a condition given as data; an error otherwise."""

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

    @property
    def lengths(self) -> IntArray:
        """Past interactions of each user: those that the models are shown, ``[n_users]``."""
        return self.data.shown_lengths

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

    def of_lists(self, condition: Refined | Shown | Segment) -> npt.NDArray[np.bool_]:
        """Return the users of a condition on lists or segments, ``[n_users]``; `Audience` knows them.

        Raises
        ------
        InputError
            Always here: what decides lists cannot depend on them, and segments are of the evaluated histories.
        """
        said = condition_text(condition, self.terms)
        raise InputError(
            f"expected a condition on what {self.model.verb.users} had or seek, got “{said}”, which depends on the "
            f"lists or segments of all of them; ask about it with `guidedrec audience`, or name the "
            f"{self.model.verb.users} by id"
        )
