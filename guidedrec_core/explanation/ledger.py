"""The ledger: one score, split exactly into attributes, remainder and bias.

No sampling and no surrogate: the refined model's score is linear in these parts, so the split is the score itself.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.models.base import BaseModel
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ledger:
    """One user's score of one item, or of several, with its parts.

    Attributes
    ----------
    user_values : FloatArray
        The user's value on each attribute, ``[A]``, in units of G (z-scores).
    item_values : FloatArray
        Guided item vectors g, ``[n, A]``.
    weights : FloatArray
        Learned attribute weights w, ``[A]``.
    slopes : FloatArray
        What one unit of an item's value adds, ``[A]``; ``w p`` in the additive form that is not anchored.
    contributions : FloatArray
        ``slope * g``, ``[n, A]``.
    remainder, bias, score : FloatArray
        ``[n]``; score = contributions summed + remainder + bias.
    average_remainder, average_bias : float
        The same parts averaged over the catalogue: what an average item gets. Contributions average to 0, because
        every column of G does.
    """

    user_values: FloatArray
    item_values: FloatArray
    weights: FloatArray
    slopes: FloatArray
    contributions: FloatArray
    remainder: FloatArray
    bias: FloatArray
    score: FloatArray
    average_remainder: float
    average_bias: float


def refined_ledger(model: RefinedModel, user: int, history: IntArray, items: IntArray) -> Ledger:
    """Split the refined scores of some items for one user.

    Parameters
    ----------
    model : RefinedModel
        The refined model.
    user : int
        User index, for the LLM user scores; -1 for none.
    history : IntArray
        The user's item indexes, oldest first.
    items : IntArray
        Item indexes to explain, ``[n]``.

    Returns
    -------
    Ledger
        Sums in float64 agree with the model's float32 score to 1e-5.
    """
    parts = model.parts(np.array([user]), [history])
    slopes, remainders = parts.slopes[0].astype(np.float64), parts.remainder[0].astype(np.float64)
    g = model.item_values()[items].astype(np.float64)  # [n, A]
    contributions = slopes * g  # [n, A]
    remainder, bias = remainders[items], parts.bias[items].astype(np.float64)
    return Ledger(
        user_values=parts.profile[0].astype(np.float64),
        item_values=g,
        weights=model.weights().astype(np.float64),
        slopes=slopes,
        contributions=contributions,
        remainder=remainder,
        bias=bias,
        score=contributions.sum(axis=1) + remainder + bias,
        average_remainder=float(remainders.mean()),
        average_bias=float(parts.bias.mean(dtype=np.float64)),
    )


def base_ledger(model: BaseModel, user: int, history: IntArray, items: IntArray) -> Ledger:
    """Split the base scores of some items: all remainder and bias, since a base model knows no attributes."""
    scores = model.scores(np.array([user]), [history])[0].astype(np.float64)
    bias = model.item_bias().astype(np.float64)
    remainder = scores - bias
    none = np.zeros(0)
    return Ledger(
        user_values=none,
        item_values=np.zeros((len(items), 0)),
        weights=none,
        slopes=none,
        contributions=np.zeros((len(items), 0)),
        remainder=remainder[items],
        bias=bias[items],
        score=scores[items],
        average_remainder=float(remainder.mean()),
        average_bias=float(bias.mean()),
    )
