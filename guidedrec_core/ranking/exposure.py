"""`ListChanges`: all users' lists before and after something, and who gains and loses exposure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.data.sequences import IntArray

Doubles = npt.NDArray[np.float64]
_SAME = 1e-9
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class ListChanges:
    """The lists of some users before and after a change.

    Attributes
    ----------
    k : int
        Length of the lists.
    users : int
        Users of the data set.
    looked_at : IntArray
        Indexes of the users whose lists these are, ``[U]``: all of them, or a sample.
    lists_before, lists_after : IntArray
        Item indexes, ``[U, k]``; -1 where a list is shorter.
    changed, entered : int
        Of the users looked at, those whose list changes in any place, and those who get at least one other item.
    coverage_before, coverage_after : float
        Share of the catalogue that is in one of these lists.
    categories : pandas.DataFrame
        ``category, before, after, change``: shares of all exposure, largest change first. A place counts
        ``1 / log2(rank + 1)``; an item of several categories counts in its first.
    items : pandas.DataFrame
        ``item_id, title, category, before, after, change``: the same by item, those that change only.
    """

    k: int
    users: int
    looked_at: IntArray
    lists_before: IntArray
    lists_after: IntArray
    changed: int
    entered: int
    coverage_before: float
    coverage_after: float
    categories: pd.DataFrame
    items: pd.DataFrame

    @property
    def sampled(self) -> int:
        """How many users were looked at; the same number as `users` where all were."""
        return len(self.looked_at)

    def most_moved(self, item: int, most: int = 10) -> pd.DataFrame:
        """Return the users in whose list an item gains or loses most.

        Parameters
        ----------
        item : int
            Item index.
        most : int
            Rows at most.

        Returns
        -------
        pandas.DataFrame
            ``user`` (index), ``before, after`` (place from 1; 0 outside the list), largest change of exposure first.
        """
        before, after = _places(self.lists_before, item), _places(self.lists_after, item)
        rows = np.flatnonzero(before != after)
        moved = np.abs(_weight(after[rows]) - _weight(before[rows]))
        rows = rows[np.argsort(-moved, kind="stable")][:most]
        return pd.DataFrame({"user": self.looked_at[rows], "before": before[rows], "after": after[rows]})


def compare_lists(
    catalogue: Catalogue, users: int, looked_at: IntArray, before: IntArray, after: IntArray
) -> ListChanges:
    """Compare lists.

    Parameters
    ----------
    catalogue : Catalogue
        Of all items.
    users : int
        Users of the data set.
    looked_at : IntArray
        Whose lists these are, ``[U]``.
    before, after : IntArray
        Item indexes, ``[U, k]``; -1 where a list is shorter.
    """
    n_items = len(catalogue.frame)
    exposures = exposure(before, n_items), exposure(after, n_items)
    coverage = [float((each > 0).mean()) for each in exposures]
    rows = np.flatnonzero((before != after).any(axis=1))
    return ListChanges(
        k=before.shape[1],
        users=users,
        looked_at=looked_at,
        lists_before=before,
        lists_after=after,
        changed=len(rows),
        entered=_entered(before[rows], after[rows]),
        coverage_before=coverage[0],
        coverage_after=coverage[1],
        categories=shares_by(catalogue.main_categories.replace("", "no category"), *exposures, "category"),
        items=_by_item(catalogue, *exposures),
    )


def exposure(lists: IntArray, n_items: int) -> Doubles:
    """Return each item's exposure in some lists, ``[n_items]``: a place counts ``1 / log2(rank + 1)``.

    Examples
    --------
    >>> exposure(np.array([[1, 0], [1, -1]]), n_items=3).round(2).tolist()
    [0.63, 2.0, 0.0]
    """
    weights = np.broadcast_to(1 / np.log2(np.arange(2, lists.shape[1] + 2)), lists.shape)
    here = lists >= 0
    return np.bincount(lists[here], weights=weights[here], minlength=n_items).astype(np.float64)


def shares_by(group: pd.Series, before: Doubles, after: Doubles, name: str) -> pd.DataFrame:
    """Return the shares of exposure by group of items, ``[name], before, after, change``, largest change first."""
    table = pd.DataFrame({name: group.to_numpy(), "before": _shares(before), "after": _shares(after)})
    table = table.groupby(name, as_index=False, sort=True)[["before", "after"]].sum()
    return _by_change(table)


def _by_item(catalogue: Catalogue, before: Doubles, after: Doubles) -> pd.DataFrame:
    """Return the shares of exposure by item, those that change only."""
    moved = np.flatnonzero(np.abs(before - after) > _SAME)
    frame = catalogue.frame
    table = pd.DataFrame(
        {
            c.ITEM: frame[c.ITEM].to_numpy()[moved],
            c.TITLE: frame[c.TITLE].to_numpy()[moved],
            c.CATEGORY: catalogue.main_categories.to_numpy()[moved],
            "before": _shares(before)[moved],
            "after": _shares(after)[moved],
        }
    )
    return _by_change(table)


def _by_change(table: pd.DataFrame) -> pd.DataFrame:
    """Add the change of a share, largest first."""
    table["change"] = table["after"] - table["before"]
    return table.sort_values("change", key=lambda change: -change.abs(), kind="stable", ignore_index=True)


def _shares(exposures: Doubles) -> Doubles:
    """Return shares of the whole; 0 where nothing is shown at all."""
    whole = float(exposures.sum())
    shares: Doubles = exposures / whole if whole > 0 else np.zeros_like(exposures)
    return shares


def _entered(before: IntArray, after: IntArray) -> int:
    """Count the rows with an item afterwards that was not there before."""
    found = 0
    for first in range(0, len(before), _ROWS_AT_ONCE):
        old, new = before[first : first + _ROWS_AT_ONCE], after[first : first + _ROWS_AT_ONCE]
        known = (new[:, :, None] == old[:, None, :]).any(axis=2) | (new < 0)
        found += int((~known).any(axis=1).sum())
    return found


def _places(lists: IntArray, item: int) -> IntArray:
    """Return the place of an item in each list, from 1; 0 where it is not in it."""
    here = lists == item
    places: IntArray = np.where(here.any(axis=1), here.argmax(axis=1) + 1, 0)
    return places


def _weight(places: IntArray) -> Doubles:
    """Return what places count; 0 outside a list."""
    weights: Doubles = np.where(places > 0, 1 / np.log2(np.maximum(places, 1) + 1), 0.0)
    return weights
