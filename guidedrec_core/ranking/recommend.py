"""Recommendation lists and ledgers for one user or for all."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.prepared import PreparedData
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.models.base import Recommender
from guidedrec_core.ranking.ranks import block_size, mask_seen, top_k
from guidedrec_core.stages.system import System

History = Literal["train", "train+valid"]

# Rows of ledgers made at a time: some tens of megabytes, whatever the size of the catalogue.
_LEDGER_ROWS = 200_000


def recommend(
    model: Recommender, name: str, data: PreparedData, users: IntArray, k: int, history: History = "train+valid"
) -> pd.DataFrame:
    """Recommend k items to some users.

    Parameters
    ----------
    model : Recommender
        The model.
    name : str
        Written into the ``model`` column.
    data : PreparedData
        Histories and ids.
    users : IntArray
        User indexes.
    k : int
        Length of a list; shorter where fewer unseen items exist.
    history : {"train", "train+valid"}
        What the model sees of each user, and what is never recommended again.

    Returns
    -------
    pandas.DataFrame
        ``user_id, item_id, score, rank, model``; ranks from 1.
    """
    user_ids, item_ids = data.dataset.users.ids, data.dataset.items.ids
    parts = []
    for block, scores in _score_blocks(model, data, users, history):
        best = top_k(scores, k)  # [B, k]
        row, place = np.nonzero(best >= 0)
        items = best[row, place]
        parts.append(
            pd.DataFrame(
                {
                    c.USER: user_ids[block[row]],
                    c.ITEM: item_ids[items],
                    c.SCORE: scores[row, items],
                    c.RANK: place + 1,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(c.RECOMMENDATIONS[:-1]))
    return table.assign(**{c.MODEL: name})


def ledgers(system: System, users: IntArray, k: int) -> Iterator[pd.DataFrame]:
    """Yield the ledgers of each user's k refined recommendations in long form, some users at a time.

    Yields
    ------
    pandas.DataFrame
        ``user_id, item_id, part, value``; parts are the attributes, ``remainder`` and ``bias``; the values of one user
        and item sum to the score and equal those of `refined_ledger`.
    """
    model, data = system.refined, system.data
    user_ids, item_ids = data.dataset.users.ids, data.dataset.items.ids
    names = np.array([*system.schema.names, "remainder", "bias"], dtype=object)
    guided = model.item_values().astype(np.float64)
    at_once = min(block_size(model.n_items), max(1, _LEDGER_ROWS // (k * len(names))))
    for first in range(0, len(users), at_once):
        block = users[first : first + at_once]
        histories = [data.shown_history(user) for user in block.tolist()]
        parts = model.parts(block, histories)
        best = top_k(mask_seen(parts.scores, histories), k)  # [B, k]
        row, place = np.nonzero(best >= 0)
        items = best[row, place]  # [n]
        contributions = parts.slopes[row].astype(np.float64) * guided[items]  # [n, A]
        yield pd.DataFrame(
            {
                c.USER: np.repeat(user_ids[block[row]], len(names)),
                c.ITEM: np.repeat(item_ids[items], len(names)),
                "part": np.tile(names, len(items)),
                "value": np.column_stack([contributions, parts.remainder[row, items], parts.bias[items]]).ravel(),
            }
        )


def _score_blocks(
    model: Recommender, data: PreparedData, users: IntArray, history: History
) -> Iterator[tuple[IntArray, np.ndarray]]:
    """Yield blocks of users with their scores, seen items masked."""
    size = block_size(model.n_items)
    for first in range(0, len(users), size):
        block = users[first : first + size]
        histories = [data.shown_history(u, history == "train+valid") for u in block.tolist()]
        yield block, mask_seen(model.scores(block, histories), histories)
