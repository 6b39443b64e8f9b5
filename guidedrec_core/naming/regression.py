"""Regression of item vectors on named columns: ``v_i = a + B' x_i + e_i``, by ridge, its strength chosen over items.

B must hold for items that it was not fitted on, since with enough columns any vector is explained in sample. Items are
therefore divided into folds, and the penalty is the one whose predictions of left-out items are closest. Closeness is
measured by what a difference of vectors does to scores: ``e' M e``, with the second moments M of users' vectors.

What correlated columns have in common is shared by the ridge, which gives each the same prior; a penalty factor above 1
lets a column have only what others cannot say as well.

Shapes: N items, P named columns, d width of vectors, R resamples.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core.randomness import generator

Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Strengths tried, in hundredths of the sum of item weights; columns have standard deviation 1."""
FOLDS = 10
RESAMPLES = 200
"""Times that items are resampled for intervals."""
_RANK = 1e-10  # directions of columns with a smaller share of the largest variance count as none
_BLOCKS = 100  # items are resampled in so many random groups, so that a resample costs no pass over the items


@dataclass(frozen=True, eq=False)
class Regression:
    """Item vectors as far as named columns tell them; in all coefficients the first row is the intercept.

    Attributes
    ----------
    coefficients : Doubles
        ``[P + 1, d]``, fitted on all items.
    fold_of : IntArray
        The fold that each item belongs to, ``[N]``.
    without_fold : Doubles
        Coefficients fitted without the items of each fold, ``[FOLDS, P + 1, d]``.
    resampled : Doubles
        Coefficients fitted on resampled items, ``[R, P + 1, d]``, by the bootstrap.
    penalty : float
        The strength chosen.
    """

    coefficients: Doubles
    fold_of: IntArray
    without_fold: Doubles
    resampled: Doubles
    penalty: float


def fit_regression(
    columns: npt.NDArray[np.floating],
    vectors: npt.NDArray[Any],
    weights: npt.NDArray[np.floating],
    moments: Doubles,
    factors: npt.NDArray[np.floating] | None = None,
    penalties: tuple[float, ...] = PENALTIES,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Regression:
    """Regress item vectors on named columns.

    Parameters
    ----------
    columns : ndarray
        X, ``[N, P]``, standardised; P may be 0.
    vectors : ndarray
        V, ``[N, d]``.
    weights : ndarray
        Of items, from 0, ``[N]``; all count alike where all are 0.
    moments : Doubles
        M, the second moments of users' vectors, ``[d, d]``.
    factors : ndarray, optional
        Of the penalty, by column, ``[P]``; 1 by default.
    penalties : tuple of float
        Strengths tried.
    seed : int
        The seed from which those of folds and resamples descend.
    resamples : int
        R; 0 for none.
    """
    n_items = len(columns)
    weight: Doubles = weights.astype(np.float64) if weights.any() else np.ones(n_items)
    unit = (
        float(weight.sum()) / 100 * np.concatenate([[0.0], np.ones(columns.shape[1]) if factors is None else factors])
    )
    block_of = generator(seed, "folds of items").permutation(np.arange(n_items) % _BLOCKS)
    grams, products = _sums_by_block(columns, vectors, weight, block_of)  # [_BLOCKS, P + 1, P + 1], [.., P + 1, d]
    fold_of_block = np.arange(_BLOCKS) % FOLDS
    fold_of = fold_of_block[block_of]
    gram, product = grams.sum(axis=0), products.sum(axis=0)
    left_out = [fold_of_block == fold for fold in range(FOLDS)]
    pairs = [(gram - grams[own].sum(axis=0), product - products[own].sum(axis=0)) for own in left_out]

    def without_folds(penalty: float) -> Doubles:
        return np.stack([_ridge(*pair, penalty * unit) for pair in pairs])

    def error(penalty: float) -> float:
        """Sum ``e' M e`` over left-out items, but for a constant; it needs no pass over them, as e is linear."""
        total = 0.0
        for own, B in zip(left_out, without_folds(penalty), strict=True):
            total += float(np.einsum("pd,pq,qe,de->", B, grams[own].sum(axis=0), B, moments, optimize=True))
            total -= 2 * float(np.einsum("pd,pe,de->", B, products[own].sum(axis=0), moments, optimize=True))
        return total

    penalty = min(penalties, key=error)
    draws = generator(seed, "resampled items").multinomial(_BLOCKS, np.full(_BLOCKS, 1 / _BLOCKS), size=resamples)
    resampled = [
        _ridge(np.tensordot(counts, grams, 1), np.tensordot(counts, products, 1), penalty * unit)
        for counts in draws.astype(np.float64)
    ]
    width = (columns.shape[1] + 1, vectors.shape[1])
    return Regression(
        coefficients=_ridge(gram, product, penalty * unit),
        fold_of=fold_of,
        without_fold=without_folds(penalty),
        resampled=np.stack(resampled) if resamples else np.zeros((0, *width)),
        penalty=penalty,
    )


def _sums_by_block(
    columns: npt.NDArray[np.floating], vectors: npt.NDArray[Any], weight: Doubles, block_of: IntArray
) -> tuple[Doubles, Doubles]:
    """Return ``X' W X`` and ``X' W V`` of each block of items, X with a first column of ones."""
    n_columns, width = columns.shape[1] + 1, vectors.shape[1]
    grams: Doubles = np.zeros((_BLOCKS, n_columns, n_columns))
    products: Doubles = np.zeros((_BLOCKS, n_columns, width))
    for block in range(_BLOCKS):
        own = np.flatnonzero(block_of == block)
        X = np.column_stack([np.ones(len(own)), columns[own].astype(np.float64)])
        weighted = (X.T * weight[own]).astype(np.float64)
        grams[block], products[block] = weighted @ X, weighted @ vectors[own].astype(np.float64)
    return grams, products


def _ridge(gram: Doubles, product: Doubles, penalties: Doubles) -> Doubles:
    """Return ridge coefficients, given each one's penalty; the intercept, which comes first, has none.

    Without any penalty they are the smallest of all that fit as well: hat functions of one number sum to a constant, so
    that many do.
    """
    if not penalties.any():
        return np.linalg.lstsq(gram, product, rcond=_RANK)[0].astype(np.float64)
    # Where no item has any weight, e.g. in an unlucky resample, the intercept must not be singular.
    ridge = penalties + 1e-12 * max(float(np.trace(gram)), 1.0)
    return np.linalg.solve(gram + np.diag(ridge), product).astype(np.float64)
