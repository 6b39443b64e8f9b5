"""How far repeated scores agree: the statistics behind the reliability report, one attribute at a time.

Scores of one attribute come as a table ``[n_items, n_passes]``, NaN where a pass gave none.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]

_TAILS = (0.025, 0.975)
_SWEEPS = 500
# Share of the spread before centring; a smaller rest is rounding.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Icc:
    """ICC(2,1) with its 95 % interval.

    Attributes
    ----------
    value, low, high : float
        At most 1; NaN when it cannot be computed.
    items, passes : int
        What it was computed from: items that every one of these passes scored.
    """

    value: float
    low: float
    high: float
    items: int
    passes: int


@dataclass(frozen=True)
class OrderEffect:
    """Whether scores drift in the course of a pass.

    Attributes
    ----------
    correlation : float
        Of score and place in the pass, beyond what item and pass explain; NaN when the order never changes.
    p_value : float
        Two-sided, as if this attribute were the only one.
    drift : float
        Points of the scale from the first place to the last.
    scores : int
        Scores it was computed from: those of items with two or more.
    """

    correlation: float
    p_value: float
    drift: float
    scores: int


@dataclass(frozen=True)
class Comparison:
    """Two scorings of the same items.

    Attributes
    ----------
    correlation, low, high : float
        Pearson's, with its 95 % interval by Fisher's z; NaN when one of them does not vary, or below four items.
    difference : float
        Mean absolute difference, in points of the scale.
    items : int
        Scored by both.
    """

    correlation: float
    low: float
    high: float
    difference: float
    items: int


def icc(table: FloatArray) -> Icc:
    """Compute ICC(2,1): two-way random effects, absolute agreement, one pass.

    It is the share of the variance of a single score that is due to the item; passes that are stricter than others
    lower it. It needs a table without gaps: it uses the passes with the most scores, as many as leave the most to
    compare, and the items that all of these scored.

    Parameters
    ----------
    table : ndarray
        ``[n_items, n_passes]``, NaN = missing.

    Returns
    -------
    Icc
        NaN with fewer than two items or passes, and when all scores are the same.

    References
    ----------
    Shrout and Fleiss (1979), Psychological Bulletin 86(2); McGraw and Wong (1996), Psychological Methods 1(1), who
    call it ICC(A,1).

    Examples
    --------
    >>> found = icc(np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]))
    >>> round(found.value, 4), found.items, found.passes
    (0.6667, 3, 2)
    """
    table = _whole(table)
    n, k = table.shape
    if n < 2 or k < 2:
        return Icc(math.nan, math.nan, math.nan, n, k)
    grand = table.mean()
    items, passes = table.mean(axis=1) - grand, table.mean(axis=0) - grand
    rest = table - grand - items[:, None] - passes
    between = k * float(items @ items) / (n - 1)  # mean squares
    across = n * float(passes @ passes) / (k - 1)
    error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    below = between + (k - 1) * error + k * (across - error) / n
    if below <= 0:
        return Icc(math.nan, math.nan, math.nan, n, k)
    value = (between - error) / below
    # Satterthwaite's degrees of freedom, multiplied by the error's square so that an error of 0 is no exception.
    a, b = k * value * across, (n * (1 + (k - 1) * value) - k * value) * error
    spread = a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1))
    if spread <= 0:  # all passes say the same
        return Icc(value, value, value, n, k)
    freedom = (a + b) ** 2 / spread
    strict, lenient = stats.f.ppf(_TAILS[1], n - 1, freedom), stats.f.ppf(_TAILS[1], freedom, n - 1)
    within = k * across + (k * n - k - n) * error
    low = n * (between - strict * error) / (strict * within + n * between)
    high = n * (lenient * between - error) / (within + n * lenient * between)
    return Icc(value, float(low), float(high), n, k)


def mean_absolute_difference(table: FloatArray) -> float:
    """Average the distance between two passes on an item, in points of the scale.

    Every item with two or more scores counts the same, with the mean over all its pairs; NaN without such an item.

    Examples
    --------
    >>> mean_absolute_difference(np.array([[1.0, 4.0], [2.0, 2.0], [9.0, np.nan]]))
    1.5
    """
    gaps = np.abs(table[:, :, None] - table[:, None, :])  # [n, k, k]
    known = ~np.isnan(table)
    pairs = known.sum(axis=1) * (known.sum(axis=1) - 1)  # each counted both ways
    if not pairs.any():
        return math.nan
    return float((np.nansum(gaps, axis=(1, 2))[pairs > 0] / pairs[pairs > 0]).mean())


def commonest(table: FloatArray) -> tuple[float, float]:
    """Return the commonest value and its share of all scores, each item counting the same; the lowest of equals.

    Examples
    --------
    >>> commonest(np.array([[0.0, 0.0], [0.0, 5.0], [7.0, np.nan], [0.0, np.nan]]))
    (0.0, 0.625)
    """
    known = ~np.isnan(table)
    if not known.any():
        return math.nan, math.nan
    counts = known.sum(axis=1, keepdims=True)
    weights = (known / np.maximum(counts, 1))[known]
    values, place = np.unique(table[known], return_inverse=True)
    shares = np.bincount(place, weights) / weights.sum()
    return float(values[shares.argmax()]), float(shares.max())


def order_effect(table: FloatArray, positions: FloatArray) -> OrderEffect:
    """Correlate scores with their places in the pass, item and pass held constant.

    A pass is a sequence of questions, and earlier ones may influence later answers. Items differ, and so may
    passes in strictness; both are removed from scores and places (least squares on a dummy for every item and every
    pass), so that only a drift within passes is left.

    Parameters
    ----------
    table : ndarray
        Scores ``[n_items, n_passes]``, NaN = missing.
    positions : ndarray
        Same shape: place of the item in the pass, counted from anywhere; NaN = not known.
    """
    known = ~np.isnan(table) & ~np.isnan(positions)
    known &= known.sum(axis=1, keepdims=True) > 1
    count = int(known.sum())
    items, passes = np.nonzero(known)
    freedom = count - len(np.unique(items)) - len(np.unique(passes))
    if freedom < 1:
        return OrderEffect(math.nan, math.nan, math.nan, count)
    score, place = table[known], positions[known]
    y, x = _centred(score, items, passes), _centred(place, items, passes)
    vary = [float(np.abs(rest).max()) > _NOTHING * float(np.ptp(all_)) for rest, all_ in ((y, score), (x, place))]
    if not all(vary):
        return OrderEffect(math.nan, math.nan, math.nan, count)
    correlation = min(max(float(x @ y / math.sqrt((x @ x) * (y @ y))), -1.0), 1.0)
    t = correlation * math.sqrt(freedom / max(1 - correlation**2, 1e-300))
    drift = float(x @ y / (x @ x)) * float(np.ptp(place))
    return OrderEffect(correlation, float(2 * stats.t.sf(abs(t), freedom)), drift, count)


def compare(ours: FloatArray, theirs: FloatArray) -> Comparison:
    """Compare two scorings ``[n_items]`` over the items that both have."""
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    ours, theirs = ours[both], theirs[both]
    if not len(ours):
        return Comparison(math.nan, math.nan, math.nan, math.nan, 0)
    difference = float(np.abs(ours - theirs).mean())
    if len(ours) < 4 or not np.ptp(ours) or not np.ptp(theirs):
        return Comparison(math.nan, math.nan, math.nan, difference, len(ours))
    found = stats.pearsonr(ours, theirs)
    interval = found.confidence_interval(0.95)
    return Comparison(float(found.statistic), float(interval.low), float(interval.high), difference, len(ours))


def correlations(scores: FloatArray) -> FloatArray:
    """Correlate columns of ``[n_items, A]`` over the rows without a gap; NaN for a column that does not vary."""
    whole = scores[~np.isnan(scores).any(axis=1)]
    if len(whole) < 3:
        return np.full((scores.shape[1],) * 2, np.nan)
    centred = whole - whole.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    varies = length > 0
    units = np.where(varies, centred / np.where(varies, length, 1.0), np.nan)
    together: FloatArray = np.clip(units.T @ units, -1.0, 1.0)
    return together


def variance_inflation(scores: FloatArray) -> FloatArray:
    """Compute each attribute's variance inflation factor (VIF), ``[A]``, over the rows without a gap.

    It is ``1 / (1 - R^2)`` of the attribute's regression on all others: 1 when they predict nothing of it, infinite
    when they predict all of it. NaN for an attribute that does not vary; all NaN with no more items than attributes.
    """
    whole = scores[~np.isnan(scores).any(axis=1)]
    n, count = whole.shape
    factors = np.full(count, np.nan)
    varies = np.flatnonzero(np.ptp(whole, axis=0) > 0) if n > count else np.array([], dtype=np.int64)
    standard = whole[:, varies] - whole[:, varies].mean(axis=0)
    standard /= np.sqrt((standard**2).sum(axis=0))
    for place, column in enumerate(varies):
        others = np.delete(standard, place, axis=1)
        rest = standard[:, place] - others @ np.linalg.lstsq(others, standard[:, place], rcond=None)[0]
        unexplained = float(rest @ rest)
        factors[column] = 1 / unexplained if unexplained > _NOTHING else math.inf
    return factors


def holm(p_values: FloatArray) -> FloatArray:
    """Adjust p-values ``[m]`` for their number by Holm's step-down method (1979); NaN stays NaN and does not count.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(6).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = p_values.copy()
    order = np.argsort(p_values)  # NaN last
    order = order[: int((~np.isnan(p_values)).sum())]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _whole(table: FloatArray) -> FloatArray:
    """Return the gap-free part with the most (items - 1) (passes - 1), adding passes from the fullest on."""
    known = ~np.isnan(table)
    order = np.argsort(-known.sum(axis=0), kind="stable")
    items = np.cumprod(known[:, order], axis=1, dtype=np.int64).sum(axis=0)  # scored by all of the first m passes
    count = int(((items - 1) * np.arange(len(order))).argmax()) + 1
    passes = np.sort(order[:count])
    return table[known[:, passes].all(axis=1)][:, passes]


def _centred(values: FloatArray, items: npt.NDArray[np.int64], passes: npt.NDArray[np.int64]) -> FloatArray:
    """Subtract the means of items and of passes in turn until nothing changes; one round without gaps."""
    spread = float(np.ptp(values))
    rest: FloatArray = values - values.mean()
    for _ in range(_SWEEPS):
        before = rest
        for group in (items, passes):
            counts = np.maximum(np.bincount(group), 1)
            rest = rest - (np.bincount(group, rest) / counts)[group]
        if float(np.abs(rest - before).max()) <= _NOTHING * 1e-3 * spread:
            break
    return rest
