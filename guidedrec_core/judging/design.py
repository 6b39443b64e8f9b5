"""Which judge sees which case, in which order, under which arm, and what stands on which side."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from guidedrec_core.judging.content import SIDES, Side
from guidedrec_core.randomness import generator


@dataclass(frozen=True)
class Slot:
    """One case of one judge.

    Attributes
    ----------
    case_id : str
        The case.
    arm : str
        The condition; empty in a taste test.
    side : {"left", "right"}
        Where the first recommender's list, or the recommended item, stands.
    """

    case_id: str
    arm: str
    side: Side


def deal(
    case_ids: Sequence[str],
    arms: Sequence[str],
    per_judge: int,
    seed: int,
    earlier: Sequence[Sequence[Slot]] = (),
) -> tuple[Slot, ...]:
    """Deal cases, arms and sides to the next judge, in the order in which they are to be shown.

    A judge sees no case twice, every arm equally often, and each side equally often, also within an arm (all as far as
    the numbers allow: they differ by 1 at most). Over judges, cases are dealt equally often, and each case under each
    arm. Everything else is drawn at random from the seed and the judge's number.

    Parameters
    ----------
    case_ids : sequence of str
        All cases of the test.
    arms : sequence of str
        All arms.
    per_judge : int
        Cases to deal; at most as many as there are.
    seed : int
        Of the test.
    earlier : sequence of sequences of Slot
        What was dealt to the judges before; their number is this judge's number.

    Examples
    --------
    >>> first = deal(["a", "b"], ["none", "placebo"], 2, seed=0)
    >>> second = deal(["a", "b"], ["none", "placebo"], 2, seed=0, earlier=[first])
    >>> sorted((slot.case_id, slot.arm) for slot in (*first, *second))
    [('a', 'none'), ('a', 'placebo'), ('b', 'none'), ('b', 'placebo')]
    """
    rng = generator(seed, "judge", len(earlier))
    dealt = [slot for plan in earlier for slot in plan]
    often = Counter(slot.case_id for slot in dealt)
    shuffled = [case_ids[place] for place in rng.permutation(len(case_ids))]
    chosen = sorted(shuffled, key=lambda case_id: often[case_id])[:per_judge]
    armed = list(zip(chosen, _arms(chosen, arms, dealt, rng), strict=True))
    sides = _sides([arm for _, arm in armed], rng)
    slots = [Slot(case_id, arm, side) for (case_id, arm), side in zip(armed, sides, strict=True)]
    return tuple(slots[place] for place in rng.permutation(len(slots)))


def _arms(chosen: Sequence[str], arms: Sequence[str], dealt: Sequence[Slot], rng: np.random.Generator) -> list[str]:
    """Give each case an arm: all arms equally often, and each case those that it has had least."""
    used = Counter(slot.arm for slot in dealt)
    order = sorted((arms[place] for place in rng.permutation(len(arms))), key=lambda arm: used[arm])
    places = [order[place % len(order)] for place in range(len(chosen))]
    pairs = Counter((slot.case_id, slot.arm) for slot in dealt)
    cost = np.array([[pairs[case_id, arm] for arm in places] for case_id in chosen], dtype=np.float64)
    # Squares, so that two uses of one pair cost more than one of each of two; noise, so that ties are drawn.
    _, columns = linear_sum_assignment(cost**2 + 2 * cost + 1e-6 * rng.random(cost.shape))
    return [places[column] for column in columns]


def _sides(arms: Sequence[str], rng: np.random.Generator) -> list[Side]:
    """Give each slot a side, which alternates over the slots of one arm after the other."""
    order = sorted(rng.permutation(len(arms)), key=lambda place: arms[place])
    start = int(rng.integers(2))
    found: list[Side] = ["left"] * len(arms)
    for turn, place in enumerate(order):
        found[place] = SIDES[(start + turn) % 2]
    return found
