"""The trial of a proposed name: whether scores on it tell held-out items of both ends apart.

Of each end, a third of the extreme items is shown to the proposer of a name; the others are held out. They are scored
on the proposal without saying which end they belong to, and the area under the ROC curve says in how many of all pairs
the item of the high end has the higher score.

A name is accepted at .75 or more, with a 95 % interval above .5: three of four pairs in the right order. With 20 items
held out at each end, scores that have nothing to do with the direction reach that about three times in a thousand; with
fewer, the interval is what they fail on.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import InputError
from guidedrec_core.randomness import generator

Doubles = npt.NDArray[np.float64]

BAR = 0.75
"""Area under the curve that a name has to reach."""
FEWEST = 5
"""Held-out items with a score that each end needs."""
_SHOWN_OF = 3  # one of three extreme items is shown
_MIDDLE = 10
_RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Parting:
    """Which items are shown to the proposer of a name, and which are held out.

    Attributes
    ----------
    high, low, middle : IntArray
        Shown items: of both ends, and between them.
    held_high, held_low : IntArray
        Held-out items of both ends.
    """

    high: IntArray
    low: IntArray
    middle: IntArray
    held_high: IntArray
    held_low: IntArray


@dataclass(frozen=True)
class Trial:
    """How a name did.

    Attributes
    ----------
    auroc, ci_low, ci_high : float
        Area under the ROC curve, with its 95 % interval over resampled items.
    n_high, n_low : int
        Items of each end that were held out and have a score.
    accepted : bool
        Whether it passed.
    """

    auroc: float
    ci_low: float
    ci_high: float
    n_high: int
    n_low: int
    accepted: bool


def part(
    high: npt.NDArray[np.integer],
    low: npt.NDArray[np.integer],
    loadings: Doubles,
    weights: npt.NDArray[np.floating],
    seed: int = 0,
    readable: Doubles | None = None,
) -> Parting:
    """Part the items of both ends into shown and held-out ones.

    Held-out items are always extreme by what people did. Where texts tell a direction, those shown are extreme by both,
    so that a proposer reads fewer items that stand at an end by accident.

    Parameters
    ----------
    high, low : ndarray
        Indexes of the extreme items, the most extreme first; of each three in a row one is shown, drawn at random.
    loadings : Doubles
        Of all items, ``[N]``.
    weights : ndarray
        Of items, ``[N]``; the middle is taken from those with a usual weight or more.
    seed : int
        Of the draw.
    readable : Doubles, optional
        Loadings by behaviour and texts together, ``[N]``; see `readable_loadings`.

    Raises
    ------
    InputError
        An end has too few items.
    """
    rng = generator(seed, "items shown")
    shown, held = [], []
    for items in (high, low):
        drawn = np.zeros(len(items), dtype=bool)
        for first in range(0, len(items), _SHOWN_OF):
            drawn[first + rng.integers(min(_SHOWN_OF, len(items) - first))] = True
        shown.append(np.asarray(items)[drawn])
        held.append(np.asarray(items)[~drawn])
    if min(map(len, held)) < FEWEST:
        raise InputError(
            f"expected {FEWEST} items or more to hold out at each end of the direction, got "
            f"{min(map(len, held))}; the catalogue is too small to try a name"
        )
    if readable is not None:
        held_out = np.concatenate(held)
        order = np.argsort(-readable, kind="stable")
        order = order[~np.isin(order, held_out)]
        shown = [order[: len(shown[0])], order[::-1][: len(shown[1])]]
    usual = np.flatnonzero(weights >= np.median(weights))
    usual = np.setdiff1d(usual, np.concatenate([high, low, *shown]))
    middle = usual[np.argsort(np.abs(loadings[usual]), kind="stable")[:_MIDDLE]]
    return Parting(shown[0], shown[1], middle, held[0], held[1])


def readable_loadings(loadings: Doubles, predicted: Doubles) -> Doubles | None:
    """Return loadings by behaviour and texts together, both on one scale; None where texts say nothing.

    Parameters
    ----------
    loadings : Doubles
        Of all items, ``[N]``.
    predicted : Doubles
        What texts of other items say of them, ``[N]``; see `Directions.predicted`.
    """
    said = float(predicted.std())
    if said == 0:
        return None
    both: Doubles = loadings / max(float(loadings.std()), 1e-12) + (predicted - predicted.mean()) / said
    return both


def auroc(high: Doubles, low: Doubles) -> float:
    """Return in how many pairs the first score is higher, ties counted half.

    Examples
    --------
    >>> auroc(np.array([8.0, 5.0]), np.array([5.0, 1.0]))
    0.875
    """
    greater = (high[:, None] > low).mean()
    return float(greater + (high[:, None] == low).mean() / 2)


def judge(high: Doubles, low: Doubles, seed: int = 0) -> Trial:
    """Judge a name by the scores of held-out items.

    Parameters
    ----------
    high, low : Doubles
        Scores of the held-out items of each end; NaN = missing.
    seed : int
        Of the resamples.

    Raises
    ------
    InputError
        An end has too few items with a score.
    """
    high, low = high[~np.isnan(high)], low[~np.isnan(low)]
    if min(len(high), len(low)) < FEWEST:
        raise InputError(
            f"expected scores of {FEWEST} held-out items or more at each end, got {len(high)} and {len(low)}; "
            "score them again, or with another model"
        )
    rng = generator(seed, "resampled ends")
    drawn = [
        auroc(high[rng.integers(len(high), size=len(high))], low[rng.integers(len(low), size=len(low))])
        for _ in range(_RESAMPLES)
    ]
    value, (ci_low, ci_high) = auroc(high, low), np.quantile(drawn, [0.025, 0.975]).tolist()
    return Trial(value, ci_low, ci_high, len(high), len(low), bool(value >= BAR and ci_low > 0.5))
