"""Ties: interactions of one user at the same moment, whose order in time is unknown."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.config import TiesConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError
from guidedrec_core.randomness import generator

# With at least this many neighbouring pairs, all in the order of item ids, chance is no explanation.
_FEWEST_PAIRS = 20


@dataclass(frozen=True)
class Tied:
    """What ties can be ordered by.

    Attributes
    ----------
    items : ndarray
        Each row's item, as its place in `item_ids`, ``[n]``.
    item_ids : pandas.Index
        Text, sorted.
    key : ndarray or None
        The rank of each row by the chosen column, ``[n]``.
    """

    items: npt.NDArray[np.int32]
    item_ids: pd.Index
    key: npt.NDArray[np.int64] | None = None


def tie_key(values: pd.Series) -> npt.NDArray[np.int64]:
    """Rank the values of a column, ``[n]``: as numbers if all are, else in the order of their type.

    Raises
    ------
    DataError
        A value is missing.
    """
    absent = values.isna()
    if absent.any():
        raise DataError(
            f"expected a value in every row of the column that orders ties, {int(absent.sum()):,} of {len(values):,} "
            f"have none (first: row {int(np.flatnonzero(absent.to_numpy())[0]) + 1}); fill them, or use --ties shuffle"
        )
    numbers = pd.to_numeric(values, errors="coerce")
    ranks, _ = pd.factorize(values if numbers.isna().any() else numbers, sort=True)
    return ranks.astype(np.int64)


def arrange_ties(
    order: npt.NDArray[np.int32],
    users: npt.NDArray[np.int32],
    times: npt.NDArray[np.int64],
    by: Tied,
    ties: TiesConfig,
    notices: list[Notice],
) -> npt.NDArray[np.int32]:
    """Order interactions of one user at the same moment, and say how many there are.

    Parameters
    ----------
    order : ndarray
        Rows by user, time and place in the source, ``[n]``.
    users, times : ndarray
        Of each row.
    by : Tied
        What to order by.
    ties : TiesConfig
        How to order.
    notices : list of Notice
        Appended to when there are ties.

    Returns
    -------
    ndarray
        `order` with ties arranged. A shuffle depends on the seed and on the set of interactions, not on the order
        of the source.
    """
    same = (users[order[1:]] == users[order[:-1]]) & (times[order[1:]] == times[order[:-1]])
    if not same.any():
        return order
    group = np.cumsum(np.concatenate([[True], ~same]))
    places = np.flatnonzero(np.concatenate([same, [False]]) | np.concatenate([[False], same]))
    rows, group = order[places], group[places]
    message = f"{len(rows):,} of {len(order):,} interactions have the time of another one of the same user"
    notices.append(Notice("tied_times", len(rows), f"{message}; {_what_is_done(ties, rows, group, by)}"))
    if ties.order == "none":
        return order
    if ties.order == "shuffle":
        rows = rows[np.lexsort((by.items[rows], group))]
        key = generator(ties.seed, "ties").permutation(len(rows))
    elif by.key is None:
        raise ValueError("ties by a column need the column tie_order")
    else:
        key = by.key[rows]
    arranged = order.copy()
    arranged[places] = rows[np.lexsort((key, group))]
    return arranged


def _what_is_done(ties: TiesConfig, rows: npt.NDArray[np.int32], group: npt.NDArray[np.int64], by: Tied) -> str:
    if ties.order != "none":
        return f"these are {ties.describe()}"
    if _is_by_id(rows, group, by):
        return "these keep the order of the source, which is that of item ids and says nothing about time"
    return "these keep the order of the source"


def _is_by_id(rows: npt.NDArray[np.int32], group: npt.NDArray[np.int64], by: Tied) -> bool:
    """Return whether ties come sorted by item id, as text or as numbers."""
    together = group[1:] == group[:-1]
    if together.sum() < _FEWEST_PAIRS:
        return False
    ranks: list[npt.NDArray[np.float64]] = [np.arange(len(by.item_ids), dtype=np.float64)]
    numbers = pd.to_numeric(pd.Series(by.item_ids), errors="coerce")
    if numbers.notna().all():
        ranks.append(numbers.to_numpy(dtype=np.float64))
    return any(bool((np.diff(rank[by.items[rows]])[together] >= 0).all()) for rank in ranks)
