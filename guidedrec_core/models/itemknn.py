"""Item-kNN: an item is scored by its likeness to the items in the history (Sarwar et al., WWW 2001)."""

import numpy as np
from scipy import sparse

from guidedrec_core.models.base import FloatArray, IntArray


class ItemKNN:
    """Cosine similarity between items' sets of training users, cut to the nearest neighbours.

    Parameters
    ----------
    users, items : IntArray
        Training interactions as index pairs, shape ``[n_interactions]`` each.
    n_users, n_items : int
        Sizes of the vocabularies.
    neighbours : int
        Neighbours an item keeps, K.
    """

    def __init__(self, users: IntArray, items: IntArray, n_users: int, n_items: int, neighbours: int) -> None:
        taken = sparse.csr_matrix((np.ones(len(items), np.float32), (users, items)), shape=(n_users, n_items))
        taken.data[:] = 1.0  # a repeated purchase counts once
        takers = np.asarray(taken.sum(axis=0), dtype=np.float64).ravel()  # [n_items]
        shared = (taken.T @ taken).tocoo()  # users who took both
        # One rounding at the end, so that cosines that are equal by their definition tie.
        cosines = shared.data / np.sqrt(takers[shared.row] * takers[shared.col])
        similarity = sparse.csr_matrix((cosines.astype(np.float32), (shared.row, shared.col)), shape=shared.shape)
        similarity.setdiag(0)
        similarity.eliminate_zeros()
        self.similarity = _keep_largest(similarity, neighbours)

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return int(self.similarity.shape[0])

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items by their summed similarity to each history, shape ``[B, n_items]``."""
        rows = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
        items = np.concatenate([*histories, np.empty(0, np.int64)])
        seen = sparse.csr_matrix((np.ones(len(items), np.float32), (rows, items)), shape=(len(histories), self.n_items))
        return np.asarray((seen @ self.similarity.T).todense(), dtype=np.float32)


def _keep_largest(matrix: sparse.csr_matrix, count: int) -> sparse.csr_matrix:
    """Keep the `count` largest entries of each row; ties go to the lower column."""
    starts, columns, values = matrix.indptr, matrix.indices, matrix.data
    keep = np.zeros(len(values), dtype=bool)
    for row in range(matrix.shape[0]):
        part = slice(starts[row], starts[row + 1])
        best = np.lexsort((columns[part], -values[part]))[:count]
        keep[starts[row] + best] = True
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(starts))
    return sparse.csr_matrix((values[keep], (rows[keep], columns[keep])), shape=matrix.shape)
