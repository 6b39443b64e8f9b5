"""What every refined model can do: score the catalogue, and split each score exactly."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.refinement.guided import FloatArray
from guidedrec_core.refinement.sources import Sources


@dataclass(frozen=True)
class Parts:
    """Scores of B users, split: ``scores = slopes @ G.T + remainder + bias``, but for rounding.

    Scores are of all N items, of n selected ones, or, from `RefinedModel.new_item_parts`, of n items outside the
    catalogue, given by their rows of G.

    Attributes
    ----------
    scores : FloatArray
        What the model's `scores` returns, ``[B, n]``.
    profile : FloatArray
        The users' values on each attribute, ``[B, A]``, in units of G (z-scores over items): the decayed mean of the
        guided vectors in the history, shrunk towards the user's LLM scores (additive form, where there are any) or 0.
    slopes : FloatArray
        What one unit of an item's value adds, ``[B, A]``; slope times item value is an attribute's contribution.
    remainder : FloatArray
        The share of the reduced base embedding, ``[B, n]``.
    bias : FloatArray
        What an item gets for every user alike, ``[n]``.
    trained_values : FloatArray or None
        The users' values on each attribute where the model learned them by training (literal form), ``[B, A]``, in the
        unit of `slopes`; None where it computes them from the profile. Whether training kept their meaning has to be
        tested on these.
    factors : FloatArray or None
        `RefinedModel.remainder_factors` of the same users, ``[B, d]``, where they were computed on the way.
    """

    scores: FloatArray
    profile: FloatArray
    slopes: FloatArray
    remainder: FloatArray
    bias: FloatArray
    trained_values: FloatArray | None = None
    factors: FloatArray | None = None


class RefinedModel(Protocol):
    """A recommender on refined embeddings, in one of the three modes."""

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""

    @property
    def n_attributes(self) -> int:
        """Number of attributes, A."""

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, n_items]``; see `ItemScorer.scores`."""

    def parts(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> Parts:
        """Split the scores for each history.

        Parameters
        ----------
        users, histories
            As in `scores`.
        items : IntArray, optional
            Item indexes, ``[n]``: only these are scored, which is much cheaper for many histories; all by default.
        """

    def slope_sources(self, users: IntArray, histories: list[IntArray]) -> Sources:
        """Split the slopes for each history by where they come from, ``[B, A]``; they sum to `Parts.slopes`."""

    def remainder_factors(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return the user's side of the remainder as a product of vectors, ``[B, d]``; see `remainder_vectors`."""

    def remainder_vectors(self) -> FloatArray:
        """Return the items' side of it, ``[n_items, d]``: ``remainder = factors @ vectors.T``, but for item-kNN."""

    def item_biases(self) -> FloatArray:
        """Return what each item gets for every user alike, ``[n_items]``; see `Parts.bias`."""

    def new_item_parts(self, users: IntArray, histories: list[IntArray], guided: FloatArray) -> Parts:
        """Split the scores of items without interactions that the catalogue does not hold.

        They are scored like items of the catalogue without training events. What a model learns about an item only
        from training events is that of an average item, or absent where items without events have none.

        Parameters
        ----------
        users, histories
            As in `scores`.
        guided : FloatArray
            Their guided embedding, ``[n, A]``; see `Standardisation`.
        """

    def new_item_remainders(self, guided: FloatArray) -> FloatArray | None:
        """Return the second block of their refined embedding, ``[n, K]``; None where attributes do not give it."""

    def with_item_value(self, item: int, value: FloatArray) -> Self:
        """Return the same model with another row of G, ``[A]``, for one item; all that was learned is shared."""

    def item_values(self) -> FloatArray:
        """Return the guided embedding G, ``[n_items, A]``."""

    def item_remainders(self) -> FloatArray:
        """Return the second block of the refined embedding, ``[n_items, K]``."""

    def frozen(self) -> dict[str, np.ndarray]:
        """Return the frozen inputs other than G, ready to store."""

    def weights(self) -> FloatArray:
        """Return the learned weight of each attribute, ``[A]``."""
