"""`NamedScorer`: a refined model in whose scores what no name covers counts less, or not at all."""

from dataclasses import dataclass

import numpy as np

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.refinement.guided import FloatArray


@dataclass(frozen=True, eq=False)
class NamedScorer:
    """An `ItemScorer`: scores less ``(1 - weight)`` of what no name covers.

    Attributes
    ----------
    named : NamedModel
        The refined model with the names of its parts.
    weight : float
        How much of what no name covers counts: 1 gives the model's own scores, 0 its named parts alone.
    """

    named: NamedModel
    weight: float

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.named.n_items

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, n_items]``; see `ItemScorer.scores`."""
        if self.weight == 1:
            return self.named.model.scores(users, histories)
        parts = self.named.parts(users, histories)
        return (parts.scores - (1 - self.weight) * parts.unnamed).astype(np.float32)
