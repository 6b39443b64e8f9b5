"""How many answers a test needs to see a difference of a given size."""

import math

from scipy import stats

from guidedrec_core.errors import InputError

POWER = 0.8
DIFFERENCE = 0.1
"""The smallest difference that a test is planned to see, unless somebody says otherwise: 10 points."""


def answers_for_share(difference: float = DIFFERENCE, repeats: float = 1.0, power: float = POWER) -> int:
    """Return how many answers show that a share differs from one half.

    Parameters
    ----------
    difference : float
        How far the true share is from one half, in ``(0, 0.5)``.
    repeats : float
        How many times as many answers are needed because judges and cases repeat (the design effect), from 1.
    power : float
        The chance to see it, at the level of 5 %.

    Raises
    ------
    InputError
        The difference is out of range.

    Examples
    --------
    >>> answers_for_share(0.1)
    194
    """
    _check(difference, 0.5)
    reached, missed = _quantiles(power)
    spread = math.sqrt((0.5 + difference) * (0.5 - difference))
    return math.ceil(repeats * ((reached * 0.5 + missed * spread) / difference) ** 2)


def answers_for_difference(
    difference: float = DIFFERENCE, share: float = 0.5, repeats: float = 1.0, power: float = POWER
) -> int:
    """Return how many answers in each of two arms show that their shares differ.

    Parameters
    ----------
    difference : float
        By how much, in ``(0, 1)``.
    share : float
        The smaller of both; where there is no room above it, the larger.
    repeats, power
        As `answers_for_share`.

    Examples
    --------
    >>> answers_for_difference(0.1, share=0.6)
    356
    """
    _check(difference, 1.0)
    reached, missed = _quantiles(power)
    low = min(max(share, 0.0), 1.0 - difference)
    high = low + difference
    middle = (low + high) / 2
    together = math.sqrt(2 * middle * (1 - middle))
    apart = math.sqrt(low * (1 - low) + high * (1 - high))
    return math.ceil(repeats * ((reached * together + missed * apart) / difference) ** 2)


def _quantiles(power: float) -> tuple[float, float]:
    return float(stats.norm.ppf(0.975)), float(stats.norm.ppf(power))


def _check(difference: float, below: float) -> None:
    if not 0 < difference < below:
        raise InputError(f"expected a difference between 0 and {below:g}, e.g. 0.1 for 10 points, got {difference:g}")
