"""The best items of one user in a large catalogue, exactly, in hardly more time than reading the item table takes.

`ranking` scores many users at a time, where the processor is the limit. For one user memory is: every item vector is
read once and used once. `benchmarks/retrieval.py` measures how near that limit this comes.
"""

from dataclasses import dataclass

import numpy as np

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import DataError
from guidedrec_core.models.base import FloatArray
from guidedrec_core.ranking.ranks import top_k


@dataclass(frozen=True)
class ItemIndex:
    """The items of a model whose scores are products of vectors, laid out for one request after the other.

    Attributes
    ----------
    table : FloatArray
        Item vectors as columns, ``[D, n_items]``, each row contiguous in memory. This way a product with one vector
        adds up long rows, which keeps pace with the memory; over item vectors as rows it sums inside each short row
        and takes about half as long again.
    bias : FloatArray
        ``[n_items]``.
    """

    table: FloatArray
    bias: FloatArray

    @classmethod
    def of(cls, item_embedding: FloatArray, item_bias: FloatArray) -> "ItemIndex":
        """Lay out a copy of item vectors ``[n_items, D]`` and their bias ``[n_items]``.

        Raises
        ------
        DataError
            There is not one bias for each item vector.
        """
        if item_embedding.ndim != 2 or item_bias.shape != item_embedding.shape[:1]:
            raise DataError(
                f"expected item vectors [n_items, D] and a bias [n_items], got shapes {item_embedding.shape} and "
                f"{item_bias.shape}; take both from one model"
            )
        return cls(np.ascontiguousarray(item_embedding.T, np.float32), np.ascontiguousarray(item_bias, np.float32))

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.bias)

    def best(self, user_vector: FloatArray, seen: IntArray, k: int) -> tuple[IntArray, FloatArray]:
        """Return the k best items a user has not seen, best first, and their scores.

        Parameters
        ----------
        user_vector : FloatArray
            What items are compared with, ``[D]``, finite.
        seen : IntArray
            Item indexes that are never returned.
        k : int
            Length of the list, at least 1; fewer come back where fewer are unseen.

        Returns
        -------
        IntArray
            Item indexes; ties are broken by index, lower first.
        FloatArray
            Their scores, product and bias.

        Examples
        --------
        >>> index = ItemIndex.of(np.array([[1.0], [3.0], [2.0], [3.0]]), np.zeros(4))
        >>> index.best(np.array([1.0], dtype=np.float32), seen=np.array([1]), k=2)
        (array([3, 2]), array([3., 2.], dtype=float32))
        """
        scores = user_vector.astype(np.float32, copy=False) @ self.table  # [n_items]
        scores += self.bias
        scores[seen] = -np.inf
        items = top_k(scores[None], k)[0]
        items = items[items >= 0]
        return items, scores[items]
