"""What all counterfactuals share: where an item stands in a list, the goal, and when it is reached."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import InputError
from guidedrec_core.explanation.question import Question
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.ranking.ranks import mask_seen, ranks_of

Goal = Literal["leave", "enter"]
"""Whether the item is to leave the K best, or to enter them."""
FloatArray = npt.NDArray[np.float64]

_RELATIVE_MARGIN = 1e-5


def rounded_away(values: FloatArray, resolution: float) -> FloatArray:
    """Round away from 0 to multiples of a number, so that the few digits shown are what was scored.

    Examples
    --------
    >>> rounded_away(np.array([0.11, -0.11, 0.0, 0.3]), 0.1).round(9).tolist()
    [0.2, -0.2, 0.0, 0.3]
    """
    steps: FloatArray = np.maximum(np.ceil(np.abs(values) / resolution - 1e-9), 0.0)
    return np.sign(values) * (steps * resolution)


@dataclass(frozen=True)
class Standing:
    """Where an item stands in a user's list.

    Attributes
    ----------
    question : Question
        About an item that is not in the history.
    rank : int
        Among all items the user has not interacted with, from 1.
    scores : FloatArray
        The model's scores, ``[n_items]``; minus infinity for the items of the history.
    """

    question: Question
    rank: int
    scores: FloatArray

    @classmethod
    def of(cls, model: ItemScorer, question: Question) -> "Standing":
        """Score a user's items with one pass of the model.

        Raises
        ------
        InputError
            The user has the item already, or has so much that nothing can leave the list.
        """
        question.require_unseen()
        scores = mask_seen(model.scores(question.users, question.histories), question.histories)
        if int(np.isfinite(scores).sum()) <= question.k:
            raise InputError(f"expected more than {question.k} items that are not in the history; choose another user")
        return cls(question, int(ranks_of(scores, question.items)[0]), scores[0].astype(np.float64))

    @property
    def item(self) -> int:
        """The item in question."""
        return self.question.item

    @property
    def k(self) -> int:
        """Length of the list."""
        return self.question.k

    @property
    def goal(self) -> Goal:
        """What would be a change: an item of the list leaves it, another one enters."""
        return "leave" if self.rank <= self.k else "enter"

    @cached_property
    def margin(self) -> float:
        """By how much scores must differ at least after an edit, so that rounding cannot undo it."""
        known = self.scores[np.isfinite(self.scores)]
        return _RELATIVE_MARGIN * max(1.0, float(np.abs(known).max()))

    def reached(self, rank: int) -> bool:
        """Return whether a new rank reaches the goal."""
        return (rank > self.k) == (self.goal == "leave")

    @cached_property
    def leads(self) -> FloatArray:
        """Return by how much each other item leads this one, ``[n_items]``; minus infinity where it is no rival."""
        leads: FloatArray = self.scores - self.scores[self.item]
        leads[self.item] = -np.inf
        return leads

    def rank_of(self, scores: FloatArray) -> int:
        """Return the item's rank under other scores, ``[n_items]``; what is not recommended stays out."""
        ranked = np.where(np.isfinite(self.scores), scores, -np.inf)
        return int(ranks_of(ranked[None], self.question.items)[0])
