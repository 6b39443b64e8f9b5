"""Shares: how much of what decides a list belongs to each part of the scores.

The share of a part for a user is the covariance of the part with the score over the items considered, divided by the
score's variance; the shares of all parts sum to 1. Considered are the best unseen items, because the order of the
others decides nothing. A part that works against the others can have a share below 0.
"""

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.models.base import FloatArray
from guidedrec_core.ranking.ranks import mask_seen, top_k

Doubles = npt.NDArray[np.float64]

RANGE = 50
"""Best unseen items considered, the deciding range."""


def shares_of(parts: Doubles, scores: npt.NDArray[np.floating]) -> Doubles:
    """Return each part's share of one user's scores.

    Parameters
    ----------
    parts : Doubles
        ``[n, K]``: what K parts add to the scores of n items.
    scores : ndarray
        ``[n]``.

    Returns
    -------
    Doubles
        ``[K]``; NaN where the scores do not differ.

    Examples
    --------
    >>> shares_of(np.array([[3.0, 0.5], [1.0, 0.5], [2.0, 0.5]]), np.array([3.5, 1.5, 2.5])).tolist()
    [1.0, 0.0]
    """
    centred = scores.astype(np.float64) - scores.mean(dtype=np.float64)
    variance = float(centred @ centred)
    if variance == 0:
        return np.full(parts.shape[1], np.nan)
    shares: Doubles = centred @ (parts - parts.mean(axis=0)) / variance
    return shares


def deciding_items(scores: FloatArray, history: IntArray, most: int = RANGE) -> IntArray:
    """Return the best items of one user, best first, without those of the history; at most `most`.

    Parameters
    ----------
    scores : ndarray
        ``[N]``.
    history : IntArray
        Item indexes.
    most : int
        Items returned at most.
    """
    best = top_k(mask_seen(scores[None], [history]), most)[0]
    items: IntArray = best[best >= 0]
    return items
