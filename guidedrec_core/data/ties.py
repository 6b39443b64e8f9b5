"""Ties: interactions of one user at the same moment, whose order in time is unknown."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.config import TiesConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import RowError
from guidedrec_core.randomness import generator

# With at least this many neighbouring pairs, all in the order of item ids, chance is no explanation.
FEWEST_PAIRS = 20


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


def tie_key(values: pd.Series, numeric: bool | None = None) -> npt.NDArray[np.int64]:
    """Rank the values of a column, ``[n]``: as numbers if all are, else in the order of their type.

    Parameters
    ----------
    values : pandas.Series
        The column, or some rows of it.
    numeric : bool, optional
        Whether all values of the whole column are numbers; found out from `values` by default.

    Raises
    ------
    DataError
        A value is missing.
    """
    absent = values.isna()
    if absent.any():
        raise missing_keys(int(absent.sum()), len(values), int(np.flatnonzero(absent.to_numpy())[0]) + 1)
    numbers = pd.to_numeric(values, errors="coerce")
    if numeric is None:
        numeric = not numbers.isna().any()
    ranks, _ = pd.factorize(numbers if numeric else values, sort=True)
    return ranks.astype(np.int64)


def missing_keys(count: int, rows: int, first: int) -> RowError:
    """Return the error for rows without a value that orders ties; `first` is the number of the first of them."""
    return RowError(
        f"expected a value in every row of the column that orders ties, {count:,} of {rows:,} have none (first: ",
        first,
        "); fill them, or use --ties shuffle",
    )


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
    by_id = ties.order == "none" and _is_by_id(rows, group, by)
    notices.append(ties_notice(ties, len(rows), len(order), by_id))
    if ties.order == "none":
        return order
    arranged = order.copy()
    arranged[places] = arrange_tied(rows, group, by, ties)
    return arranged


def arrange_tied(
    rows: npt.NDArray[np.int32], group: npt.NDArray[np.int64], by: Tied, ties: TiesConfig
) -> npt.NDArray[np.int32]:
    """Order tied rows, ``[n]``, which are sorted by group: shuffled, or by the key; see `arrange_ties`."""
    if ties.order == "shuffle":
        rows = rows[np.lexsort((by.items[rows], group))]
        key = generator(ties.seed, "ties").permutation(len(rows))
    elif by.key is None:
        raise ValueError("ties by a column need the column tie_order")
    else:
        key = by.key[rows]
    return rows[np.lexsort((key, group))]


def ties_notice(ties: TiesConfig, count: int, interactions: int, by_id: bool) -> Notice:
    """Say how many interactions are tied and what was done; `by_id`: whether their order is that of item ids."""
    message = f"{count:,} of {interactions:,} interactions have the time of another one of the same user"
    done = "these keep the order of the source"
    if ties.order != "none":
        done = f"these are {ties.describe()}"
    elif by_id:
        done += ", which is that of item ids and says nothing about time"
    return Notice("tied_times", count, f"{message}; {done}")


def _is_by_id(rows: npt.NDArray[np.int32], group: npt.NDArray[np.int64], by: Tied) -> bool:
    """Return whether ties come sorted by item id, as text or as numbers."""
    together = group[1:] == group[:-1]
    if together.sum() < FEWEST_PAIRS:
        return False
    ranks: list[npt.NDArray[np.float64]] = [np.arange(len(by.item_ids), dtype=np.float64)]
    numbers = item_numbers(by.item_ids)
    if numbers is not None:
        ranks.append(numbers)
    return any(bool((np.diff(rank[by.items[rows]])[together] >= 0).all()) for rank in ranks)


def item_numbers(item_ids: pd.Index) -> npt.NDArray[np.float64] | None:
    """Return ids as numbers, ``[n]``; None when one of them is none."""
    numbers = pd.to_numeric(pd.Series(item_ids), errors="coerce")
    return numbers.to_numpy(dtype=np.float64) if numbers.notna().all() else None
