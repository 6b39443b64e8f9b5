"""The change of an item's rank from the base to the refined model, split over what makes it.

    v(S) = - rank of the item under  c * base + sum of the parts in S

Players are the parts by which the refined score differs from the base one: for each line (attribute, fact, popularity)
its contribution less c times what the same line has in the base score, and the rest, which is what no name covers and
item-kNN. Both scores are named by the same regression, so that what the base model knew of an attribute already does
not count as a change. With none of the players the rank is the base one, with all of them the refined one; the Shapley
values of this game (Shapley 1953) say how many places each gained, and add up to the change exactly. The base rank does
not depend on c > 0. What lies between the ends does: c gives base scores the spread of the refined ones, so that what
was merely rescaled does not count as a change.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from guidedrec_core.explanation.question import Question
from guidedrec_core.models.base import BaseModel
from guidedrec_core.naming.model import NamedModel
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import mask_seen, ranks_of

FloatArray = npt.NDArray[np.float64]

MOST_EXACT = 12
"""Players up to which all coalitions are tried, 4,096 of them."""

_PAIRS = 64


@dataclass(frozen=True)
class RankChange:
    """How many places each part gained an item; below 0 = lost.

    Attributes
    ----------
    base_rank, rank : int
        Among all items the user has not interacted with, in the base and the refined model.
    lines : FloatArray
        Places gained by each line, ``[L]``.
    patterns : float
        Places gained by what no name covers, and item-kNN.
    errors : FloatArray
        Standard errors, ``[L + 1]``: lines, patterns; 0 where exact.
    exact : bool
        Made from all coalitions; else from seeded permutations and their reverses (antithetic; Mitchell, Cooper, Frank
        and Holmes, JMLR 2022).
    """

    base_rank: int
    rank: int
    lines: FloatArray
    patterns: float
    errors: FloatArray
    exact: bool

    @property
    def gained(self) -> int:
        """Places gained in all: the sum of all parts."""
        return self.base_rank - self.rank


def rank_change(base: BaseModel, named: NamedModel, question: Question, seed: int = 0) -> RankChange:
    """Split the change of one item's rank.

    Parameters
    ----------
    base : BaseModel
        The base model.
    named : NamedModel
        The refined model with the names of its parts.
    question : Question
        About an item that is not in the history.
    seed : int
        Of the permutations.

    Raises
    ------
    InputError
        The user has the item already, so it has no rank.
    """
    question.require_unseen()
    users, histories, item = question.users, question.histories, question.item
    base_scores, parts = base.scores(users, histories), named.parts(users, histories)
    base_rank = int(ranks_of(mask_seen(base_scores, histories), question.items)[0])
    rank = int(ranks_of(mask_seen(parts.scores, histories), question.items)[0])

    others = np.ones(named.n_items, dtype=bool)
    others[question.history] = False
    before, base_lines = base_scores[0].astype(np.float64), named.base_lines(question.user, question.history)  # [N, L]
    lines = named.contributions(parts.slopes[0], np.arange(named.n_items))  # [N, L]
    # Where base scores do not vary, any c > 0 will do.
    spread = float(before[others].std())
    c = (float(parts.scores[0][others].std()) / spread if spread > 0 else 0.0) or 1.0
    others[item] = False
    changes = lines - c * base_lines
    rest = parts.neighbours[0] + parts.unnamed[0] - c * (before - base_lines.sum(axis=1))
    steps = np.column_stack([changes, rest])  # [N, L + 1]
    steps = np.ascontiguousarray((steps[others] - steps[item]).T)  # [L + 1, n]
    lead = c * (before - before[item])[others]
    first = np.flatnonzero(others) < item  # ties go to the lower index

    if len(steps) <= MOST_EXACT:
        gains, errors = _exact(lead, steps, first, base_rank, rank)
    else:
        gains, errors = _sampled(lead, steps, first, base_rank, rank, generator(seed, "rank change"))
    exact = len(steps) <= MOST_EXACT
    return RankChange(base_rank, rank, gains[:-1], float(gains[-1]), errors, exact)


def _ahead(lead: FloatArray, first: npt.NDArray[np.bool_]) -> int:
    """Count the items that come before the item: those that lead it, and of equal ones those of lower index."""
    return int(np.count_nonzero(lead > 0)) + int(np.count_nonzero(first & (lead == 0)))


def _undecided(
    lead: FloatArray, steps: FloatArray, first: npt.NDArray[np.bool_]
) -> tuple[int, FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Set items aside whose order no coalition changes; return how many of these are ahead, and the others."""
    low, high = lead + np.minimum(steps, 0).sum(axis=0), lead + np.maximum(steps, 0).sum(axis=0)
    always, open_ = low > 0, (low <= 0) & (high >= 0)
    return int(always.sum()), lead[open_], np.ascontiguousarray(steps[:, open_]), first[open_]


def _exact(
    lead: FloatArray, steps: FloatArray, first: npt.NDArray[np.bool_], base_rank: int, rank: int
) -> tuple[FloatArray, FloatArray]:
    """Return Shapley values ``[P]`` from all coalitions, and errors of 0."""
    n_players = len(steps)
    always, lead, steps, first = _undecided(lead, steps, first)
    ranks = np.empty(2**n_players)

    def walk(player: int, coalition: int, lead: FloatArray) -> None:
        """Try all coalitions that agree with this one up to a player."""
        if player == n_players:
            ranks[coalition] = 1 + always + _ahead(lead, first)
            return
        walk(player + 1, coalition, lead)
        walk(player + 1, coalition | 1 << player, lead + steps[player])

    # Depth first, so that a coalition costs one addition to the sums of the one before it.
    walk(0, 0, lead)
    ranks[0], ranks[-1] = base_rank, rank  # the models' own, whose rounding may differ
    coalitions = np.arange(2**n_players)
    size = np.array([bin(each).count("1") for each in coalitions])
    gains = np.empty(n_players)
    for player in range(n_players):
        without = coalitions[coalitions >> player & 1 == 0]
        weight = np.array([1 / (n_players * comb(n_players - 1, s)) for s in range(n_players)])[size[without]]
        gains[player] = weight @ (ranks[without] - ranks[without | 1 << player])
    return gains, np.zeros(n_players)


def _sampled(
    lead: FloatArray,
    steps: FloatArray,
    first: npt.NDArray[np.bool_],
    base_rank: int,
    rank: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return estimated Shapley values ``[P]`` and their standard errors ``[P]``."""
    n_players = len(steps)
    always, lead, steps, first = _undecided(lead, steps, first)
    pairs = np.zeros((_PAIRS, n_players))
    for pair in pairs:
        order = rng.permutation(n_players)
        # An order and its reverse err in opposite directions, so that their mean is nearer than that of two orders.
        for players in (order, order[::-1]):
            now, before = lead.copy(), base_rank
            for place, player in enumerate(players):
                now += steps[player]
                after = rank if place == n_players - 1 else 1 + always + _ahead(now, first)
                pair[player] += (before - after) / 2
                before = after
    return pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / np.sqrt(_PAIRS)
