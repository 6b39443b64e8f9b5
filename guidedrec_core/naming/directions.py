"""Directions of what no name covers: the unnamed rest of item vectors, turned into a few readable scales.

The rest adds ``<u, e_i>`` to a score. A difference of vectors matters as far as users tell it apart, so the rest is
first multiplied by ``M^(1/2)``, with the second moments M of users' vectors; then the principal components of items are
found, each item counted by its weight, and the leading ones are turned by varimax. All directions are orthonormal in
this space, so that with as many of them as the vectors are wide

    <u, e_i> - mean over items  =  sum over k of (weight of user u on k) * (loading of item i on k)

Varimax looks for few large loadings and many small ones in each column. ``benchmarks/directions.py`` compares it with
principal components as they are, varimax of standardised component scores, and independent components (FastICA), on the
bundled data. With an attribute of the shop hidden in turn, its best direction comes closest to what is missing (mean
correlation .33; the others .32, .25 and .27), and words of titles tell its clearest direction about as well as that of
the others. Loadings have longer tails than those of principal components, which are found again in other items more
surely (cosine .83 to .97; varimax .70 to .87; the two others less).

Shapes: B users, N items, d width of vectors, K directions.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.naming.model import NamedModel
from guidedrec_core.naming.told import MOST_TOLD, Told, number_told, told_directions
from guidedrec_core.randomness import generator

Doubles = npt.NDArray[np.float64]
Rotation = Literal["varimax", "none", "random"]

DIRECTIONS = 12
"""Directions looked for."""
HALVES = 10
"""Times that the items are divided into halves, and directions looked for again in both."""
CHANCE = 0.99
"""Share of directions drawn at random that are less stable than `Directions.chance`."""
_DRAWN = 500
_STEPS = 200
_NOTHING = 1e-10


@dataclass(frozen=True, eq=False)
class Directions:
    """Scales of the unnamed rest, the one that holds most of it first.

    Attributes
    ----------
    loadings : Doubles
        ``[N, K]``; each has mean 0 over items, by weight, and its longer tail on the positive side.
    to_users : Doubles
        ``[d, K]``: users' vectors times this are their weights on the directions.
    held : Doubles
        ``[K]``, share of the rest's variance over items and users.
    stability : Doubles
        ``[K]``, how well each is found again in halves of the items: the mean over halves of the largest absolute
        cosine with a direction found there, in the space where all are orthonormal.
    told : ndarray of bool
        ``[K]``, which were found because texts tell them; see `naming.told`.
    predicted : Doubles
        ``[N, K]``, what texts of other items say of loadings; 0 for directions that were not found by texts.
    chance : float
        The stability that one in a hundred directions drawn at random within the same space exceeds.
    """

    loadings: Doubles
    to_users: Doubles
    held: Doubles
    stability: Doubles
    told: npt.NDArray[np.bool_]
    predicted: Doubles
    chance: float

    def __len__(self) -> int:
        return int(self.loadings.shape[1])

    def weights(self, sides: npt.NDArray[np.floating]) -> Doubles:
        """Return users' weights ``[B, K]`` from their vectors ``[B, d]``."""
        weights: Doubles = sides.astype(np.float64) @ self.to_users
        return weights

    def take(self, order: npt.NDArray[np.integer]) -> "Directions":
        """Return some directions, in this order."""
        return replace(
            self,
            loadings=self.loadings[:, order],
            to_users=self.to_users[:, order],
            held=self.held[order],
            stability=self.stability[order],
            told=self.told[order],
            predicted=self.predicted[:, order],
        )


def unnamed_rest(named: NamedModel, vectors: npt.NDArray[Any]) -> Doubles:
    """Return what no name covers of each item's vector, ``[N, d]``, by a regression fitted without the item.

    Parameters
    ----------
    named : NamedModel
        The model with its regression.
    vectors : ndarray
        ``[N, d]``, what was regressed; see `naming.model.named_vectors`.
    """
    rest: Doubles = vectors.astype(np.float64)
    X = named.columns.values.astype(np.float64)
    for fold, coefficients in enumerate(named.regression.without_fold):
        own = np.flatnonzero(named.regression.fold_of == fold)
        rest[own] -= coefficients[0] + X[own] @ coefficients[1:]
    return rest


def find_directions(
    rest: Doubles,
    weights: npt.NDArray[np.floating],
    moments: Doubles,
    count: int = DIRECTIONS,
    rotation: Rotation = "varimax",
    seed: int = 0,
    texts: Doubles | None = None,
) -> Directions:
    """Find readable directions of what no name covers.

    Parameters
    ----------
    rest : Doubles
        E, ``[N, d]``; see `unnamed_rest`.
    weights : ndarray
        Of items, from 0, ``[N]``; all count alike where all are 0.
    moments : Doubles
        M, the second moments of users' vectors, ``[d, d]``.
    count : int
        Directions wanted; there are fewer where the rest has less dimensions.
    rotation : {"varimax", "none", "random"}
        ``none`` keeps principal components, ``random`` turns them by chance: a placebo.
    seed : int
        From which the halves of items and random directions descend.
    texts : Doubles, optional
        Text features of items, ``[N, F]``. The first directions are then those that texts tell, at least one, and the
        others are found in what is orthogonal to them.
    """
    weight: Doubles = weights.astype(np.float64) if weights.any() else np.ones(len(rest))
    root, inverse = _roots(moments)
    whole = rest @ root
    whole -= np.average(whole, axis=0, weights=weight)
    told = _told(whole, weight, min(count, MOST_TOLD), texts, seed)
    left = whole - whole @ told.directions @ told.directions.T
    components = _components(left, weight, count - len(told))
    others = components @ _rotation(left @ components, weight, rotation, seed)
    turned = np.concatenate([told.directions, others], axis=1)
    predicted = np.concatenate([told.predicted, np.zeros((len(whole), others.shape[1]))], axis=1)
    loadings: Doubles = whole @ turned
    scale = np.sqrt(np.average(loadings**2, axis=0, weights=weight))
    signs = np.where(np.average(loadings**3, axis=0, weights=weight) < 0, -1.0, 1.0)
    total = float(np.average((whole**2).sum(axis=1), weights=weight))
    order = np.argsort(-scale, kind="stable")
    again = _found_in_halves(left, weight, count - len(told), seed)
    told_again = _told_in_halves(whole, weight, len(told), texts, seed)
    drawn = generator(seed, "directions drawn at random").normal(size=(components.shape[1], _DRAWN))
    by_chance = _stability(components @ (drawn / np.linalg.norm(drawn, axis=0)), again)
    return Directions(
        loadings=loadings * signs,
        to_users=inverse @ turned * signs,
        held=scale**2 / max(total, _NOTHING),
        stability=np.concatenate([_stability(told.directions, told_again), _stability(others, again)]),
        told=np.arange(turned.shape[1]) < len(told),
        predicted=predicted * signs,
        chance=float(np.quantile(by_chance, CHANCE)) if components.size else 1.0,
    ).take(order)


def varimax(loadings: Doubles) -> Doubles:
    """Return the rotation ``[K, K]`` that makes squared loadings ``[N, K]`` vary most within their columns.

    Kaiser (1958), by the iteration of singular value decompositions that is usual; rows are not normalised, because
    items with small loadings say little.

    Examples
    --------
    >>> simple = np.array([[2.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, 1.0]])
    >>> turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    >>> np.abs(simple @ turn @ varimax(simple @ turn)).round(3).tolist()
    [[2.0, 0.0], [1.0, 0.0], [0.0, 3.0], [0.0, 1.0]]
    """
    turn: Doubles = np.eye(loadings.shape[1])
    reached = 0.0
    for _ in range(_STEPS):
        turned = loadings @ turn
        left, sizes, right = np.linalg.svd(loadings.T @ (turned**3 - turned * (turned**2).mean(axis=0)))
        turn = left @ right
        if sizes.sum() <= reached * (1 + 1e-8):
            break
        reached = float(sizes.sum())
    return turn


def _roots(moments: Doubles) -> tuple[Doubles, Doubles]:
    """Return ``M^(1/2)`` and its pseudo-inverse."""
    values, vectors = np.linalg.eigh(moments)
    sizes = np.sqrt(np.clip(values, 0.0, None))
    kept = sizes > 1e-5 * max(float(sizes.max(initial=0.0)), _NOTHING)
    inverted = np.where(kept, 1 / np.where(kept, sizes, 1.0), 0.0)
    return (vectors * np.where(kept, sizes, 0.0)) @ vectors.T, (vectors * inverted) @ vectors.T


def _components(whole: Doubles, weight: Doubles, count: int) -> Doubles:
    """Return the leading principal components, ``[d, K]``, of those that are not nothing."""
    sizes, vectors = np.linalg.eigh((whole.T * weight) @ whole)  # rising
    there = int((sizes > _NOTHING * max(float(sizes.max(initial=0.0)), 0.0)).sum())
    leading: Doubles = vectors[:, ::-1][:, : min(count, there)]
    return leading


def _told(whole: Doubles, weight: Doubles, most: int, texts: Doubles | None, seed: int) -> Told:
    """Return the directions that texts tell, at least one where there are texts, turned by varimax."""
    if texts is None or not whole.any():
        return Told(np.zeros((whole.shape[1], 0)), np.zeros((len(whole), 0)))
    count = min(most, max(1, number_told(whole, weight, texts, seed)))
    told = told_directions(whole, weight, texts, count)
    turn = varimax(np.sqrt(weight)[:, None] * told.predicted)
    return Told(told.directions @ turn, told.predicted @ turn)


def _told_in_halves(whole: Doubles, weight: Doubles, count: int, texts: Doubles | None, seed: int) -> list[Doubles]:
    """Look for directions that texts tell in halves of the items; return them, ``[d, K]`` each."""
    if texts is None or not count:
        return []
    return [
        told_directions(
            whole[half] - np.average(whole[half], axis=0, weights=weight[half]), weight[half], texts[half], count
        ).directions
        for half in _halves(weight, seed)
    ]


def _rotation(loadings: Doubles, weight: Doubles, rotation: Rotation, seed: int) -> Doubles:
    """Return how components are turned, ``[K, K]``."""
    width = loadings.shape[1]
    if rotation == "none" or not width:
        return np.eye(width)
    if rotation == "random":
        return np.linalg.qr(generator(seed, "random rotation").normal(size=(width, width)))[0].astype(np.float64)
    return varimax(np.sqrt(weight)[:, None] * loadings)


def _found_in_halves(whole: Doubles, weight: Doubles, count: int, seed: int) -> list[Doubles]:
    """Look for directions in halves of the items again; return them, ``[d, K]`` each."""
    found = []
    for half in _halves(weight, seed):
        own = whole[half] - np.average(whole[half], axis=0, weights=weight[half])
        components = _components(own, weight[half], count)
        found.append(components @ _rotation(own @ components, weight[half], "varimax", seed))
    return found


def _halves(weight: Doubles, seed: int) -> list[npt.NDArray[np.int64]]:
    """Divide the items into halves at random, `HALVES` times; halves without any weight are left out."""
    rng = generator(seed, "halves of items")
    halves = []
    for _ in range(HALVES):
        drawn = rng.permutation(len(weight))
        halves += [drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]]
    return [half for half in halves if weight[half].any()]


def _stability(directions: Doubles, again: list[Doubles]) -> Doubles:
    """Return how well directions ``[d, K]`` are found again; see `Directions.stability`."""
    if not again:
        return np.zeros(directions.shape[1])
    best = [np.abs(directions.T @ other).max(axis=1, initial=0.0) for other in again]
    stability: Doubles = np.mean(best, axis=0)
    return stability
