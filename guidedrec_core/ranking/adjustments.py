"""Adjustments: what rules add to a model's scores, exactly, one named part for each rule.

    final score = model's score + sum over rules of what the rule adds

A rule adds a fixed amount to each of some items, or, if it is a pin, the amount that lifts an item to a place of one
user's list. Items that must not be recommended get `NEVER` where a score is split, so that the parts stay finite and
averages over the catalogue stay those of the model; in lists they count as minus infinity and never appear.

Shapes: B users, N items, R rules.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.models.base import FloatArray, ItemScorer
from guidedrec_core.ranking.ranks import mask_seen, top_k

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Kind = Literal["pin", "boost", "bury", "out_of_stock", "margin"]

NEVER = -1e4
"""What is added to items that must not be recommended; the same as `refinement.cold.NEVER`."""
GAP = 1e-3
"""How far a pinned item is lifted above the item that it passes, at most."""
_LEAST_GAP = 1e-4  # Items closer than this leave no room between them that float32 scores could tell.


@dataclass(frozen=True, eq=False)
class Adjustment:
    """What one rule adds.

    Attributes
    ----------
    name : str
        The rule's name.
    kind : {"pin", "boost", "bury", "out_of_stock", "margin"}
        What it does.
    items : Mask
        Items it acts on, ``[N]``.
    amounts : Doubles
        What it adds to each item, ``[N]``; 0 outside `items`, and everywhere for a pin.
    users : Mask or None
        Users it acts on, ``[n_users]``; None is everybody, also users who are not in the data set.
    place : int
        Pins only: the place, from 1, that the best of the items is lifted to.
    count : int
        Pins only: how many of the items are lifted, to this place and those after it.
    """

    name: str
    kind: Kind
    items: Mask
    amounts: Doubles
    users: Mask | None = None
    place: int = 1
    count: int = 1

    def concerns(self, users: IntArray) -> Mask:
        """Return which users the rule acts on, ``[B]``, given their indexes; -1 is somebody unknown."""
        if self.users is None:
            return np.ones(len(users), dtype=bool)
        known: Mask = users >= 0
        found: Mask = known & self.users[np.where(known, users, 0)]
        return found


@dataclass(frozen=True, eq=False)
class Adjustments:
    """What several rules add together; of pins that want the same place the first gets it.

    Attributes
    ----------
    rules : tuple of Adjustment
        R rules with different names.
    """

    rules: tuple[Adjustment, ...]

    def __len__(self) -> int:
        return len(self.rules)

    def applied(self, scores: npt.NDArray[np.floating], users: IntArray, histories: list[IntArray]) -> Doubles:
        """Return the final scores, ``[B, N]``; minus infinity for items that a rule takes out of stock.

        Parameters
        ----------
        scores : ndarray
            The model's, ``[B, N]``.
        users : IntArray
            User indexes, ``[B]``; -1 for somebody unknown.
        histories : list of IntArray
            Item indexes of each user's history, which pins pass over.
        """
        final, out = self._without_pins(scores, users)
        final[out] = -np.inf
        pins = [(number, rule) for number, rule in enumerate(self.rules) if rule.kind == "pin"]
        if pins:
            concerned = np.array([rule.concerns(users) for _, rule in pins])  # [P, B]
            masked = mask_seen_doubles(final, histories)
            for row in np.flatnonzero(concerned.any(axis=0)).tolist():
                own = [pin for pin, here in zip(pins, concerned[:, row], strict=True) if here]
                for item, (_, lift) in _lifts(masked[row], own).items():
                    final[row, item] += lift
        return final

    def amounts(self, scores: npt.NDArray[np.floating], user: int, history: IntArray) -> Doubles:
        """Return what each rule adds to one user's scores, ``[R, N]``; `NEVER` where it takes an item out of stock.

        Parameters
        ----------
        scores : ndarray
            The model's, ``[N]``.
        user : int
            User index; -1 for somebody unknown.
        history : IntArray
            Item indexes, which pins pass over.
        """
        users = np.array([user])
        added = np.array([rule.amounts * rule.concerns(users)[0] for rule in self.rules]).reshape(len(self), -1)
        if any(rule.kind == "pin" for rule in self.rules):
            final, out = self._without_pins(scores[None], users)
            final[out] = -np.inf
            own = [(n, rule) for n, rule in enumerate(self.rules) if rule.kind == "pin" and rule.concerns(users)[0]]
            for item, (number, lift) in _lifts(mask_seen_doubles(final, [history])[0], own).items():
                added[number, item] = lift
        return added

    def added(
        self,
        scores: npt.NDArray[np.floating],
        users: IntArray,
        histories: list[IntArray],
        row: IntArray,
        items: IntArray,
    ) -> Doubles:
        """Return what each rule adds to some scores of several users, ``[n, R]``.

        Parameters
        ----------
        scores, users, histories
            As in `applied`.
        row, items : IntArray
            Which rows and items of `scores`, ``[n]`` each; rows ascending.
        """
        found = np.zeros((len(row), len(self)))
        if not len(self):
            return found
        starts = np.searchsorted(row, np.arange(len(users) + 1))
        for user, (first, last) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
            if last > first:
                amounts = self.amounts(scores[user], int(users[user]), histories[user])
                found[first:last] = amounts[:, items[first:last]].T
        return found

    def _without_pins(self, scores: npt.NDArray[np.floating], users: IntArray) -> tuple[Doubles, Mask]:
        """Return scores after all rules but pins, and which items are out of stock, ``[B, N]`` both."""
        final, out = scores.astype(np.float64), np.zeros(scores.shape, dtype=bool)
        for rule in self.rules:
            if rule.kind == "pin":
                continue
            rows, items = np.flatnonzero(rule.concerns(users)), np.flatnonzero(rule.items)
            final[np.ix_(rows, items)] += rule.amounts[items]
            if rule.kind == "out_of_stock":
                out[np.ix_(rows, items)] = True
        return final, out


@dataclass(frozen=True, eq=False)
class AdjustedScorer:
    """An `ItemScorer`: a model's scores with what rules add.

    Attributes
    ----------
    model : ItemScorer
        The model.
    rules : Adjustments
        The rules.
    """

    model: ItemScorer
    rules: Adjustments

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.model.n_items

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return all items' final scores, ``[B, N]``; minus infinity where a rule takes an item out of stock."""
        return self.rules.applied(self.model.scores(users, histories), users, histories).astype(np.float32)


def mask_seen_doubles(scores: Doubles, histories: list[IntArray]) -> Doubles:
    """Return float64 scores with minus infinity at each row's seen items; see `ranks.mask_seen`."""
    masked: Doubles = mask_seen(scores, histories)  # type: ignore[arg-type,assignment]
    return masked


def _lifts(scores: Doubles, pins: list[tuple[int, Adjustment]]) -> dict[int, tuple[int, float]]:
    """Return how far each pinned item is lifted in one list, by item: the number of its rule, and the amount.

    Parameters
    ----------
    scores : Doubles
        After all other rules, ``[N]``; minus infinity for what cannot be recommended.
    pins : list of (int, Adjustment)
        Pins that concern the user, with their numbers.
    """
    rule_of: dict[int, int] = {}
    wanted: list[tuple[int, int]] = []  # place, item; in the order of the rules
    for number, pin in pins:
        open_ = np.where(pin.items, scores, -np.inf)
        open_[list(rule_of)] = -np.inf
        best = top_k(open_[None], pin.count)[0]
        for place, item in enumerate(best[best >= 0].tolist(), start=pin.place):
            rule_of[item] = number
            wanted.append((place, item))
    if not wanted:
        return {}
    wanted.sort(key=lambda pair: pair[0])  # stable: of one place the first rule comes first
    pending: list[tuple[int, int]] = []
    for place, item in wanted:
        pending.append((max(place, pending[-1][0] + 1 if pending else 1), item))
    others = scores.copy()
    others[list(rule_of)] = -np.inf
    ahead = top_k(others[None], min(pending[-1][0] + 1, len(others)))[0]
    order = _merged(scores, ahead[ahead >= 0].tolist(), pending)
    lifts, below = {}, -np.inf
    for place in range(len(order) - 1, -1, -1):
        item, final = order[place], float(scores[order[place]])
        if item in rule_of:
            if final <= below:
                above, between = _room(scores, order[:place], rule_of, below)
                final = below + min(GAP, (above - below) / (between + 2))
            lifts[item] = rule_of[item], final - float(scores[item])
        below = max(final, below)
    return lifts


def _merged(scores: Doubles, others: list[int], pending: list[tuple[int, int]]) -> list[int]:
    """Return the list up to the first item after the last pin: each pin at its place, or earlier where it is anyway."""
    order: list[int] = []
    rest, left = list(pending), iter(others)
    following = next(left, None)
    while rest:
        due = next((one for one in rest if one[0] <= len(order) + 1), None)
        if due is None:
            natural = max(rest, key=lambda one: (scores[one[1]], -one[1]))
            if following is None or _before(scores, natural[1], following):
                due = natural
        if due is None:
            assert following is not None
            order.append(following)
            following = next(left, None)
        else:
            order.append(due[1])
            rest.remove(due)
    return order if following is None else [*order, following]


def _before(scores: Doubles, first: int, second: int) -> bool:
    """Tell whether an item comes before another in a list: by score, then by index."""
    return bool(scores[first] > scores[second] or (scores[first] == scores[second] and first < second))


def _room(scores: Doubles, ahead: list[int], pinned: dict[int, int], below: float) -> tuple[float, int]:
    """Return the score that a lifted item must stay under, and how many pinned items stand between.

    Items that are hardly above `below` are passed, as there is no room under them.
    """
    between = 0
    for item in reversed(ahead):
        if scores[item] - below >= _LEAST_GAP * (between + 2):
            return float(scores[item]), between
        between += item in pinned
    return np.inf, between
