"""A refined model with item-kNN beside it: what sequence models forget about pairs of items, neighbours remember.

    score = refined score + nu * likeness to the history

The likeness is recency-weighted item-kNN's score. It knows no attributes, so it belongs to the remainder.
"""

from typing import Protocol

import numpy as np

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.refinement.guided import FloatArray
from guidedrec_core.refinement.refined import Parts, RefinedModel


class Likeness(Protocol):
    """What is asked of item-kNN."""

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return each item's likeness to each history, ``[B, n_items]``."""


class WithNeighbours:
    """Refined model plus a weighted likeness to the history.

    Parameters
    ----------
    refined : RefinedModel
        In any mode.
    likeness : Likeness
        Item-kNN.
    weight : float
        nu, chosen on the validation part; 0 leaves the refined model as it is.
    """

    def __init__(self, refined: RefinedModel, likeness: Likeness, weight: float) -> None:
        self.refined = refined
        self.likeness = likeness
        self.weight = weight

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.refined.n_items

    @property
    def n_attributes(self) -> int:
        """Number of attributes, A."""
        return self.refined.n_attributes

    def _beside(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return what is added to the scores, ``[B, n_items]``."""
        added: FloatArray = np.float32(self.weight) * self.likeness.scores(users, histories)
        return added

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, n_items]``."""
        return self.refined.scores(users, histories) + self._beside(users, histories)

    def parts(self, users: IntArray, histories: list[IntArray]) -> Parts:
        """Split the scores for each history."""
        own, beside = self.refined.parts(users, histories), self._beside(users, histories)
        return Parts(own.scores + beside, own.profile, own.slopes, own.remainder + beside, own.bias)

    def item_values(self) -> FloatArray:
        """Return the guided embedding G, ``[n_items, A]``."""
        return self.refined.item_values()

    def item_remainders(self) -> FloatArray:
        """Return the other half of the refined embedding, ``[n_items, K]``."""
        return self.refined.item_remainders()

    def weights(self) -> FloatArray:
        """Return how much each attribute counts, ``[A]``, learned."""
        return self.refined.weights()
