"""Intervals of shares: Wilson's for shares of users, the bootstrap over users for shares of lists and exposure."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from guidedrec_core.audience.lists import Doubles

_Z = 1.959963984540054
_BLOCK_NUMBERS = 4_000_000
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval and what it is counted from.

    Attributes
    ----------
    value, low, high : float
        0 to 1; NaN where there is nothing to count.
    count, of : int
        Numerator and denominator.
    """

    value: float
    low: float
    high: float
    count: int
    of: int


def wilson(count: int, of: int) -> Share:
    """Return a share of independent users with Wilson's score interval (JASA 22, 1927).

    Unlike the usual interval it stays within 0 to 1 and has a width where all or none are counted.

    Parameters
    ----------
    count, of : int
        How many of how many.

    Examples
    --------
    >>> share = wilson(0, 10)
    >>> round(share.low, 3), round(share.high, 3)
    (0.0, 0.278)
    """
    if not of:
        return Share(np.nan, np.nan, np.nan, 0, 0)
    p, z2 = count / of, _Z * _Z / of
    middle, half = (p + z2 / 2) / (1 + z2), _Z * sqrt(p * (1 - p) / of + z2 / (4 * of)) / (1 + z2)
    low = 0.0 if count == 0 else max(0.0, middle - half)
    return Share(p, low, 1.0 if count == of else min(1.0, middle + half), count, of)


def resampled_sums(values: Doubles, samples: int, rng: np.random.Generator) -> Doubles:
    """Return sums over users drawn with replacement, ``[samples, K]``.

    Users with equal rows are drawn together, by their number: the same distribution, and fast where most users have
    nothing of what is counted.

    Parameters
    ----------
    values : Doubles
        ``[n_users, K]``.
    samples : int
        Resamples.
    rng : numpy.random.Generator
        Source of the draws.
    """
    n = len(values)
    rows, counts = np.unique(values, axis=0, return_counts=True)
    at_once = max(1, _BLOCK_NUMBERS // max(len(rows), 1))
    drawn = []
    for first in range(0, samples, at_once):
        numbers = rng.multinomial(n, counts / n, size=min(at_once, samples - first))
        drawn.append(numbers.astype(np.float64) @ rows)
    return np.concatenate(drawn)


def percentile_interval(resampled: Doubles) -> tuple[float, float]:
    """Return the 95 % percentile interval of resampled values; NaN where a value is undefined in too many of them."""
    known = resampled[np.isfinite(resampled)]
    if len(known) < 0.95 * len(resampled):
        return np.nan, np.nan
    low, high = np.percentile(known, _PERCENTILES)
    return float(low), float(high)
