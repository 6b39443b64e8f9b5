"""Contrasts: why one item scores more or less than something it is compared with, split exactly.

    phi_a = slope_a (g_ia - g_ja),    the rest: differences of remainder and bias

Within one list all items share their slopes, so the score is linear in an item's values: these are its Shapley values
against the baseline j (Lundberg and Lee, NeurIPS 2017, corollary 1), in closed form.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.ledger import Ledger, refined_ledger
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """Differences of scores, n of them, and what makes them.

    Attributes
    ----------
    contributions : FloatArray
        What each attribute adds to the item's score over the baseline's, ``[n, A]``.
    remainder, bias : FloatArray
        What the other parts add, ``[n]``.
    difference : FloatArray
        Score of the item less that of the baseline, ``[n]``: the sum of all these.
    """

    contributions: FloatArray
    remainder: FloatArray
    bias: FloatArray
    difference: FloatArray

    @classmethod
    def between(cls, ledger: Ledger, first: IntArray, second: IntArray) -> "Contrast":
        """Compare rows of a ledger: those of `first` with those of `second`, ``[n]`` each."""
        return cls(
            ledger.contributions[first] - ledger.contributions[second],
            ledger.remainder[first] - ledger.remainder[second],
            ledger.bias[first] - ledger.bias[second],
            ledger.score[first] - ledger.score[second],
        )

    @classmethod
    def with_average(cls, ledger: Ledger) -> "Contrast":
        """Compare each row of a ledger with the catalogue's mean; an average item's contributions are 0."""
        remainder, bias = ledger.remainder - ledger.average_remainder, ledger.bias - ledger.average_bias
        return cls(ledger.contributions, remainder, bias, ledger.contributions.sum(axis=1) + remainder + bias)


def contrast(model: RefinedModel, given: UserHistory, items: IntArray, others: IntArray | None = None) -> Contrast:
    """Split the differences between scores of one user.

    Parameters
    ----------
    model : RefinedModel
        The refined model.
    given : UserHistory
        The user, and what the model is shown; a `Question` is one.
    items : IntArray
        Item indexes, ``[n]``.
    others : IntArray, optional
        What each is compared with, ``[n]``; default is the catalogue's mean.
    """
    if others is None:
        return Contrast.with_average(refined_ledger(model, given, items))
    # One pass of the model for both, so that they share slopes to the last digit.
    ledger = refined_ledger(model, given, np.concatenate([items, others]))
    rows = np.arange(len(items))
    return Contrast.between(ledger, rows, rows + len(items))


def just_below(scores: npt.NDArray[np.float32], item: int) -> int | None:
    """Return the item that comes next in the list, or None for the last.

    Parameters
    ----------
    scores : ndarray
        Scores of one user, ``[n_items]``; minus infinity for what is never recommended.
    item : int
        Item index.
    """
    after = (scores < scores[item]) | ((scores == scores[item]) & (np.arange(len(scores)) > item))
    after &= np.isfinite(scores)
    # Of equal scores argmax returns the first, as the list does.
    return int(np.where(after, scores, -np.inf).argmax()) if after.any() else None
