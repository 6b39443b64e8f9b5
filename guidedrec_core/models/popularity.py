"""Popularity: every user gets the same ranking, by training interactions. The baseline that any model must beat."""

from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core.models.base import FloatArray, IntArray


class PopularityModel:
    """Scores an item by its number of training interactions.

    Parameters
    ----------
    counts : ndarray
        Training interactions of each item, shape ``[n_items]``; may be decayed by age.
    half_life : float or None
        Age at which an interaction counts half, kept as a record; None for plain counts.
    """

    def __init__(self, counts: npt.NDArray[Any], half_life: float | None = None) -> None:
        self.counts = counts
        self.half_life = half_life

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.counts)

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items, the same for every user, shape ``[B, n_items]``."""
        return np.tile(self.counts.astype(np.float32), (len(histories), 1))
