"""How lists of the same users differ between two refined recommenders: who gets others, which items gained or lost."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.lists import Doubles, TopLists, discounts
from guidedrec_core.audience.population import Population
from guidedrec_core.data.sequences import IntArray

_REFINED = "refined"


@dataclass(frozen=True, eq=False)
class ListChange:
    """What changed in the refined lists.

    Attributes
    ----------
    k : int
        Length of the lists.
    users : int
        Users with a list in both runs.
    changed : int
        Of these, users whose list differs in any place.
    entered : int
        Users who get at least one other item.
    first : int
        Users whose first item is another one.
    overlap : float
        Mean share of a user's items that the other list holds, too, 0..1; NaN without users.
    items : pandas.DataFrame
        One row an item in another number of lists, the largest change first: ``item_id, title, before, after, change``
        (lists that hold it).
    people : pandas.DataFrame
        One row a user whose list changed, the most affected first: ``user_id, moved`` (share of the list's exposure
        that other items or other places have now, 0..1; a place counts ``1 / log2(rank + 1)``), ``kept`` (items that
        stayed), ``entered, left`` (titles, best place first), ``item_id`` (the best placed item that entered, else the
        first whose place changed) and ``by_scores`` (whether changed scores by themselves change the list, too; those
        come first).
    """

    k: int
    users: int
    changed: int
    entered: int
    first: int
    overlap: float
    items: pd.DataFrame
    people: pd.DataFrame

    def first_those(self, users: set[str]) -> Self:
        """Return the same with the users first whose lists changed scores change by themselves."""
        people = self.people.assign(by_scores=self.people[c.USER].isin(users))
        order = ["by_scores", "moved", c.USER]
        people = people.sort_values(order, ascending=[False, False, True], kind="stable", ignore_index=True)
        return replace(self, people=people)


def list_change(before: Population, after: Population) -> ListChange:
    """Compare the refined lists of all users, item by item and user by user.

    Parameters
    ----------
    before, after : Population
        The same users, items and length of lists.
    """
    old, new = (each.lists.items[_REFINED] for each in (before, after))
    rows = np.flatnonzero((old[:, 0] >= 0) & (new[:, 0] >= 0))
    old, new = old[rows], new[rows]
    stayed = _places(new, old) >= 0  # [U, k], of the new list
    lengths = (new >= 0).sum(axis=1)
    differs = (old != new).any(axis=1)
    entered = stayed.sum(axis=1) < lengths
    return ListChange(
        k=after.lists.k,
        users=len(rows),
        changed=int(differs.sum()),
        entered=int(entered.sum()),
        first=int((old[:, 0] != new[:, 0]).sum()),
        overlap=float((stayed.sum(axis=1) / lengths).mean()) if len(rows) else np.nan,
        items=_items(after, old, new),
        people=_people(after, rows[differs], old[differs], new[differs]),
    )


def longest(before: TopLists, after: TopLists) -> int:
    """Return the length that both kinds of lists have at least."""
    return min(before.k, after.k)


def _places(lists: IntArray, others: IntArray) -> IntArray:
    """Return where each item of some lists stands in the others, ``[U, k]`` from 0; -1 where it does not."""
    found = np.full(lists.shape, -1, dtype=np.int64)
    for place in range(others.shape[1]):
        column = others[:, place : place + 1]
        found[(lists == column) & (column >= 0)] = place
    return found


def _moved(old: IntArray, new: IntArray) -> Doubles:
    """Return the share of each list's exposure that moved to other items or places, ``[U]``."""
    weights = discounts(new.shape[1])
    there = _places(new, old)
    was = np.where(there >= 0, weights[there], 0.0)
    now = np.where(new >= 0, weights, 0.0)
    gone = np.where((old >= 0) & (_places(old, new) < 0), weights, 0.0)
    moved: Doubles = (np.abs(now - was).sum(axis=1) + gone.sum(axis=1)) / (2 * now.sum(axis=1))
    return moved


def _items(after: Population, old: IntArray, new: IntArray) -> pd.DataFrame:
    """Count the lists that hold each item, before and after."""
    frame, n_items = after.data.dataset.catalogue.frame, after.n_items
    counts = [np.bincount(lists[lists >= 0], minlength=n_items) for lists in (old, new)]
    table = pd.DataFrame(
        {
            c.ITEM: after.data.dataset.items.ids,
            c.TITLE: frame[c.TITLE].astype(str).to_numpy(),
            "before": counts[0],
            "after": counts[1],
            "change": counts[1] - counts[0],
        }
    )
    moved = table[table["change"] != 0]
    return moved.sort_values("change", key=lambda change: -change.abs(), kind="stable", ignore_index=True)


def _people(after: Population, rows: IntArray, old: IntArray, new: IntArray) -> pd.DataFrame:
    """Describe how the list of each user changed."""
    dataset = after.data.dataset
    titles = dataset.catalogue.frame[c.TITLE].astype(str).to_numpy()
    came, went = _places(new, old) < 0, _places(old, new) < 0
    came &= new >= 0
    went &= old >= 0
    # Where nothing came in, the first place that another item has.
    opened = np.where(came.any(axis=1), came.argmax(axis=1), (old != new).argmax(axis=1))
    shown = np.where(
        new[np.arange(len(new)), opened] >= 0, new[np.arange(len(new)), opened], old[np.arange(len(new)), opened]
    )
    table = pd.DataFrame(
        {
            c.USER: dataset.users.ids[rows],
            "moved": _moved(old, new),
            "kept": ((new >= 0) & ~came).sum(axis=1),
            "entered": _titles(titles, new, came),
            "left": _titles(titles, old, went),
            c.ITEM: dataset.items.ids[shown],
            "by_scores": False,
        }
    )
    return table.sort_values(["moved", c.USER], ascending=[False, True], kind="stable", ignore_index=True)


def _titles(titles: npt.NDArray[np.object_], lists: IntArray, chosen: npt.NDArray[np.bool_]) -> list[tuple[str, ...]]:
    """Return the titles of the chosen places of each list."""
    return [tuple(titles[row[here]].tolist()) for row, here in zip(lists, chosen, strict=True)]
