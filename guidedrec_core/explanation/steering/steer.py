"""Steering: pull a list towards an attribute or away from it, edit the history, and see what becomes of the list.

    score'(u, i) = score(u, i) + unit * sum_a pull_a g_ia

One step of pull is one standard deviation of taste on an attribute of average weight. A pull acts on the slopes, not on
the profile that they are learned from: a learned weight may be small or negative, and an attribute pulled up must
never come out lower. It cannot: were ``S`` the best K items before and ``S'`` those after a pull up, then
``sum_S' (score + pull g) >= sum_S (score + pull g)`` and ``sum_S score >= sum_S' score``, so that
``sum_S' g >= sum_S g``.

Scores without a pull are kept (`HistoryScores`), so that moving a slider costs one product of matrices.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.ranking.ranks import ranks_of, top_k
from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]

MOST_PULL = 3.0
"""Steps a visitor may pull an attribute, up or down."""

_LEAST_UNIT = 0.05


@dataclass(frozen=True)
class Steering:
    """The requested change of a list.

    Attributes
    ----------
    pulls : tuple of float
        Steps each attribute is pulled, up or (negative) down, A of them, and then maybe facts; empty for none.
    removed : tuple of int
        Indexes of items that are removed from the history, wherever they are in it.
    added : tuple of int
        Indexes of items that are added at its end, as the latest ones, in this order.
    """

    pulls: tuple[float, ...] = ()
    removed: tuple[int, ...] = ()
    added: tuple[int, ...] = ()

    def edited(self, history: IntArray) -> IntArray:
        """Return the history that the model sees, oldest first.

        Examples
        --------
        >>> Steering(removed=(4,), added=(7,)).edited(np.array([4, 2, 4, 9]))
        array([2, 9, 7])
        """
        kept = history[~np.isin(history, self.removed)]
        return np.concatenate([kept, np.array(self.added, dtype=np.int64)])


@dataclass(frozen=True)
class HistoryScores:
    """A user's scores after some history, before any pull.

    Attributes
    ----------
    history : IntArray
        Item indexes, oldest first.
    scores : ndarray
        float64 ``[n_items]``, minus infinity for the history's own items, which are never recommended.
    """

    history: IntArray
    scores: FloatArray


@dataclass(frozen=True)
class Steered:
    """A steered list next to the current one.

    Attributes
    ----------
    items : IntArray
        Item indexes of the steered list, best first, at most K.
    old_ranks : IntArray
        Their places before, from 1; 0 for what stood in the history then.
    before : IntArray
        Item indexes of the list before.
    new_ranks : IntArray
        Their places now; 0 for what stands in the history now.
    mix_before, mix_after : ndarray
        Mean raw score of the lists' items on each attribute, ``[A]``; an item that was not scored counts as the
        catalogue's mean, as it does in the model.
    """

    items: IntArray
    old_ranks: IntArray
    before: IntArray
    new_ranks: IntArray
    mix_before: FloatArray
    mix_after: FloatArray

    @property
    def entered(self) -> IntArray:
        """Item indexes that are in the steered list only."""
        return self.items[~np.isin(self.items, self.before)]

    @property
    def left(self) -> IntArray:
        """Item indexes that are in the list before only."""
        return self.before[~np.isin(self.before, self.items)]


def pull_unit(model: RefinedModel) -> float:
    """Return by how much one step of pull changes a slope: the root mean square of the attributes' learned weights.

    Where a model hardly uses its attributes, at least 0.05 (in logits), so that pulling is felt.
    """
    weights = model.weights().astype(np.float64)
    return max(float(np.sqrt(np.mean(weights**2))), _LEAST_UNIT) if weights.size else _LEAST_UNIT


def history_scores(model: RefinedModel, given: UserHistory) -> HistoryScores:
    """Score the catalogue after a history.

    Parameters
    ----------
    model : RefinedModel
        The refined model.
    given : UserHistory
        The user, and the history, edited or not.
    """
    scores = model.scores(given.users, given.histories)[0].astype(np.float64)
    scores[given.history] = -np.inf
    return HistoryScores(given.history, scores)


def steer(
    model: RefinedModel,
    plain: HistoryScores,
    edited: HistoryScores,
    pulls: tuple[float, ...],
    raw: npt.NDArray[np.float32],
    k: int = 10,
    values: npt.NDArray[np.float32] | None = None,
) -> Steered:
    """Rank again.

    Parameters
    ----------
    model : RefinedModel
        Where the scores come from.
    plain, edited : HistoryScores
        After the real history and after the edited one (`Steering.edited`); the same where nothing is edited.
    pulls : tuple of float
        `Steering.pulls`.
    raw : ndarray
        Raw scores of all items, ``[n_items, A]``; NaN = missing.
    k : int
        Length of the lists.
    values : ndarray, optional
        What is pulled along, a column for each pull, ``[n_items, len(pulls)]``; the guided embedding by default.
    """
    scores = edited.scores
    if any(pulls):
        slope = pull_unit(model) * np.array(pulls)
        scores = scores + (model.item_values() if values is None else values) @ slope  # [n_items]
    before, after = (top_k(each[None], k)[0] for each in (plain.scores, scores))
    before, after = before[before >= 0], after[after >= 0]
    average: FloatArray = np.asarray(np.nanmean(raw, axis=0, dtype=np.float64))
    return Steered(
        items=after,
        old_ranks=_places(plain.scores, after),
        before=before,
        new_ranks=_places(scores, before),
        mix_before=_mix(raw, before, average),
        mix_after=_mix(raw, after, average),
    )


def _places(scores: FloatArray, items: IntArray) -> IntArray:
    """Return the items' places in a ranking, from 1; 0 where they cannot be recommended."""
    if not len(items):
        return np.empty(0, dtype=np.int64)
    ranks = ranks_of(np.broadcast_to(scores, (len(items), len(scores))), items)
    return np.where(np.isfinite(scores[items]), ranks, 0)


def _mix(raw: npt.NDArray[np.float32], items: IntArray, average: FloatArray) -> FloatArray:
    """Return the items' mean raw score on each attribute, ``[A]``; of no items, the catalogue's."""
    rows = raw[items].astype(np.float64)
    return np.where(np.isnan(rows), average, rows).mean(axis=0) if len(items) else average
