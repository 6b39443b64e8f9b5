"""The surrogate: how much of a base model's scores attributes explain. An estimate, never the score itself.

A base model knows no attributes, so its score has no exact split. This is a ridge regression of one user's base scores
on the guided embedding, over the items the user has not interacted with; R2 is of items that were left out of the fit.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.models.base import BaseModel
from guidedrec_core.randomness import generator

FloatArray = npt.NDArray[np.float64]

_FOLDS = 5
# Precision of the prior on each coefficient, in units of one item: columns have a spread near 1.
_PENALTY = 1.0


@dataclass(frozen=True)
class Surrogate:
    """An approximate, linear account of one user's base scores.

    Attributes
    ----------
    slopes : FloatArray
        What one unit of an item's value goes with, ``[A]``; estimated, not part of the base score.
    popularity : float
        The same for popularity; 0 without.
    r2 : float
        Share of the scores' variance over items that the fit explains on items left out of it: 1 = all, 0 or below =
        nothing. NaN where scores do not differ or items are fewer than twice the columns.
    r2_attributes : float
        The same for attributes alone.
    n_items : int
        Items it was fitted on.
    """

    slopes: FloatArray
    popularity: float
    r2: float
    r2_attributes: float
    n_items: int

    def approximate_contributions(self, values: npt.NDArray[np.float32]) -> FloatArray:
        """Return what attributes go with for some items, given their rows of G, ``[n, A]``; an average item has 0."""
        products: FloatArray = self.slopes * values.astype(np.float64)
        return products


def base_surrogate(
    model: BaseModel,
    given: UserHistory,
    values: npt.NDArray[np.float32],
    popularity: npt.NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Surrogate:
    """Fit a surrogate of one user's base scores.

    Parameters
    ----------
    model : BaseModel
        The base model.
    given : UserHistory
        The user, and what the model is shown; items of the history are left out of the fit.
    values : ndarray
        G, ``[n_items, A]``.
    popularity : ndarray, optional
        Interactions of each item, ``[n_items]``: a further column, ``log(1 + n)``.
    seed : int
        Of the division into five parts, each predicted from the others.
    """
    keep = np.ones(len(values), dtype=bool)
    keep[given.history] = False
    scores = model.scores(given.users, given.histories)[0, keep].astype(np.float64)
    attributes = values[keep].astype(np.float64)
    columns = attributes
    if popularity is not None:
        logs = np.log1p(popularity.astype(np.float64))[keep]
        columns = np.column_stack([attributes, (logs - logs.mean()) / (logs.std() or 1.0)])
    fold = generator(seed, "surrogate").permutation(len(scores)) % _FOLDS
    fitted = _ridge(columns, scores)[0]
    A = values.shape[1]
    return Surrogate(
        slopes=fitted[:A],
        popularity=float(fitted[A]) if popularity is not None else 0.0,
        r2=_r2(columns, scores, fold),
        r2_attributes=_r2(attributes, scores, fold),
        n_items=len(scores),
    )


def _ridge(columns: FloatArray, scores: FloatArray) -> tuple[FloatArray, float]:
    """Return coefficients ``[P]`` and the constant."""
    centre, average = columns.mean(axis=0), float(scores.mean())
    centred = columns - centre
    gram = centred.T @ centred + _PENALTY * np.eye(columns.shape[1])
    found: FloatArray = np.linalg.solve(gram, centred.T @ (scores - average))
    return found, average - float(centre @ found)


def _r2(columns: FloatArray, scores: FloatArray, fold: IntArray) -> float:
    """Return the share of variance explained on parts left out of the fit."""
    # With fewer items than that, or scores that are all alike, a share of variance says nothing.
    if len(scores) < 2 * (columns.shape[1] + _FOLDS) or np.ptp(scores) == 0:
        return float("nan")
    missed = total = 0.0
    for part in range(_FOLDS):
        out = fold == part
        slopes, constant = _ridge(columns[~out], scores[~out])
        missed += float(((scores[out] - columns[out] @ slopes - constant) ** 2).sum())
        # Against the mean of the other parts, which is what one would predict knowing no column.
        total += float(((scores[out] - scores[~out].mean()) ** 2).sum())
    return 1.0 - missed / total
