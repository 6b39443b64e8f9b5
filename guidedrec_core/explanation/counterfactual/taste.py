"""How little more or less of an attribute the user would have to want for an item to leave the list, or to enter it.

A pull t on attribute a moves every score along a line, ``score_j + unit t g_ja`` (see `steering`), so another item j
leads this one from, or up to, one point t_j. Sorting these points finds the smallest pull at which enough items, or few
enough, are ahead: exact. Where no single attribute within reach does it, several are pulled together, by a linear
programme:

    min sum_a |t_a|    subject to    lead_j + unit t . (g_j - g_i) >= margin  for j in S,  |t_a| <= most

S: the K items that are to come before it (to leave), or with the other sign all but the K - 1 that may (to enter); the
latter are brought in when they are violated. S is chosen anew from the best items under each solution until that is no
longer smaller, so the pull is the smallest for these rivals, and no proof that no other ones could do with less.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.counterfactual.search import FloatArray, Goal, Standing, rounded_away
from guidedrec_core.explanation.question import Question
from guidedrec_core.explanation.steering.steer import MOST_PULL, pull_unit
from guidedrec_core.ranking.ranks import mask_seen, ranks_of
from guidedrec_core.refinement.refined import RefinedModel

_ROUNDS = 12
_CHOICES = 3
# Rivals brought into the linear programme at a time.
_RIVALS = 100
# Rivals looked at first, those with the highest scores; the others are looked at in the end.
_NEAR = 2000


@dataclass(frozen=True)
class Pull:
    """A pull on the user's taste, and what it makes of the item.

    Attributes
    ----------
    steps : FloatArray
        Steps on each attribute, ``[A]``; one step is one standard deviation of taste on an attribute of average weight.
    rank : int
        The item's rank under it, by scoring anew.
    """

    steps: FloatArray
    rank: int


@dataclass(frozen=True)
class PullEdits:
    """The smallest pulls that make an item leave the list or enter it.

    Attributes
    ----------
    goal : {"leave", "enter"}
        The requested change of rank.
    old_rank : int
        The item's rank without a pull.
    most : float
        Steps an attribute may be pulled.
    single : tuple of Pull
        On one attribute each, exact, the smallest first; attributes that cannot do it within `most` are left out.
    joint : Pull or None
        On several together, where no single one does it and this was found.
    """

    goal: Goal
    old_rank: int
    most: float
    single: tuple[Pull, ...]
    joint: Pull | None


def pull_edits(model: RefinedModel, question: Question, most: float = MOST_PULL, resolution: float = 0.0) -> PullEdits:
    """Find the smallest pulls that change whether an item is among the K best.

    Parameters
    ----------
    model : RefinedModel
        The refined model.
    question : Question
        About an item that is not in the history.
    most : float
        Steps an attribute may be pulled, up or down.
    resolution : float
        Pulls are rounded away from 0 to multiples of this where that does it, too; 0 leaves them as small as they are.

    Raises
    ------
    InputError
        The user has the item already, or nothing is left that could take its place.
    """
    standing = Standing.of(model, question)
    rivals = np.flatnonzero(np.isfinite(standing.leads))
    g = model.item_values().astype(np.float64)
    gains = pull_unit(model) * (g[rivals] - g[question.item])  # [n, A]
    leads = standing.leads[rivals]  # [n]
    found = []
    for attribute in range(gains.shape[1]):
        steps = _smallest(leads, gains[:, attribute], standing, most)
        if steps is not None:
            found.append(np.where(np.arange(gains.shape[1]) == attribute, steps, 0.0))
    found.sort(key=lambda steps: float(np.abs(steps).sum()))
    # A pass of the model of its own, apart from the one that the pulls were computed from.
    again = model.scores(question.users, question.histories)[0].astype(np.float64)

    def verified(steps: FloatArray) -> Pull | None:
        coarse = [np.clip(rounded_away(steps, resolution), -most, most)] if resolution else []
        for each in (*coarse, steps):
            used = np.flatnonzero(each)
            rank = standing.rank_of(again + pull_unit(model) * (g[:, used] @ each[used]))
            if standing.reached(rank):
                return Pull(each, rank)
        return None

    single = tuple(pull for pull in map(verified, found) if pull is not None)
    together = None if single or not gains.shape[1] else _together(leads, gains, standing, most)
    joint = None if together is None else verified(together)
    return PullEdits(standing.goal, standing.rank, most, single, joint)


def pulled_ranks(model: RefinedModel, question: Question, steps: FloatArray) -> IntArray:
    """Return what an item's rank becomes as one attribute or another is pulled, ``[A, n]``.

    Parameters
    ----------
    model, question
        As in `pull_edits`.
    steps : FloatArray
        Pulls to try, ``[n]``.
    """
    scores = mask_seen(model.scores(question.users, question.histories), question.histories)[0].astype(np.float64)
    gains = pull_unit(model) * model.item_values().astype(np.float64).T  # [A, n_items]
    ranks = [[ranks_of((scores + step * gain)[None], question.items)[0] for step in steps.tolist()] for gain in gains]
    return np.array(ranks, dtype=np.int64).reshape(len(gains), len(steps))


def _smallest(leads: FloatArray, gains: FloatArray, standing: Standing, most: float) -> float | None:
    """Return the smallest pull on one attribute, up or down, that does it; None where none within reach does.

    Parameters
    ----------
    leads : FloatArray
        By how much each rival leads the item, ``[n]``.
    gains : FloatArray
        What one step up adds to these leads, ``[n]``.
    standing : Standing
        The requested change of rank.
    most : float
        Steps at most.
    """
    leave = standing.goal == "leave"
    # To leave, only those count as ahead who lead by the margin; to enter, those who do not trail by it.
    above = leads - standing.margin if leave else leads + standing.margin
    ahead = above >= 0 if leave else above > 0
    limit = standing.k if leave else standing.k - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = -above / gains  # where each rival's lead changes sign
    best: float | None = None
    for sign in (1.0, -1.0):
        points = sign * crossings
        joins, drops = ~ahead & (sign * gains > 0), ahead & (sign * gains < 0)
        events = np.flatnonzero((joins | drops) & (points >= 0) & (points <= most))
        change = np.where(joins[events], 1, -1)
        # At one point, what speaks against the goal goes first.
        order = np.lexsort((change if leave else -change, points[events]))
        count = int(ahead.sum()) + np.cumsum(change[order])
        done = np.flatnonzero(count >= limit if leave else count <= limit)
        if len(done):
            point = float(points[events[order[done[0]]]])
            if best is None or point < abs(best):
                best = sign * point
    return best


def _together(leads: FloatArray, gains: FloatArray, standing: Standing, most: float) -> FloatArray | None:
    """Return the smallest pull ``[A]`` found on all attributes together; None where none was found."""
    near = _largest(leads, _NEAR)
    for _ in range(_ROUNDS):
        found = _together_among(leads[near], gains[near], standing, most)
        if found is None or standing.goal == "leave":
            return found
        # Who came from far below was not thought of; few ever do.
        ahead = leads + gains @ found + standing.margin > 1e-3 * standing.margin
        if int(ahead.sum()) < standing.k:
            return found
        near = np.union1d(near, np.flatnonzero(ahead))
    return None


def _together_among(leads: FloatArray, gains: FloatArray, standing: Standing, most: float) -> FloatArray | None:
    """Return the smallest pull ``[A]`` found where there are no other rivals."""
    best: FloatArray | None = None
    solver = _Solver(leads, gains, standing, most)
    solve = solver.to_leave if standing.goal == "leave" else solver.to_enter
    for now in solver.starts():
        size = np.inf
        for _ in range(_CHOICES):
            found = solve(now)
            if found is None or np.abs(found).sum() > size - 1e-9:
                break
            now, size = found, float(np.abs(found).sum())
            if best is None or size < np.abs(best).sum():
                best = found
    return best


class _Solver:
    """Solves for the smallest pull given the rivals that may, or must, be ahead."""

    def __init__(self, leads: FloatArray, gains: FloatArray, standing: Standing, most: float) -> None:
        self.leads, self.gains, self.k, self.margin, self.most = leads, gains, standing.k, standing.margin, most
        self.leave = standing.goal == "leave"
        self.rows = _largest(leads, max(self.k, _RIVALS))  # rivals in the linear programme so far

    def starts(self) -> list[FloatArray]:
        """Return pulls ``[A]`` under which to choose rivals first: as far as can be towards the best of them, or away.

        Towards few and many of them; all attributes to the end, and each as much as it counts.
        """
        found = []
        for count in (self.k, max(self.k, _RIVALS)):
            direction = self.gains[_largest(self.leads, count)].mean(axis=0) * (1.0 if self.leave else -1.0)
            largest = float(np.abs(direction).max()) or 1.0
            found += [self.most * np.sign(direction), self.most * direction / largest]
        return found

    def to_leave(self, now: FloatArray) -> FloatArray | None:
        """Return the smallest pull ``[A]`` that puts the K rivals that are best under `now` before the item."""
        chosen = _largest(self.leads + self.gains @ now, self.k)
        return _least(-self.gains[chosen], self.leads[chosen] - self.margin, self.most)

    def to_enter(self, now: FloatArray) -> FloatArray | None:
        """Return the smallest pull ``[A]`` that puts all but the K - 1 rivals that are best under `now` behind it."""
        behind = np.ones(len(self.leads), dtype=bool)
        behind[_largest(self.leads + self.gains @ now, self.k - 1)] = False
        for _ in range(_ROUNDS):
            rows = self.rows[behind[self.rows]]
            steps = _least(self.gains[rows], -self.leads[rows] - self.margin, self.most)
            if steps is None:
                return None
            ahead = np.where(behind, self.leads + self.gains @ steps + self.margin, -np.inf)
            worst = _largest(ahead, _RIVALS)
            violated = worst[ahead[worst] > 1e-3 * self.margin]
            if not len(violated):
                return steps
            self.rows = np.union1d(self.rows, violated)
        return None


def _largest(values: FloatArray, count: int) -> IntArray:
    """Return the places of the largest values, at most `count`, in no order."""
    count = min(count, len(values))
    return np.argpartition(-values, count - 1)[:count] if count else np.empty(0, dtype=np.int64)


def _least(matrix: FloatArray, bounds: FloatArray, most: float) -> FloatArray | None:
    """Return the t ``[A]`` with ``matrix @ t <= bounds`` and ``|t| <= most`` whose parts' sizes sum to least."""
    n_attributes = matrix.shape[1]
    solved = linprog(np.ones(2 * n_attributes), np.hstack([matrix, -matrix]), bounds, bounds=(0, most), method="highs")
    return solved.x[:n_attributes] - solved.x[n_attributes:] if solved.status == 0 else None
