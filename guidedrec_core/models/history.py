"""Histories as weighted rows of a sparse matrix, the input of models that sum item similarities."""

import numpy as np
from scipy import sparse

from guidedrec_core.models.base import IntArray


def history_matrix(histories: list[IntArray], n_items: int, decay: float) -> sparse.csr_matrix:
    """Weight each interaction by the steps since; an item that occurs several times counts each time.

    Parameters
    ----------
    histories : list of IntArray
        B arrays of item indexes, oldest first.
    n_items : int
        Size of the catalogue.
    decay : float
        Weight of an interaction relative to the next one, in (0, 1]; 1 weighs all alike.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32, ``[B, n_items]``.

    Examples
    --------
    >>> history_matrix([np.array([2, 0])], n_items=3, decay=0.5).toarray().tolist()
    [[1.0, 0.0, 0.5]]
    """
    rows = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
    items = np.concatenate([*histories, np.empty(0, np.int64)])
    back = np.concatenate([*(np.arange(len(h))[::-1] for h in histories), np.empty(0, np.int64)])
    weights = np.power(decay, back, dtype=np.float64).astype(np.float32)
    return sparse.csr_matrix((weights, (rows, items)), shape=(len(histories), n_items))
