"""Evidence that a direction of the unnamed rest is more than chance, before anyone is asked to name it.

Two tests decide, and each turns down another kind of placebo:

- It is found again in halves of the items better than 99 in 100 directions drawn at random within the same space
  (`naming.directions`). A random rotation mixes several themes and is not.
- People follow it: users whose weight on it is high go on to items with high loadings, in validation cases, more than
  99 in 100 times when loadings are shuffled over items of like popularity. Shuffled items, which the same vectors give
  just as stable directions, fail here.

A direction found by texts (`naming.told`) needs the second test only: the first asks whether a rotation is more
than a mixture, which texts have decided. Weak ones among them are told by few items and are not found again in halves;
whether a name fits is for the trial to say.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.naming.directions import Directions
from guidedrec_core.randomness import generator
from guidedrec_core.recommenders.refined import RefinedRecommender

Doubles = npt.NDArray[np.float64]

MOST_CASES = 10_000
"""Validation cases looked at, at most."""
FEWEST_CASES = 30
SHUFFLES = 199
CHANCE = 0.01
"""Largest share of shuffles that people may follow as much."""
_GROUPS = 10


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Validation cases: what people went on to.

    Attributes
    ----------
    users : IntArray
        User indexes, ``[C]``.
    histories : list of IntArray
        What each had before.
    targets : IntArray
        The item that came next, ``[C]``.
    """

    users: IntArray
    histories: list[IntArray]
    targets: IntArray

    def __len__(self) -> int:
        return len(self.users)


@dataclass(frozen=True, eq=False)
class Evidence:
    """How far directions are more than chance.

    Attributes
    ----------
    followed : Doubles
        ``[K]``, correlation over cases of users' weights with the loading of the item that they went on to.
    chance : Doubles
        ``[K]``, share of shuffles that people follow as much; 1 where there are too few cases.
    passed : ndarray of bool
        ``[K]``, followed, and stable or told by texts.
    """

    followed: Doubles
    chance: Doubles
    passed: npt.NDArray[np.bool_]


def held_out(model: RefinedRecommender, seed: int = 0) -> HeldOut:
    """Return validation cases, at most `MOST_CASES`, drawn at random."""
    cases, sequences = model.data.valid_cases, model.data.sequences
    drawn = np.arange(len(cases))
    if len(cases) > MOST_CASES:
        drawn = np.sort(generator(seed, "cases for directions").choice(len(cases), MOST_CASES, replace=False))
    users, lengths = cases.users[drawn], cases.lengths[drawn]
    histories = [sequences.history(user, n) for user, n in zip(users.tolist(), lengths.tolist(), strict=True)]
    return HeldOut(users, histories, cases.targets[drawn])


def weigh(
    directions: Directions,
    sides: Doubles,
    targets: IntArray,
    interactions: npt.NDArray[np.integer],
    seed: int = 0,
) -> Evidence:
    """Hold directions against what people went on to.

    Parameters
    ----------
    directions : Directions
        K of them.
    sides : Doubles
        Users' vectors, ``[C, d]``.
    targets : IntArray
        The item that each went on to, ``[C]``.
    interactions : ndarray
        Training interactions of each item, ``[N]``; loadings are shuffled over items with about as many.
    seed : int
        Of the shuffles.
    """
    count = len(directions)
    if len(targets) < FEWEST_CASES or not count:
        return Evidence(np.zeros(count), np.ones(count), np.zeros(count, dtype=bool))
    weights = _standard(directions.weights(sides))

    def followed(loadings: Doubles) -> Doubles:
        agreement: Doubles = (weights * _standard(loadings[targets])).mean(axis=0)
        return agreement

    found, rng = followed(directions.loadings), generator(seed, "loadings shuffled over items")
    by_popularity = np.array_split(np.argsort(interactions, kind="stable"), _GROUPS)
    as_much = np.zeros(count)
    for _ in range(SHUFFLES):
        places = np.arange(len(interactions))
        for group in by_popularity:
            places[group] = group[rng.permutation(len(group))]
        as_much += followed(directions.loadings[places]) >= found
    chance = (as_much + 1) / (SHUFFLES + 1)
    readable = (directions.stability > directions.chance) | directions.told
    return Evidence(found, chance, readable & (chance <= CHANCE))


def _standard(values: npt.NDArray[np.floating]) -> Doubles:
    """Scale columns to mean 0 and standard deviation 1; those that do not vary become 0."""
    centred: Doubles = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    spread = centred.std(axis=0)
    return centred / np.where(spread > 0, spread, 1.0)
