"""Popularity: everybody gets what most have taken. The baseline any model must beat."""

import numpy as np

from guidedrec_core.models.base import FloatArray, IntArray


class Popularity:
    """Scores an item by its number of training interactions.

    Parameters
    ----------
    counts : IntArray
        Training interactions of each item, shape ``[n_items]``.
    """

    def __init__(self, counts: IntArray) -> None:
        self.counts = counts

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.counts)

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items the same for everybody, shape ``[B, n_items]``."""
        return np.tile(self.counts.astype(np.float32), (len(histories), 1))
