"""The ledger: one score, split exactly into attributes, remainder and bias.

No sampling and no surrogate: the refined model's score is linear in these parts, so the split is the score itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.models.base import BaseModel
from guidedrec_core.ranking.adjustments import Adjustments
from guidedrec_core.ranking.ranks import block_size, mask_seen, top_k
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]

# Rows of ledgers made at a time: some tens of megabytes, whatever the size of the catalogue.
_LEDGER_ROWS = 200_000


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


def refined_ledger(model: RefinedModel, given: UserHistory, items: IntArray) -> Ledger:
    """Split the refined scores of some items for one user.

    Parameters
    ----------
    model : RefinedModel
        The refined model.
    given : UserHistory
        The user, and what the model is shown; a `Question` is one.
    items : IntArray
        Item indexes to explain, ``[n]``.

    Returns
    -------
    Ledger
        Sums in float64 agree with the model's float32 score to 1e-5.
    """
    parts = model.parts(given.users, given.histories)
    # In float64, so that the parts add up to the score they are shown with; in float32 their order would matter.
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


def base_ledger(model: BaseModel, given: UserHistory, items: IntArray) -> Ledger:
    """Split the base scores of some items: all remainder and bias, since a base model knows no attributes."""
    scores = model.scores(given.users, given.histories)[0].astype(np.float64)
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


def ledgers(
    model: RefinedModel,
    attributes: tuple[str, ...],
    data: SplitDataset,
    users: IntArray,
    k: int,
    rules: Adjustments | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield the ledgers of each user's k refined recommendations in long form, some users at a time.

    Parameters
    ----------
    model : RefinedModel
        The refined model.
    attributes : tuple of str
        Names of its attributes, in column order.
    data : SplitDataset
        Histories and ids.
    users : IntArray
        User indexes.
    k : int
        Length of a list.
    rules : Adjustments, optional
        Rules that are added to the model's scores; each is a part.

    Yields
    ------
    pandas.DataFrame
        ``user_id, item_id, part, value``; parts are the attributes, ``remainder``, ``bias`` and rules; the values of
        one user and item sum to the score and, without rules, equal those of `refined_ledger`.
    """
    user_ids, item_ids = data.dataset.users.ids, data.dataset.items.ids
    rules = Adjustments(()) if rules is None else rules
    names = np.array([*attributes, "remainder", "bias", *(rule.name for rule in rules.rules)], dtype=object)
    guided = model.item_values().astype(np.float64)
    at_once = min(block_size(model.n_items), max(1, _LEDGER_ROWS // (k * len(names))))
    for first in range(0, len(users), at_once):
        block = users[first : first + at_once]
        histories = [data.shown_history(user) for user in block.tolist()]
        parts = model.parts(block, histories)
        scores = rules.applied(parts.scores, block, histories).astype(np.float32) if len(rules) else parts.scores
        best = top_k(mask_seen(scores, histories), k)  # [B, k]
        row, place = np.nonzero(best >= 0)  # -1 fills the lists of users who have nearly the whole catalogue
        items = best[row, place]  # [n]
        contributions = parts.slopes[row].astype(np.float64) * guided[items]  # [n, A]
        yield pd.DataFrame(
            {
                c.USER: np.repeat(user_ids[block[row]], len(names)),
                c.ITEM: np.repeat(item_ids[items], len(names)),
                "part": np.tile(names, len(items)),
                "value": np.column_stack(
                    [
                        contributions,
                        parts.remainder[row, items],
                        parts.bias[items],
                        rules.added(parts.scores, block, histories, row, items),
                    ]
                ).ravel(),
            }
        )
