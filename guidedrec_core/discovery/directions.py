"""`discover`: the directions of what no name covers, how much of lists they decide, and what stands at their ends."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.discovery.evidence import HeldOut, held_out, weigh
from guidedrec_core.discovery.texts import text_features
from guidedrec_core.discovery.traits import Trait, Traits
from guidedrec_core.errors import InputError
from guidedrec_core.naming.directions import DIRECTIONS, Directions, find_directions, unnamed_rest
from guidedrec_core.naming.model import user_sides
from guidedrec_core.naming.shares import deciding_items, shares_of
from guidedrec_core.ranking.ranks import block_size
from guidedrec_core.recommenders.refined import RefinedRecommender, naming_inputs

Doubles = npt.NDArray[np.float64]

EXTREMES = 30
"""Items at each end, at most; a fifth of the catalogue where that is less."""
FEWEST_ITEMS = 20
_USERS = 500
_DEPENDENT = 5


@dataclass(frozen=True)
class End:
    """One end of a direction.

    Attributes
    ----------
    items : tuple of int
        Indexes of its extreme items, the most extreme first.
    traits : tuple of Trait
        What they are rich in.
    """

    items: tuple[int, ...]
    traits: tuple[Trait, ...]


@dataclass(frozen=True)
class Dependent:
    """A user whose list depends on a direction.

    Attributes
    ----------
    user_id : str
        Who.
    end : {"high", "low"}
        The end that draws them.
    spread : float
        Standard deviation of what the direction adds, over that of the scores, among the user's 50 best items.
    """

    user_id: str
    end: str
    spread: float


@dataclass(frozen=True)
class Direction:
    """One thing that the model knows and nobody named.

    Attributes
    ----------
    number : int
        From 1, by what it decides.
    of_rest, of_score : float
        Its share of the unnamed rest and of the score among users' 50 best items; see `naming.shares`.
    spread : float
        Standard deviation of what it adds, over that of the scores, among a user's 50 best items; mean over users.
        It says how large a direction is, even where it works against the other parts of the score and its share is
        near 0.
    held : float
        Its share of the rest's variance over all items.
    stability, followed, chance : float
        See `Directions` and `Evidence`.
    told : bool
        Whether it was found because texts tell it; see `naming.told`.
    passed : bool
        Whether it is more than chance.
    high, low : End
        Both ends.
    dependents : tuple of Dependent
        Users whose lists depend on it most.
    """

    number: int
    of_rest: float
    of_score: float
    spread: float
    held: float
    stability: float
    followed: float
    chance: float
    told: bool
    passed: bool
    high: End
    low: End
    dependents: tuple[Dependent, ...]


@dataclass(frozen=True, eq=False)
class Discovery:
    """What a refined model knows that nobody named.

    Attributes
    ----------
    found : tuple of Direction
        By what they decide.
    directions : Directions
        The numbers behind them, in the same order.
    rest : float
        Share of the unnamed rest in the score among users' 50 best items, out of fold.
    users, cases : int
        Users whose lists were looked at, and validation cases.
    """

    found: tuple[Direction, ...]
    directions: Directions
    rest: float
    users: int
    cases: int

    def numbered(self, number: int) -> Direction:
        """Return a direction by its number.

        Raises
        ------
        InputError
            There is none of this number.
        """
        if not 1 <= number <= len(self.found):
            raise InputError(f"expected the number of a direction, 1 to {len(self.found)}, got {number}")
        return self.found[number - 1]


def discover(model: RefinedRecommender, count: int = DIRECTIONS, seed: int = 0) -> Discovery:
    """Find what a refined model knows that nobody named.

    Parameters
    ----------
    model : RefinedRecommender
        A refined recommender.
    count : int
        Directions looked for.
    seed : int
        Of halves, samples and shuffles.

    Raises
    ------
    InputError
        Nothing is unnamed, as in mode ``named``, or the catalogue is too small.
    """
    if model.config.mode == "named":
        raise InputError(
            "expected a model with something unnamed; items of mode `named` are nothing but attributes and facts. "
            "Choose a run of another mode with --run"
        )
    if model.refined.n_items < FEWEST_ITEMS:
        raise InputError(f"expected {FEWEST_ITEMS} items or more to find directions among, got {model.refined.n_items}")
    vectors, weights, moments = naming_inputs(model)
    texts = text_features(model.data.dataset.catalogue)
    directions = find_directions(unnamed_rest(model.named, vectors), weights, moments, count, seed=seed, texts=texts)
    if not len(directions):
        raise InputError("expected something unnamed in the scores; names cover them entirely")
    return _described(model, directions, weights, held_out(model, seed), seed)


def _described(
    model: RefinedRecommender, directions: Directions, weights: Doubles, cases: HeldOut, seed: int
) -> Discovery:
    """Measure directions and say what stands at their ends."""
    few = HeldOut(cases.users[:_USERS], cases.histories[:_USERS], cases.targets[:_USERS])
    of_rest, of_score, spreads, lean, rest = _decided(model, directions, few)
    order = np.argsort(-np.nan_to_num(of_rest), kind="stable")
    directions, of_rest, of_score = directions.take(order), of_rest[order], of_score[order]
    spreads, lean = spreads[:, order], lean[:, order]
    sides = user_sides(model.refined, cases.users, cases.histories) if len(cases) else np.zeros((0, 1))
    evidence = weigh(directions, sides, cases.targets, model.data.item_interactions, seed)
    catalogue = model.data.dataset.catalogue.frame
    traits = Traits.of(model.facts, catalogue[c.TITLE].astype(str).tolist())
    found = []
    for k in range(len(directions)):
        high, low = ends(directions.loadings[:, k], weights)
        known = np.flatnonzero(weights > 0)
        found.append(
            Direction(
                number=k + 1,
                of_rest=float(of_rest[k]),
                of_score=float(of_score[k]),
                spread=float(spreads[:, k].mean()) if len(few) else 0.0,
                held=float(directions.held[k]),
                stability=float(directions.stability[k]),
                followed=float(evidence.followed[k]),
                chance=float(evidence.chance[k]),
                told=bool(directions.told[k]),
                passed=bool(evidence.passed[k]),
                high=End(tuple(high.tolist()), traits.rich_in(high, np.setdiff1d(known, high))),
                low=End(tuple(low.tolist()), traits.rich_in(low, np.setdiff1d(known, low))),
                dependents=_dependents(model, few.users, spreads[:, k], lean[:, k]),
            )
        )
    return Discovery(tuple(found), directions, rest, len(few), len(cases))


def ends(loadings: Doubles, weights: npt.NDArray[np.floating]) -> tuple[IntArray, IntArray]:
    """Return the extreme items of both ends of a direction, high and low, the most extreme first.

    Loadings of items with few interactions are drawn to 0, as their vectors are hardly known.

    Parameters
    ----------
    loadings : Doubles
        ``[N]``.
    weights : ndarray
        Of items, ``[N]``; see `naming_inputs`.
    """
    positive = weights[weights > 0]
    usual = float(np.median(positive)) if len(positive) else 1.0
    drawn = loadings * weights / (weights + usual) if len(positive) else loadings
    most = max(1, min(EXTREMES, len(loadings) // 5))
    order = np.argsort(-drawn, kind="stable")
    high, low = order[:most], order[::-1][:most]
    return high[drawn[high] > 0], low[drawn[low] < 0]


def _decided(
    model: RefinedRecommender, directions: Directions, cases: HeldOut
) -> tuple[Doubles, Doubles, Doubles, Doubles, float]:
    """Return shares of the rest and of the score ``[K]``, spreads and weights ``[C, K]``, and the rest's own share."""
    count, width = len(cases), len(directions)
    of_rest, of_score = np.full((count, width), np.nan), np.full((count, width), np.nan)
    spreads, lean, rests = np.zeros((count, width)), np.zeros((count, width)), np.full(count, np.nan)
    size = block_size(model.refined.n_items)
    for first in range(0, count, size):
        rows = slice(first, first + size)
        users, histories = cases.users[rows], cases.histories[rows]
        scores = model.refined.scores(users, histories)
        unnamed = model.named.unnamed_out_of_fold(users, histories)
        lean[rows] = directions.weights(user_sides(model.refined, users, histories))
        for place, row in enumerate(range(first, first + len(users))):
            best = deciding_items(scores[place], histories[place])
            if len(best) < 2:
                continue
            added = lean[row] * directions.loadings[best]
            of_rest[row] = shares_of(added, unnamed[place, best])
            of_score[row] = shares_of(added, scores[place, best])
            rests[row] = shares_of(unnamed[place, best][:, None], scores[place, best])[0]
            spreads[row] = added.std(axis=0) / max(float(scores[place, best].std()), 1e-12)
    return _means(of_rest), _means(of_score), spreads, lean, float(_means(rests))


def _means(values: Doubles) -> Any:
    """Return the mean over users with a share; 0 where there are none."""
    measured = values[~np.isnan(values.reshape(len(values), -1)).any(axis=1)]
    return measured.mean(axis=0) if len(measured) else np.zeros(values.shape[1:])


def _dependents(model: RefinedRecommender, users: IntArray, spreads: Doubles, lean: Doubles) -> tuple[Dependent, ...]:
    """Return the users whose lists depend on a direction most."""
    ids = model.data.dataset.users.ids
    order = np.argsort(-spreads, kind="stable")[:_DEPENDENT].tolist()
    return tuple(
        Dependent(str(ids[users[row]]), "high" if lean[row] > 0 else "low", float(spreads[row]))
        for row in order
        if spreads[row] > 0
    )
