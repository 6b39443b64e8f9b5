"""Which past items hold a recommendation, in one order: without the first it falls furthest, with them alone it stands.

Shapley values say what each past item adds on average over all companions. Here the question is another one: in which
*order* should past items be named, so that the first j of them carry as much of the recommendation as j items can, for
every j? With T_j the first j positions of an order, the order sought has the largest

    sum over j of  F(T_j),      F(T) = held(T) - lost(all but T)

    held(T) = 25 p(T) + u(T)        lost(R) = 80 p(R) + v(R)

p: the item's probability among unseen items; u and v: whether it still stands in lists (`_usefulness`). The first term
is what the item keeps with T alone, the second what it keeps without T. Probabilities weigh that much because that of a
recommended item is about 0.1, and far less once its reasons are gone. The weights decide between aims that no single
order serves all (keeping the probability, or keeping the place in the list); they were chosen on users other than those
that `benchmarks/leaderboard.py` measures.

F depends on the set alone, and the sets of an order are nested. So for few positions the best of all n! orders is found
exactly, by dynamic programming over the 2^n subsets: ``V(T) = F(T) + max over i in T of V(T without i)``. For more
positions, orders drawn at random, each forwards and backwards, give Shapley values of F to start from; then windows of
consecutive places are put in their best order, by the same programming, until none improves.

Shapes: n positions, M parts of a history.
"""

from dataclasses import dataclass

import numpy as np

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.past_items.standing import BoolArray, FloatArray, Places, Standing
from guidedrec_core.explanation.question import Question
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.randomness import generator

EXACT_UP_TO = 10
"""Positions whose orders are all compared by default."""
EVALUATIONS = 768
"""Parts of a history scored to start from where not all are, about; the search scores some hundred more."""

_LISTS = np.array([1, 5, 10, 20, 50, 100])
_PROBABILITY_HELD, _PROBABILITY_LOST = 25.0, 80.0
_LISTS_HELD, _LISTS_LOST = 1.0, 2.0
_FEWEST_ORDERS = 8
_WINDOW = 5
_STRIDE = 2
_PASSES = 6


@dataclass(frozen=True)
class RemovalOrder:
    """The order in which past items hold a recommendation.

    Attributes
    ----------
    order : IntArray
        Positions of the history (0 = oldest), the most important first, ``[n]``.
    alone : Places
        Where the item stands with the first j positions of the order alone, j = 0 to n.
    without : Places
        Where it stands without them.
    grouped : int
        Oldest positions of the history that position 0 stands for together; 1 if every position stands for itself.
    exact : bool
        All orders were compared.
    n_evaluations : int
        Parts of the history that were scored, each once.
    """

    order: IntArray
    alone: Places
    without: Places
    grouped: int
    exact: bool
    n_evaluations: int

    @property
    def importance(self) -> IntArray:
        """A number for each position of the history, ``[n]``: n for the first of the order, 1 for the last."""
        values = np.empty(len(self.order), np.int64)
        values[self.order] = np.arange(len(self.order), 0, -1)
        return values


def removal_order(
    model: ItemScorer,
    question: Question,
    seed: int = 0,
    evaluations: int = EVALUATIONS,
    exact_up_to: int = EXACT_UP_TO,
    most: int | None = None,
) -> RemovalOrder:
    """Put the past items in the order in which they hold a recommendation.

    Parameters
    ----------
    model : ItemScorer
        Base or refined model.
    question : Question
        About an item that the history does not hold. Each position counts by itself, repeated items too.
    seed : int
        Of the orders drawn.
    evaluations : int
        How many parts of the history to score before the search, about, where not all are; at least eight orders.
    exact_up_to : int
        Positions up to which all orders are compared, by scoring 2 to the power of their number.
    most : int, optional
        Positions with a place of their own in the order, the newest; all older ones are removed together.

    Raises
    ------
    InputError
        The history holds the item.
    """
    standing = Standing(model, question, most)
    n = standing.n_positions
    exact = n <= exact_up_to
    if exact:
        order = _best_order(standing, np.empty(0, np.int64), np.arange(n))
    else:
        rng = generator(seed, "removal order")
        order = _improved(standing, _started(standing, rng, max(_FEWEST_ORDERS, evaluations // (2 * n))))
    first = np.argsort(order) < np.arange(n + 1)[:, None]  # [n + 1, n], the first j
    return RemovalOrder(order, standing(first), standing(~first), standing.grouped, exact, standing.n_evaluations)


def _usefulness(ranks: IntArray, weight: float) -> FloatArray:
    """Return what a rank is worth: its NDCG, and the share of lists of several lengths that it stands in."""
    in_lists: FloatArray = (ranks[:, None] <= _LISTS).mean(axis=1)
    worth: FloatArray = 1.0 / np.log2(ranks + 1.0) + weight * in_lists
    return worth


def _worth(standing: Standing, kept: BoolArray) -> FloatArray:
    """Return F of sets of positions ``[M, n]``, ``[M]``."""
    places = standing(np.concatenate([kept, ~kept]))
    alone, without = places.take(slice(len(kept))), places.take(slice(len(kept), None))
    held = _PROBABILITY_HELD * alone.probabilities + _usefulness(alone.ranks, _LISTS_HELD)
    lost = _PROBABILITY_LOST * without.probabilities + _usefulness(without.ranks, _LISTS_LOST)
    worth: FloatArray = held - lost
    return worth


def _best_order(standing: Standing, before: IntArray, window: IntArray) -> IntArray:
    """Return the best order of the window's positions after those before it, ``[w]``; exact, ties by position."""
    w = len(window)
    subsets = (np.arange(2**w)[:, None] >> np.arange(w) & 1).astype(bool)  # [2 ** w, w]
    kept = np.zeros((2**w, standing.n_positions), dtype=bool)
    kept[:, before] = True
    kept[:, window] = subsets
    worth = _worth(standing, kept)
    best = np.where(subsets.any(axis=1), -np.inf, 0.0)
    last = np.zeros(2**w, np.int64)
    sizes = subsets.sum(axis=1)
    for size in range(1, w + 1):
        these = np.flatnonzero(sizes == size)
        smaller = these[:, None] & ~(1 << np.arange(w))  # [m, w]
        reached = np.where(subsets[these], best[smaller], -np.inf)
        # Among equals the first of the window, usually the oldest, is named last.
        last[these] = reached.argmax(axis=1)
        best[these] = worth[these] + reached.max(axis=1)
    order = np.empty(w, np.int64)
    remaining = 2**w - 1
    for place in range(w - 1, -1, -1):
        order[place] = last[remaining]
        remaining &= ~(1 << int(last[remaining]))
    return window[order]


def _started(standing: Standing, rng: np.random.Generator, n_orders: int) -> IntArray:
    """Return positions by their sampled Shapley value of F, largest first; among equals, the newest first."""
    n = standing.n_positions
    drawn = np.stack([rng.permutation(n) for _ in range(n_orders)])
    drawn = np.concatenate([drawn, drawn[:, ::-1]])  # [D, n]
    joined = np.argsort(drawn, axis=1)[:, None, :] < np.arange(n + 1)[:, None]  # [D, n + 1, n]
    worth = _worth(standing, joined.reshape(-1, n)).reshape(len(drawn), n + 1)
    values = np.zeros(n)
    np.add.at(values, drawn, np.diff(worth, axis=1))
    order: IntArray = np.lexsort((-np.arange(n), -values))
    return order


def _improved(standing: Standing, order: IntArray) -> IntArray:
    """Put windows of consecutive places in their best order until none improves, or for a few passes."""
    n = len(order)
    width = min(_WINDOW, n)
    starts = sorted({*range(0, n - width + 1, _STRIDE), n - width})
    for _ in range(_PASSES):
        before = order.copy()
        for start in starts:
            window = slice(start, start + width)
            order[window] = _best_order(standing, order[:start], np.sort(order[window]))
        if np.array_equal(order, before):
            break
    return order
