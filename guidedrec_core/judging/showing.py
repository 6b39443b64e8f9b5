"""Items and users as judges see them, and the users that a test asks about."""

from collections.abc import Sequence

import numpy as np

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.errors import InputError
from guidedrec_core.items.pictures import price_words
from guidedrec_core.judging.content import Customer, ShownItem
from guidedrec_core.randomness import generator
from guidedrec_core.recommenders.refined import RefinedRecommender

_HISTORY = 6
"""Past items that a judge sees: enough to know a taste by, few enough to read on a phone."""


class Showing:
    """Writes items and users of a data set as judges see them.

    Parameters
    ----------
    data : SplitDataset
        Histories as the models are shown them, and the catalogue.
    """

    def __init__(self, data: SplitDataset) -> None:
        self.data = data
        self._frame = data.dataset.catalogue.frame

    def item(self, index: int) -> ShownItem:
        """Return an item by its index."""
        row = self._frame.iloc[index]
        price = row.get(c.PRICE)
        currency = row.get(c.CURRENCY)
        written = (
            ""
            if price is None or price != price  # a NaN
            else price_words(float(price), str(currency) if isinstance(currency, str) else "")
        )
        return ShownItem(str(row[c.ITEM]), str(row[c.TITLE]), category_words(str(row[c.CATEGORY])), written)

    def items(self, item_ids: Sequence[str]) -> tuple[ShownItem, ...]:
        """Return items by their ids."""
        return tuple(self.item(index) for index in self.data.dataset.items.indexes(item_ids).tolist())

    def customer(self, user_id: str) -> Customer:
        """Return a user with what they did last."""
        history = self.data.shown_history(self.data.dataset.users.index(user_id))
        newest = history[::-1][:_HISTORY].tolist()
        return Customer(user_id, tuple(self.item(item) for item in newest), len(history))


def asked_about(data: SplitDataset, users: Sequence[str] | None, seed: int) -> list[str]:
    """Return the users to draw cases from, in the order in which they are tried.

    Parameters
    ----------
    data : SplitDataset
        Whose users.
    users : sequence of str, optional
        Only these, in this order; by default all with a history, in random order.
    seed : int
        Of the order.

    Raises
    ------
    UnknownIdError
        One of them is not in the data set.
    InputError
        One is named twice.
    """
    if users is not None:
        data.dataset.users.indexes(list(users))
        if len({*users}) < len(users):
            raise InputError("expected every user once; leave out those that are named again")
        return list(users)
    known = np.flatnonzero(data.shown_lengths > 0)
    order = generator(seed, "cases").permutation(known)
    return [str(data.dataset.users.ids[user]) for user in order.tolist()]


def opened_data(system: RefinedRecommender) -> SplitDataset:
    """Return the data of a recommender with whole histories shown, as of today."""
    return system.data.showing("full")
