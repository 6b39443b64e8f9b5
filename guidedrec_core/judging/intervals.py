"""Means and shares with 95 % intervals where the same judges and the same cases occur many times.

Answers of one judge are alike, and so are answers to one case. The variance of a mean is that of a two-way clustered
sample (Cameron, Gelbach and Miller, 2011): the part between judges and the part between cases, less what both count
twice. Degrees of freedom follow Satterthwaite (1946). Simulated studies of 5 to 24 judges chose the details (see
`clustered_variance`): their intervals hold the truth in 95 to 99 of 100. An interval of a share is Wilson's
(1927) with the number of independent answers that has this variance; for answers that are all independent it is his.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FEWEST_JUDGES = 5
"""With fewer judges an interval speaks of these judges only: so few tell nothing of how judges differ."""
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes
    ----------
    value, low, high : float
        NaN where there is nothing to estimate it from.
    error : float
        Standard error.
    n : int
        Answers.
    judges, cases : int
        Different ones.
    independent : float
        So many independent answers would be as sure; at most `n`.
    """

    value: float
    low: float
    high: float
    error: float
    n: int
    judges: int
    cases: int
    independent: float


@dataclass(frozen=True)
class Variance:
    """The variance of an estimate, and with how many degrees of freedom it is known."""

    value: float
    freedom: float


def share(hits: FloatArray, judges: IntArray, cases: IntArray) -> Estimate:
    """Estimate a share.

    Parameters
    ----------
    hits : FloatArray
        0 or 1 for each answer, ``[n]``.
    judges, cases : IntArray
        Whose answer to what, ``[n]``.

    Examples
    --------
    >>> found = share(np.array([1.0, 1, 1, 0]), np.zeros(4, dtype=int), np.arange(4))
    >>> round(found.low, 2), round(found.high, 2), found.independent
    (0.3, 0.95, 4.0)
    """
    n, n_judges, n_cases = len(hits), len(np.unique(judges)), len(np.unique(cases))
    if not n:
        return Estimate(np.nan, np.nan, np.nan, np.nan, 0, 0, 0, 0.0)
    value = float(hits.mean())
    spread = value * (1 - value)
    variance = clustered_variance((hits - value) / n, judges, cases)
    quantile = float(stats.norm.ppf(0.5 + LEVEL / 2))
    if n_judges == 1 and n_cases == n:
        independent = float(n)
    elif spread and variance.value:
        independent, quantile = min(n, spread / variance.value), _quantile(variance.freedom)
    else:  # all agree: answers to different cases, or of different judges, are taken to be independent
        independent = float(max(n_judges, n_cases))
    low, high = wilson(value, independent, quantile)
    return Estimate(value, low, high, float(np.sqrt(spread / independent)), n, n_judges, n_cases, independent)


def mean(values: FloatArray, judges: IntArray, cases: IntArray) -> Estimate:
    """Estimate a mean; parameters as `share`."""
    zeros = np.zeros(len(values), dtype=bool)
    return difference(values, zeros, ~zeros, judges, cases)


def difference(
    values: FloatArray,
    minus: npt.NDArray[np.bool_],
    plus: npt.NDArray[np.bool_],
    judges: IntArray,
    cases: IntArray,
) -> Estimate:
    """Estimate the mean of one group of answers less that of another, from the same judges and cases.

    Parameters
    ----------
    values : FloatArray
        Of each answer, ``[n]``.
    minus, plus : ndarray of bool
        The groups, ``[n]``; without any in `minus` it is the mean of the other.
    judges, cases : IntArray
        Whose answer to what, ``[n]``.
    """
    influence = np.zeros(len(values))
    value = 0.0
    for sign, group in ((1.0, plus), (-1.0, minus)):
        if not group.any():
            if sign > 0:
                value = np.nan
            continue
        own = float(values[group].mean())
        value += sign * own
        influence[group] = sign * (values[group] - own) / group.sum()
    used = plus | minus
    n, n_judges, n_cases = int(used.sum()), len(np.unique(judges[used])), len(np.unique(cases[used]))
    if n < 2 or n_cases < 2 or (minus.any() and not plus.any()):
        return Estimate(value, np.nan, np.nan, np.nan, n, n_judges, n_cases, 0.0)
    paired = bool(minus.any())
    variance = clustered_variance(influence[used], judges[used], cases[used], paired)
    error = float(np.sqrt(variance.value))
    reach = _quantile(variance.freedom) * error if error > 0 else np.nan
    plain = float((influence**2).sum())
    independent = n * min(1.0, plain / variance.value) if variance.value > 0 else float(n)
    return Estimate(value, value - reach, value + reach, error, n, n_judges, n_cases, independent)


def clustered_variance(influence: FloatArray, judges: IntArray, cases: IntArray, paired: bool = False) -> Variance:
    """Return the variance of an estimate from what each answer adds to it.

    Parameters
    ----------
    influence : FloatArray
        ``[n]``; sums to 0. For a mean, each deviation from it over n.
    judges, cases : IntArray
        Whose answer to what, ``[n]``. With fewer than `FEWEST_JUDGES` the judges are taken as they are, and cases
        alone vary.
    paired : bool
        The estimate compares answers of the same judges to the same cases. What makes judges and cases differ then
        cancels, mostly, so that degrees of freedom are few only as far as the parts exceed that of independent
        answers.
    """
    n = len(influence)
    by_case, freedom_cases = _between(influence, cases)
    _, judge_places = np.unique(judges, return_inverse=True)
    if n < 2 or judge_places.max() + 1 < FEWEST_JUDGES or not influence.any():
        return Variance(by_case, freedom_cases)
    by_judge, freedom_judges = _between(influence, judges)
    each = n / (n - 1) * float((influence**2).sum())
    freedom_cases = max(freedom_cases, 1)
    if paired:
        more_judge, more_case = max(0.0, by_judge - each), max(0.0, by_case - each)
        value = each + more_judge + more_case
        weighted = more_judge**2 / freedom_judges + more_case**2 / freedom_cases + each**2 / (n - 1)
    else:
        # Where judges or cases do not differ, the estimate may come out below either part, or below 0.
        value = max(by_judge + by_case - each, by_judge, by_case)
        weighted = by_judge**2 / freedom_judges + by_case**2 / freedom_cases
    return Variance(value, value**2 / weighted)


def wilson(value: float, n: float, quantile: float) -> tuple[float, float]:
    """Return Wilson's interval of a share.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(0.8, 10, 1.96)]
    [0.49, 0.943]
    """
    square = quantile**2
    middle = (value + square / (2 * n)) / (1 + square / n)
    reach = quantile / (1 + square / n) * float(np.sqrt(value * (1 - value) / n + square / (4 * n**2)))
    # At the ends the bound is exact; the sum would be off by a rounding error.
    return (0.0 if value == 0 else middle - reach), (1.0 if value == 1 else middle + reach)


def _between(influence: FloatArray, groups: IntArray) -> tuple[float, int]:
    """Return the variance between groups, and its degrees of freedom."""
    _, places = np.unique(groups, return_inverse=True)
    sums = np.bincount(places, weights=influence)
    count = len(sums)
    return (count / (count - 1) * float((sums**2).sum()) if count > 1 else 0.0), count - 1


def _quantile(freedom: float) -> float:
    return float(stats.t.ppf(0.5 + LEVEL / 2, max(freedom, 1.0)))
