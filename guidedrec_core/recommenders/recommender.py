"""`Recommender`: what everything that recommends can do, with ids and DataFrames."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Generic, Self, TypeVar

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.dataset import Shown, SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import ConfigError, DataError, InputError, NotFittedError
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.ranking.ranks import block_size
from guidedrec_core.ranking.recommend import recommend, recommend_next

Model = TypeVar("Model", bound=ItemScorer)


class Recommender(ABC):
    """Base of all recommenders: lists and scores for ids.

    Attributes
    ----------
    name : str
        What stands in the ``model`` column of its tables.
    """

    name: str

    @abstractmethod
    def _fitted_on(self) -> tuple[SplitDataset, ItemScorer]:
        """Return the data it was fitted on and the fitted model, which knows indexes only.

        Raises
        ------
        NotFittedError
            It was not fitted yet.
        """

    def recommend(
        self,
        users: Sequence[str] | None = None,
        *,
        history: Sequence[str] | None = None,
        k: int = 10,
        shown: Shown = "full",
    ) -> pd.DataFrame:
        """Recommend the k best items that are not in the history.

        Parameters
        ----------
        users : sequence of str, optional
            User ids; everybody when neither `users` nor `history` is given.
        history : sequence of str, optional
            Item ids, oldest first, of somebody the model has never seen; instead of `users`.
        k : int
            Length of a list; shorter where fewer unseen items exist.
        shown : {"full", "train+valid", "train"}
            Which leading part of the users' histories the model sees. The held-out views are for audits.

        Returns
        -------
        pandas.DataFrame
            ``user_id, item_id, score, rank, model``; ranks from 1. ``user_id`` is empty for a `history`.

        Raises
        ------
        UnknownIdError
            A user or item is not in the data set.
        InputError
            Both users and history are given, or k is not positive.
        """
        if k < 1:
            raise InputError(f"expected a list length k of at least 1, got {k}")
        data, model = self._fitted_on()
        if history is not None:
            if users is not None:
                raise InputError("expected users or a history, got both; leave one out")
            items = data.dataset.items.indexes(as_texts(history, "history"))
            return recommend_next(model, self.name, data, items, k)
        everybody = np.arange(len(data.dataset.users))
        chosen = everybody if users is None else data.dataset.users.indexes(as_texts(users, "users"))
        return recommend(model, self.name, data.showing(shown), chosen, k)

    def score(self, pairs: Iterable[tuple[str, str]], *, shown: Shown = "full") -> pd.DataFrame:
        """Score any pairs of a user and an item, seen or not.

        Parameters
        ----------
        pairs : iterable of (str, str)
            User id and item id.
        shown : {"full", "train+valid", "train"}
            As in `recommend`.

        Returns
        -------
        pandas.DataFrame
            ``user_id, item_id, score, model`` in the order of the pairs.

        Raises
        ------
        UnknownIdError
            A user or item is not in the data set.
        """
        given = list(pairs)
        user_ids, item_ids = [str(user) for user, _ in given], [str(item) for _, item in given]
        data, model = self._fitted_on()
        users, items = data.dataset.users.indexes(user_ids), data.dataset.items.indexes(item_ids)
        scores = _pair_scores(model, data.showing(shown), users, items)
        return pd.DataFrame({c.USER: user_ids, c.ITEM: item_ids, c.SCORE: scores, c.MODEL: self.name})

    def fitted_scorer(self, data: SplitDataset) -> ItemScorer:
        """Return the fitted model, which knows indexes only, for data that it was fitted on.

        Raises
        ------
        NotFittedError
            It was not fitted yet.
        DataError
            It was fitted on other users, items or parts of the histories, so that indexes would mean something else.
        """
        own, scorer = self._fitted_on()
        same = own.dataset.users == data.dataset.users and own.dataset.items == data.dataset.items
        if not same or not np.array_equal(own.split.n_train, data.split.n_train):
            raise DataError(
                f"expected the data that {self.name} was fitted on, got another data set or split; fit it on these"
            )
        return scorer


class FittedLater(Recommender, Generic[Model]):
    """A recommender that is created with its settings and fitted on data afterwards."""

    _fitted: tuple[SplitDataset, Model] | None = None

    def fitted(self, data: SplitDataset, model: Model) -> Self:
        """Take a fitted model, e.g. one read from disk."""
        self._fitted = data, model
        return self

    @property
    def data(self) -> SplitDataset:
        """The data it was fitted on."""
        return self._fitted_on()[0]

    @property
    def scorer(self) -> Model:
        """The fitted model inside, which knows indexes only."""
        return self._fitted_on()[1]

    def _fitted_on(self) -> tuple[SplitDataset, Model]:
        if self._fitted is None:
            raise NotFittedError(f"{type(self).__name__} is not fitted yet; call fit(data) first")
        return self._fitted


def _pair_scores(model: ItemScorer, data: SplitDataset, users: IntArray, items: IntArray) -> np.ndarray:
    """Return the score of each pair of indexes, float32 ``[n]``; each user's history is read once."""
    scores = np.empty(len(users), dtype=np.float32)
    different, row = np.unique(users, return_inverse=True)
    size = block_size(model.n_items)
    for first in range(0, len(different), size):
        block = different[first : first + size]
        table = model.scores(block, [data.shown_history(user) for user in block.tolist()])
        own = (row >= first) & (row < first + len(block))
        scores[own] = table[row[own] - first, items[own]]
    return scores


def as_texts(ids: Sequence[str], what: str) -> list[str]:
    """Return ids as text; refuse a lone string, which would be read letter by letter."""
    if isinstance(ids, str):
        raise ConfigError(f"expected a list of ids as {what}, got the text {ids!r}; write [{ids!r}]")
    return [str(one) for one in ids]
