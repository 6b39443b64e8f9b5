"""The ledger: one score, split exactly into attributes, remainder and bias.

No sampling and no surrogate: the refined model's score is linear in these parts, so the split is the score itself.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.models.sequence_model import SequenceModel
from guidedrec_core.refinement.additive import AdditiveRefinedModel

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ledger:
    """One user's score of one item, or of several, with its parts.

    Attributes
    ----------
    user_values : FloatArray
        Guided profile p, ``[A]``, in units of G (z-scores).
    item_values : FloatArray
        Guided item vectors g, ``[n, A]``.
    weights : FloatArray
        Learned attribute weights w, ``[A]``.
    contributions : FloatArray
        ``w p g``, ``[n, A]``.
    remainder, bias, score : FloatArray
        ``[n]``; score = contributions summed + remainder + bias.
    average_remainder, average_bias : float
        The same parts averaged over the catalogue: what an average item gets. Contributions average to 0, because
        every column of G does.
    """

    user_values: FloatArray
    item_values: FloatArray
    weights: FloatArray
    contributions: FloatArray
    remainder: FloatArray
    bias: FloatArray
    score: FloatArray
    average_remainder: float
    average_bias: float


def refined_ledger(model: AdditiveRefinedModel, user: int, history: IntArray, items: IntArray) -> Ledger:
    """Split the refined scores of some items for one user.

    Parameters
    ----------
    model : AdditiveRefinedModel
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
    profile, state = model.user_parts(np.array([user]), [history])
    guided, reduced, bias = model.item_parts()
    p, w, out = profile[0].astype(np.float64), model.weights().astype(np.float64), state[0].astype(np.float64)
    g = guided[items].astype(np.float64)  # [n, A]
    contributions = w * p * g  # [n, A]
    all_remainders = reduced.astype(np.float64) @ out  # [n_items]
    remainder, own_bias = all_remainders[items], bias[items].astype(np.float64)
    return Ledger(
        user_values=p,
        item_values=g,
        weights=w,
        contributions=contributions,
        remainder=remainder,
        bias=own_bias,
        score=contributions.sum(axis=1) + remainder + own_bias,
        average_remainder=float(all_remainders.mean()),
        average_bias=float(bias.mean(dtype=np.float64)),
    )


def base_ledger(model: SequenceModel, user: int, history: IntArray, items: IntArray) -> Ledger:
    """Split the base scores of some items: all remainder and bias, since a base model knows no attributes."""
    scores = model.scores(np.array([user]), [history])[0].astype(np.float64)
    bias = model.item_bias().astype(np.float64)
    remainder = scores - bias
    none = np.zeros(0)
    return Ledger(
        user_values=none,
        item_values=np.zeros((len(items), 0)),
        weights=none,
        contributions=np.zeros((len(items), 0)),
        remainder=remainder[items],
        bias=bias[items],
        score=scores[items],
        average_remainder=float(remainder.mean()),
        average_bias=float(bias.mean()),
    )
