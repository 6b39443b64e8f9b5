"""`TopLists`: the best items of every user in the base and the refined model, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.dataset import Dataset, SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import DataError, InputError
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.ranking.recommend import recommend

MODELS = ("base", "refined")
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TopLists:
    """The k best items of all users, best first.

    Attributes
    ----------
    items : mapping of str to IntArray
        ``base`` and ``refined``: item indexes, ``[n_users, k]``; -1 where a user's list is shorter.
    scores : Doubles
        Refined scores of the refined list, ``[n_users, k]``; NaN where it is shorter.
    """

    items: Mapping[str, IntArray]
    scores: Doubles

    @classmethod
    def of(cls, models: Mapping[str, ItemScorer], data: SplitDataset, k: int) -> "TopLists":
        """Compute the lists from the part of the histories that `data` shows.

        Parameters
        ----------
        models : mapping of str to ItemScorer
            ``base`` and ``refined``.
        data : SplitDataset
            Histories.
        k : int
            Length of the lists.
        """
        users = np.arange(data.sequences.n_users)
        tables = [recommend(models[name], name, data, users, k) for name in MODELS]
        return cls.from_table(pd.concat(tables, ignore_index=True), data.dataset)

    @classmethod
    def from_table(cls, recommendations: pd.DataFrame, dataset: Dataset) -> "TopLists":
        """Take the lists from a table, e.g. the one that an evaluation stores.

        Parameters
        ----------
        recommendations : pandas.DataFrame
            ``user_id, item_id, score, rank, model`` of base and refined; users without rows have empty lists.
        dataset : Dataset
            Whose users and items these are.

        Raises
        ------
        UnknownIdError
            A user or item is not in the data set.
        DataError
            The lists of a model are missing.
        """
        missing = [name for name in MODELS if name not in set(recommendations[c.MODEL])]
        if missing:
            raise DataError(f"expected lists of the base and the refined model, got none of {' and '.join(missing)}")
        k = int(recommendations[c.RANK].max())
        shape = (len(dataset.users), k)
        lists, scores = {}, np.full(shape, np.nan)
        for name in MODELS:
            table = recommendations[recommendations[c.MODEL] == name]
            row, place = dataset.users.indexes(table[c.USER]), table[c.RANK].to_numpy(dtype=np.int64) - 1
            items = np.full(shape, -1, dtype=np.int64)
            items[row, place] = dataset.items.indexes(table[c.ITEM])
            lists[name] = items
            if name == "refined":
                scores[row, place] = table[c.SCORE].to_numpy(dtype=np.float64)
        return cls(lists, scores)

    @property
    def k(self) -> int:
        """Length of the lists."""
        return int(self.items["base"].shape[1])

    def cut(self, k: int) -> "TopLists":
        """Return the lists cut to their k best.

        Raises
        ------
        InputError
            They are shorter than that.
        """
        if not 1 <= k <= self.k:
            raise InputError(f"expected a list length from 1 to {self.k}, which the lists have; got {k}")
        return TopLists({name: items[:, :k] for name, items in self.items.items()}, self.scores[:, :k])

    @cached_property
    def weights(self) -> Doubles:
        """How much a place is looked at, ``[k]``: ``1 / log2(rank + 1)``, the discount of NDCG."""
        return discounts(self.k)

    def holds(self, name: str, items: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which places of one model's lists hold one of some items, ``[n_users, k]``.

        Parameters
        ----------
        name : {"base", "refined"}
            Which model.
        items : ndarray of bool
            ``[n_items]``.
        """
        found: npt.NDArray[np.bool_] = np.append(items, False)[self.items[name]]  # -1, no item, reads the last
        return found


def discounts(k: int) -> Doubles:
    """Return the weight of each place of a list in its exposure, ``[k]``.

    Examples
    --------
    >>> discounts(3).round(2).tolist()
    [1.0, 0.63, 0.5]
    """
    weights: Doubles = 1.0 / np.log2(np.arange(2, k + 2))
    return weights
