"""What every recommender can do: score the whole catalogue for a batch of histories."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


class ItemScorer(Protocol):
    """A trained model, base or refined, neural or not."""

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items.

        Parameters
        ----------
        users : IntArray
            User indexes, shape ``[B]``; -1 for an unknown user.
        histories : list of IntArray
            Each user's item indexes, oldest first; B arrays of any length, empty allowed.

        Returns
        -------
        FloatArray
            Shape ``[B, n_items]``, float32; higher is better, finite.
        """


class BaseModel(ItemScorer, Protocol):
    """A recommender whose score is a product of vectors: ``user_vectors @ item_embedding.T + item_bias``."""

    def user_vectors(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return the user vector after each history, ``[B, d]``; arguments as in `scores`."""

    def item_embedding(self) -> FloatArray:
        """Return the base item embedding, ``[n_items, d]``."""

    def item_bias(self) -> FloatArray:
        """Return the item bias, ``[n_items]``."""
