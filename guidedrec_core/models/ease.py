"""EASE: a linear model that predicts each item from all others, in closed form (Steck, WWW 2019)."""

import copy
from typing import Self

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from guidedrec_core.config import EASEConfig
from guidedrec_core.errors import ConfigError
from guidedrec_core.models.base import FloatArray, IntArray
from guidedrec_core.models.history import history_matrix

LARGEST_CATALOGUE = 20_000
"""Items at most: the fit holds one float64 and one float32 matrix of items x items, 4.8 GB at this size."""


class EASEModel:
    """Item weights ``B = I - P / diag(P)`` with ``P = (X'X + lambda I)^-1``, X the users' sets of training items.

    Fitting takes time in proportion to ``n_items ** 3`` and ``12 * n_items ** 2`` bytes.

    Parameters
    ----------
    users, items : IntArray
        Training interactions as index pairs, shape ``[n_interactions]`` each; repeated ones count once.
    n_users, n_items : int
        Sizes of the vocabularies.
    config : EASEConfig
        Penalty, lambda, and the weights of histories.

    Raises
    ------
    ConfigError
        The catalogue is larger than `LARGEST_CATALOGUE`.
    """

    def __init__(self, users: IntArray, items: IntArray, n_users: int, n_items: int, config: EASEConfig) -> None:
        if n_items > LARGEST_CATALOGUE:
            raise ConfigError(
                f"expected at most {LARGEST_CATALOGUE:,} items for EASE, got {n_items:,}: it would take "
                f"{12 * n_items**2 / 1e9:.0f} GB; use item-kNN, or keep fewer items with --min-interactions at import"
            )
        self.config = config
        interactions = sparse.csr_matrix((np.ones(len(items)), (users, items)), shape=(n_users, n_items))
        interactions.data[:] = 1.0
        gram = np.asfortranarray((interactions.T @ interactions).toarray())  # [n_items, n_items]
        np.fill_diagonal(gram, gram.diagonal() + config.penalty)
        inverse = _invert_in_place(gram)
        scale = inverse.diagonal().copy()
        inverse /= -scale  # column i by item i's own entry: what the others say about i
        np.fill_diagonal(inverse, 0.0)
        self.weights: FloatArray = inverse.astype(np.float32, order="C")  # [history item, candidate]

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.weights)

    def with_decay(self, decay: float) -> Self:
        """Return the same item weights under another weighting of the history."""
        other = copy.copy(self)
        other.config = self.config.parse({**self.config.model_dump(), "decay": decay})
        return other

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items by the weights of each history's items, shape ``[B, n_items]``."""
        seen = history_matrix(histories, self.n_items, self.config.decay)
        return np.asarray(seen @ self.weights, dtype=np.float32)


def _invert_in_place(matrix: np.ndarray) -> np.ndarray:
    """Invert a positive definite matrix in Fortran order without a second one, through its Cholesky factor."""
    factor, _ = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    inverse: np.ndarray = lapack.dpotri(factor, lower=1, overwrite_c=1)[0]  # the lower triangle only
    for column in range(len(inverse)):
        inverse[column, column + 1 :] = inverse[column + 1 :, column]
    return inverse
