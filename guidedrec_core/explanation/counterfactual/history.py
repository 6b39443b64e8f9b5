"""Which past items would have to be missing for an item to leave the list, or to enter it.

Sizes are tried in turn. One past item: each is left out once. Two, three, and more as long as the work allowed suffices
for all sets: those first whose items moved the score most by themselves, until one does it; so what is found is the
smallest, unless the work ran out. Beyond: greedy, one more item at a time. What is left out stays out of the list: the
user has it all the same.
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.counterfactual.search import FloatArray, Goal, Standing
from guidedrec_core.explanation.question import Question
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.ranking.ranks import mask_seen, ranks_of

MOST_SCORED = 2000
"""Shortened histories scored at most in turn: all sets of 10 past items, all of up to three of 23, all pairs of 62."""
MOST_REMOVED = 10
"""Past items that are left out at most."""
MOST_NUMBERS = 50_000_000
"""Scores computed for these sets at most: a large catalogue is scored less often, 1,000 times at 50,000 items."""

# Sizes of which the most promising sets are tried even where the work does not suffice for all.
_EXACT_SIZES = 3
# A block of scores takes at most this many numbers, and a model holds a few such blocks.
_BLOCK_NUMBERS = 8 * 1024 * 1024
_LARGEST_BLOCK = 256


@dataclass(frozen=True)
class HistoryEdit:
    """The smallest set of past items found without which an item leaves the list or enters it.

    Attributes
    ----------
    goal : {"leave", "enter"}
        The requested change of rank.
    old_rank : int
        The item's rank with the whole history.
    removed : tuple of int
        Places in the history, from 0 = oldest; empty where nothing was found.
    rank : int
        The item's rank without them, by scoring anew; `old_rank` where nothing was found.
    exact : bool
        All smaller sets were tried, and none does it; where nothing was found, all sets of up to three were tried.
    scored : int
        Shortened histories that were scored.
    """

    goal: Goal
    old_rank: int
    removed: tuple[int, ...]
    rank: int
    exact: bool
    scored: int


def history_edit(model: ItemScorer, question: Question, most_scored: int = MOST_SCORED) -> HistoryEdit:
    """Find the smallest set of past items whose removal changes whether an item is among the K best.

    Parameters
    ----------
    model : ItemScorer
        Base or refined.
    question : Question
        About an item that is not in the history.
    most_scored : int
        Shortened histories to score at most in turn, or fewer, as `MOST_NUMBERS` has it; `MOST_REMOVED` times the
        length of the history may come on top for larger sets.

    Raises
    ------
    InputError
        The user has the item already, or nothing is left that could take its place.
    """
    search = _Search(model, Standing.of(model, question))
    best = search.by_size(max(min(most_scored, MOST_NUMBERS // model.n_items), len(question.history)))
    if search.flips is None:
        search.greedily(best)
    return search.found()


def _most_promising(effects: FloatArray, size: int, most: int) -> IntArray:
    """Return sets of places ``[n, size]``, all or those of the places with the largest effects, best first."""
    places = len(effects)
    while places > size and comb(places, size) > most:
        places -= 1
    chosen = np.sort(np.argsort(-effects, kind="stable")[:places])
    sets = chosen[np.array(list(combinations(range(places), size)))]  # [n, size]
    ordered: IntArray = sets[np.argsort(-effects[sets].sum(axis=1), kind="stable")]
    return ordered


class _Search:
    """Scores shortened histories in blocks and keeps the first that reaches the goal."""

    def __init__(self, model: ItemScorer, standing: Standing) -> None:
        self.model, self.question, self.standing = model, standing.question, standing
        self.block = max(1, min(_LARGEST_BLOCK, _BLOCK_NUMBERS // max(1, model.n_items)))
        self.longest = min(MOST_REMOVED, len(self.question.history))
        self.scored = 0
        self.exact = True
        self.flips: tuple[tuple[int, ...], int] | None = None

    def by_size(self, most: int) -> tuple[int, ...]:
        """Try sets of one past item, of two, and so on, until one does it or `most` histories are scored.

        Returns
        -------
        tuple of int
            The set of the last size that brings the item nearest to the goal; empty without a history.
        """
        length = len(self.question.history)
        effects = np.zeros(length)
        best: tuple[int, ...] = ()
        for size in range(1, self.longest + 1):
            # Larger sets are worth trying only if none is left out: some of them would prove nothing.
            if size > _EXACT_SIZES and not (self.exact and comb(length, size) <= most - self.scored):
                break
            sets = _most_promising(effects, size, most - self.scored)
            best, leads = self.try_sets(sets)
            if self.flips:
                break
            if size == 1:
                effects[sets[:, 0]] = leads - leads.min()
            self.exact = self.exact and len(sets) == comb(length, size)
        return best

    def greedily(self, best: tuple[int, ...]) -> None:
        """Add to a set whichever item brings it nearest to the goal, one after another, until that does it."""
        by_size = len(best)
        while 0 < len(best) < self.longest:
            others = np.setdiff1d(np.arange(len(self.question.history)), best)[:, None]
            best, _ = self.try_sets(np.hstack([np.tile(best, (len(others), 1)), others]))
            if self.flips:
                # One item more than the sets tried before: if those were all, no smaller set does it.
                self.exact = self.exact and len(best) == by_size + 1
                return

    def try_sets(self, sets: IntArray) -> tuple[tuple[int, ...], FloatArray]:
        """Score sets ``[n, size]`` until one does it.

        Returns
        -------
        best : tuple of int
            The set that brings the item nearest to the goal, or past it.
        leads : FloatArray
            How far each one that was scored brings it, ``[n]``.
        """
        leads = np.empty(0)
        for first in range(0, len(sets), self.block):
            part = sets[first : first + self.block]
            towards, ranks = self._score(part)
            leads = np.concatenate([leads, towards])
            for row in np.argsort(-towards, kind="stable").tolist():
                if not self.standing.reached(int(ranks[row])):
                    continue
                # Once more by itself, as it would be scored elsewhere: rounding may differ within a block.
                rank = int(self._score(part[row : row + 1])[1][0])
                if self.standing.reached(rank):
                    self.flips = tuple(sorted(part[row].tolist())), rank
                    return self.flips[0], leads
        return tuple(sets[int(leads.argmax())].tolist()), leads

    def found(self) -> HistoryEdit:
        """Return what was found so far."""
        removed, rank = self.flips or ((), self.standing.rank)
        return HistoryEdit(self.standing.goal, self.standing.rank, removed, rank, self.exact, self.scored)

    def _score(self, sets: IntArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Return how far each set brings the item towards the goal, ``[n]``, and the item's ranks, ``[n]``."""
        history, item, k = self.question.history, self.question.item, self.question.k
        shortened = [np.delete(history, places) for places in sets]
        scores = self.model.scores(np.full(len(sets), self.question.user), shortened)
        scores = mask_seen(scores, [history] * len(sets))
        self.scored += len(sets)
        ranks = ranks_of(scores, np.full(len(sets), item))
        own = scores[:, item].copy()
        scores[:, item] = -np.inf
        limit = np.partition(scores, -k, axis=1)[:, -k]  # what the item must beat to be among the K best
        towards = limit - own if self.standing.goal == "leave" else own - limit
        return towards.astype(np.float64), ranks
