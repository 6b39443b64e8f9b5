"""Recommendation lists as tables, for users of a data set or for somebody unknown."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.models.base import FloatArray, ItemScorer
from guidedrec_core.ranking.ranks import block_size, mask_seen, top_k


def recommend(model: ItemScorer, name: str, data: SplitDataset, users: IntArray, k: int) -> pd.DataFrame:
    """Recommend k items to some users.

    Parameters
    ----------
    model : ItemScorer
        The model.
    name : str
        Written into the ``model`` column.
    data : SplitDataset
        Histories and ids. `SplitDataset.shown` says which part of a history the model sees; items of this part are
        never recommended again.
    users : IntArray
        User indexes.
    k : int
        Length of a list; shorter where fewer unseen items exist.

    Returns
    -------
    pandas.DataFrame
        ``user_id, item_id, score, rank, model``; ranks from 1.
    """
    user_ids = data.dataset.users.ids
    parts = [_table(user_ids[block], data, scores, k) for block, scores in _score_blocks(model, data, users)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(c.RECOMMENDATIONS[:-1]))
    return table.assign(**{c.MODEL: name})


def recommend_next(model: ItemScorer, name: str, data: SplitDataset, history: IntArray, k: int) -> pd.DataFrame:
    """Recommend k items to somebody who is not in the data set.

    Parameters
    ----------
    model, name, data, k
        As in `recommend`.
    history : IntArray
        Item indexes, oldest first; may be empty.

    Returns
    -------
    pandas.DataFrame
        As `recommend` returns it, with an empty ``user_id``.
    """
    scores = mask_seen(model.scores(np.array([-1]), [history]), [history])
    return _table(np.array([""], dtype=object), data, scores, k).assign(**{c.MODEL: name})


def _table(user_ids: np.ndarray, data: SplitDataset, scores: FloatArray, k: int) -> pd.DataFrame:
    """Tabulate the k best items of each row of ``scores [B, n_items]``."""
    best = top_k(scores, k)  # [B, k]
    row, place = np.nonzero(best >= 0)
    items = best[row, place]
    return pd.DataFrame(
        {
            c.USER: user_ids[row],
            c.ITEM: data.dataset.items.ids[items],
            c.SCORE: scores[row, items],
            c.RANK: place + 1,
        }
    )


def _score_blocks(model: ItemScorer, data: SplitDataset, users: IntArray) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield blocks of users with their scores, seen items masked."""
    size = block_size(model.n_items)
    for first in range(0, len(users), size):
        block = users[first : first + size]
        histories = [data.shown_history(user) for user in block.tolist()]
        yield block, mask_seen(model.scores(block, histories), histories)
