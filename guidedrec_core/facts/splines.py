"""Linear splines: a number as columns in which any continuous, piecewise linear curve is a weighted sum.

Columns are hat functions (B-splines of degree 1): each is 1 at its own knot, 0 at all others, and linear between. Knots
are quantiles of the known values, so that each piece holds about as many items.
"""

import numpy as np
import numpy.typing as npt

from guidedrec_core.facts.fact import FloatArray, standardised

INNER_KNOTS = 8
"""Knots between the smallest and the largest value."""


def knots_of(values: npt.NDArray[np.float64], inner: int = INNER_KNOTS) -> npt.NDArray[np.float64]:
    """Return the different quantiles of known values that serve as knots, ascending, at most ``inner + 2``.

    Examples
    --------
    >>> knots_of(np.array([1.0, 2.0, 3.0, np.nan, 4.0, 5.0]), inner=1).tolist()
    [1.0, 3.0, 5.0]
    """
    known = values[~np.isnan(values)]
    return np.unique(np.quantile(known, np.linspace(0, 1, inner + 2))) if len(known) else np.zeros(0)


def hats(values: npt.NDArray[np.float64], knots: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the hat functions of some values, ``[n, len(knots)]``; rows sum to 1.

    Parameters
    ----------
    values : ndarray
        ``[n]``, known; beyond the outermost knots a value counts as the knot.
    knots : ndarray
        Ascending and different.

    Examples
    --------
    >>> hats(np.array([0.0, 0.5, 9.0]), np.array([0.0, 1.0, 2.0])).tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    """
    return np.stack([np.interp(values, knots, unit) for unit in np.eye(len(knots))], axis=1)


def spline_columns(
    values: npt.NDArray[np.float64],
    inner: int = INNER_KNOTS,
    reference: npt.NDArray[np.float64] | None = None,
) -> FloatArray:
    """Return a number's value, and its hat functions where it takes more than two values, as standardised columns.

    Parameters
    ----------
    values : ndarray
        ``[n_items]``, NaN = unknown; unknown values are 0 in all of these columns.
    inner : int
        Inner knots at most.
    reference : ndarray, optional
        The values that knots and scales are taken from, ``[n_items]``; `values` by default.

    Returns
    -------
    FloatArray
        ``[n_items, P]``; P = 0 where the known values do not differ. The first column is the value itself, so that a
        penalty on weights prefers a straight line to a curve.
    """
    known_of = values if reference is None else reference
    knots = knots_of(known_of, inner)
    if len(knots) < 2:
        return np.zeros((len(values), 0), np.float32)

    def columns(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        filled = np.where(np.isnan(numbers), knots[0], numbers)
        return filled[:, None] if len(knots) == 2 else np.column_stack([filled, hats(filled, knots)])

    return standardised(columns(values), ~np.isnan(values), (columns(known_of), ~np.isnan(known_of)))
