"""The base and the refined item space: who is near whom, and what makes them near."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray

FloatArray = npt.NDArray[np.float32]

_BLOCK = 1024


@dataclass(frozen=True)
class ItemSpace:
    """Item vectors of length 1, so that a product of two is their cosine similarity.

    Attributes
    ----------
    vectors : FloatArray
        ``[n_items, D]``.
    n_attributes : int
        The first columns that are attributes; 0 in the base space.
    """

    vectors: FloatArray
    n_attributes: int

    @classmethod
    def base(cls, embedding: FloatArray) -> "ItemSpace":
        """Make the space of a base embedding ``[n_items, d_base]``, centred."""
        return cls(_unit(embedding - embedding.mean(axis=0)), 0)

    @classmethod
    def refined(cls, guided: FloatArray, reduced: FloatArray) -> "ItemSpace":
        """Make the space of the refined embedding ``[G ; R]``.

        G's columns have variance 1. R, centred, is scaled as one block to the same variance a column, so that each
        dimension weighs alike, whatever the scale training left R in.
        """
        return cls(_unit(refined_vectors(guided, reduced, reduced)), guided.shape[1])

    @classmethod
    def guided(cls, guided: FloatArray) -> "ItemSpace":
        """Make the space of the guided embedding ``[n_items, A]`` alone."""
        return cls(_unit(guided), guided.shape[1])

    def neighbours(self, k: int) -> IntArray:
        """Return the k nearest other items of every item, nearest first, ``[n_items, k]``."""
        n = len(self.vectors)
        k = min(k, n - 1)
        nearest = np.empty((n, k), dtype=np.int64)
        for first in range(0, n, _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, n))
            likeness = self.vectors[rows] @ self.vectors.T  # [block, n]
            likeness[np.arange(len(rows)), rows] = -np.inf
            part = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
            order = np.lexsort((part, -np.take_along_axis(likeness, part, axis=1)), axis=1)
            nearest[rows] = np.take_along_axis(part, order, axis=1)
        return nearest

    def nearest(self, item: int, k: int) -> tuple[IntArray, FloatArray]:
        """Return the k nearest other items of one item, and their cosine similarities."""
        likeness = self.vectors @ self.vectors[item]
        likeness[item] = -np.inf
        return _best(likeness, min(k, len(likeness) - 1))

    def nearest_to(self, vector: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
        """Return the k items nearest to a vector ``[D]`` from outside, and their cosine similarities."""
        return _best(self.vectors @ _unit(vector[None])[0], min(k, len(self.vectors)))

    def shares(self, item: int, others: IntArray) -> FloatArray:
        """Split cosine similarities over attributes and the rest.

        Returns
        -------
        FloatArray
            ``[n, n_attributes + 1]``: one term an attribute, last the reduced base part; a row sums to the similarity.
        """
        return self.shares_of(self.vectors[item], others)

    def shares_of(self, vector: FloatArray, others: IntArray) -> FloatArray:
        """Split the cosine similarities of a vector ``[D]`` from outside; see `shares`."""
        products = self.vectors[others] * _unit(vector[None])  # [n, D]
        rest = products[:, self.n_attributes :].sum(axis=1, keepdims=True)
        return np.concatenate([products[:, : self.n_attributes], rest], axis=1)


def refined_vectors(guided: FloatArray, reduced: FloatArray, catalogue: FloatArray) -> FloatArray:
    """Join both halves of the refined embedding as the refined space weighs them, ``[n, A + K]``.

    Parameters
    ----------
    guided, reduced : FloatArray
        Rows of G and R, ``[n, A]`` and ``[n, K]``.
    catalogue : FloatArray
        R of the whole catalogue, which is what they are centred and scaled by.
    """
    centre = catalogue.mean(axis=0)
    spread = float(np.sqrt(((catalogue - centre) ** 2).mean()))
    return np.concatenate([guided, (reduced - centre) / max(spread, 1e-12)], axis=1)


def overlap(first: IntArray, second: IntArray) -> FloatArray:
    """Return the share of neighbours two lists have in common, row by row, ``[n_items]``, 0 to 1.

    Examples
    --------
    >>> overlap(np.array([[1, 2]]), np.array([[2, 3]])).tolist()
    [0.5]
    """
    common = [(np.isin(a, b)).mean() for a, b in zip(first, second, strict=True)]
    return np.array(common, dtype=np.float32)


def item_pulls(raw_z: FloatArray, base: IntArray, refined: IntArray) -> FloatArray:
    """Say how much more alike each item's neighbours became on each attribute.

    Parameters
    ----------
    raw_z : FloatArray
        z-scored guided scores ``[n_items, A]``.
    base, refined : IntArray
        Neighbours of all items in either space, ``[n_items, k]``.

    Returns
    -------
    FloatArray
        ``[n_items, A]``: by how many standard deviations an item's neighbours are closer to it in the refined space
        than in the base space, on average; negative = further apart.
    """
    pulls = np.empty(raw_z.shape, dtype=np.float32)
    for first in range(0, len(raw_z), _BLOCK):
        here = slice(first, first + _BLOCK)
        own = raw_z[here][:, None, :]  # [block, 1, A]
        before = np.abs(raw_z[base[here]] - own).mean(axis=1)
        pulls[here] = before - np.abs(raw_z[refined[here]] - own).mean(axis=1)
    return pulls


def _best(likeness: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Return the places of the k largest numbers, largest first, and these numbers."""
    order = np.argsort(-likeness, kind="stable")[:k]
    return order, likeness[order]


def _unit(vectors: FloatArray) -> FloatArray:
    """Scale rows to length 1; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit
