"""How little the item's own guided scores would have to differ for it to leave a user's list, or to enter it.

With all that was learned as it is, the score of an item moves by a fixed amount a raw point: ``effect_a = sum_b J_ab
s_b`` with J, what a raw point adds to the item's row of G, and s, what a unit of the row adds to its score. The others'
scores stay. So a single attribute needs ``gap / effect_a`` points, and the smallest change of several together takes
the attributes in order of effect, each up to the end of the scale: a fractional knapsack (Dantzig 1957), exact.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.explanation.counterfactual.search import FloatArray, Goal, Standing, rounded_away
from guidedrec_core.explanation.question import Question
from guidedrec_core.refinement.refined import RefinedModel

Guided = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""Turns raw scores of the item ``[n, A]`` into rows of G."""


@dataclass(frozen=True)
class ScoreEdit:
    """A change of the item's raw scores, and what it makes of the item.

    Attributes
    ----------
    points : FloatArray
        What is added to each raw score, ``[A]``.
    rank : int
        The item's rank with it, by scoring anew.
    """

    points: FloatArray
    rank: int


@dataclass(frozen=True)
class ScoreEdits:
    """The smallest changes of an item's scores that make it leave the list or enter it.

    Attributes
    ----------
    goal : {"leave", "enter"}
        The requested change of rank.
    old_rank : int
        The item's rank with its own scores.
    effects : FloatArray
        What one raw point more adds to its score, ``[A]``; 0 where its score is missing, as it is not edited then.
    single : tuple of ScoreEdit
        On one attribute each, exact, the smallest first; attributes that cannot do it on the scale are left out.
    joint : ScoreEdit or None
        On several, exact, where no single one does it; None also where not even all together do.
    """

    goal: Goal
    old_rank: int
    effects: FloatArray
    single: tuple[ScoreEdit, ...]
    joint: ScoreEdit | None


def score_edits(
    model: RefinedModel,
    question: Question,
    raw: npt.NDArray[np.float32],
    guided: Guided,
    scale: tuple[float, float],
    most: int = 3,
    resolution: float = 0.0,
) -> ScoreEdits:
    """Find the smallest changes of an item's scores that change whether it is among the K best.

    Parameters
    ----------
    model : RefinedModel
        The refined model.
    question : Question
        About an item that is not in the history.
    raw : ndarray
        The item's raw scores, ``[A]``; NaN = missing, which are left alone.
    guided : callable
        Turns other raw scores of this item into rows of G, as the run made them.
    scale : tuple of float
        Lowest and highest raw score.
    most : int
        Single edits returned at most; each costs a pass of the model.
    resolution : float
        Changes are rounded away from 0 to multiples of this, but not past the ends of the scale; 0 leaves them as small
        as they are.

    Raises
    ------
    InputError
        The user has the item already, or nothing is left that could take its place.
    """
    standing = Standing.of(model, question)
    item, k = question.item, question.k
    effects = _effects(model, question, raw, guided, scale)
    others = standing.leads
    gap = float(np.partition(others, -k)[-k])  # what the K-th best of the others is ahead by
    need = gap - standing.margin if standing.goal == "leave" else gap + standing.margin
    # Score gained by moving each attribute to the end of the scale that helps, and the way there.
    ends = np.where(effects * need > 0, scale[1], scale[0]) - raw
    room = np.nan_to_num(ends.astype(np.float64)) * (effects != 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        points = need / effects
    enough = np.flatnonzero((np.abs(points) <= np.abs(room)) & (room != 0))
    order = enough[np.argsort(np.abs(points[enough]), kind="stable")][:most]
    own = model.item_values()[item]

    def verified(change: FloatArray) -> ScoreEdit | None:
        """Score the whole catalogue anew with the item's edited row of G."""
        if resolution:
            change = np.clip(rounded_away(change, resolution), -np.abs(room), np.abs(room))
        rows = guided(np.stack([raw, (raw + change).astype(np.float32)]))
        edited = model.with_item_value(item, own + rows[1] - rows[0])
        rank = standing.rank_of(edited.scores(question.users, question.histories)[0])
        return ScoreEdit(change, rank) if standing.reached(rank) else None

    changes = [np.where(np.arange(len(raw)) == attribute, points, 0.0) for attribute in order]
    single = tuple(edit for edit in map(verified, changes) if edit is not None)
    joint = None
    if not single:
        change = _knapsack(need, effects, room)
        joint = None if change is None else verified(change)
    return ScoreEdits(standing.goal, standing.rank, effects, single, joint)


def _effects(
    model: RefinedModel,
    question: Question,
    raw: npt.NDArray[np.float32],
    guided: Guided,
    scale: tuple[float, float],
) -> FloatArray:
    """Return what one raw point more of each attribute adds to the item's score, ``[A]``."""
    n_attributes = len(raw)
    # A new item's score is linear in its row of G with the slopes of any item, and biases that hang on G count, too.
    probes = np.vstack([np.zeros((1, n_attributes)), np.eye(n_attributes)]).astype(np.float32)
    scores = model.new_item_parts(question.users, question.histories, probes).scores[0].astype(np.float64)
    slopes = scores[1:] - scores[0]  # [A]
    low, high = (np.where(np.eye(n_attributes, dtype=bool) & ~np.isnan(raw), end, raw) for end in scale)
    rows = guided(np.vstack([low, high]).astype(np.float32)).astype(np.float64)
    steps = (rows[n_attributes:] - rows[:n_attributes]) / (scale[1] - scale[0])  # J [A, A]
    effects: FloatArray = steps @ slopes
    return effects


def _knapsack(need: float, effects: FloatArray, room: FloatArray) -> FloatArray | None:
    """Return the change ``[A]`` of smallest total size that adds `need` to the score; None where the scale ends first.

    Parameters
    ----------
    need : float
        What the score must gain, or lose.
    effects : FloatArray
        What one point adds, ``[A]``.
    room : FloatArray
        Points to the end of the scale that helps, ``[A]``, with sign.
    """
    change, left = np.zeros(len(room)), abs(need)
    for attribute in np.argsort(-np.abs(effects), kind="stable"):
        most = abs(effects[attribute] * room[attribute])
        if most <= 0:
            continue
        share = min(1.0, left / most)
        change[attribute] = share * room[attribute]
        left -= share * most
        if left <= 0 or share < 1:
            return change
    return None
