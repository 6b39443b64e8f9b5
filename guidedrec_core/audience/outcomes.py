"""Which users fulfil conditions on what refinement did to them, on their lists, and on their segment."""

import numpy as np

from guidedrec_core import columns as c
from guidedrec_core.audience.population import Population
from guidedrec_core.conditions.condition import Refined, Segment, Shown
from guidedrec_core.conditions.members import Mask, items_of
from guidedrec_core.errors import InputError

TOP = 10
"""Length of the lists in which a held-out item counts as found; see `Refined`."""


def users_of_lists(condition: Refined | Shown | Segment, people: Population) -> Mask:
    """Return the users that fulfil a condition, ``[n_users]``.

    Raises
    ------
    InputError
        A segment is no longer what it was.
    """
    match condition:
        case Refined():
            return _by_outcome(condition, people)
        case Shown():
            held = people.lists.holds(condition.model, items_of(condition.items, people))
            return np.asarray(held.any(axis=1), dtype=bool)
        case Segment():
            return _of_segment(condition, people)


def _by_outcome(condition: Refined, people: Population) -> Mask:
    """Return the users of whom refinement found, lost or kept a held-out item."""
    base, refined = (people.cases[f"rank_{name}"].to_numpy() <= TOP for name in ("base", "refined"))
    cases = {
        "lost": base & ~refined,
        "found": refined & ~base,
        "both": base & refined,
        "neither": ~base & ~refined,
    }[condition.outcome]
    mask = np.zeros(people.n_users, dtype=bool)
    mask[people.data.dataset.users.indexes(people.cases[c.USER][cases])] = True
    return mask


def _of_segment(condition: Segment, people: Population) -> Mask:
    """Return the users of a segment that was found."""
    found = people.segments
    if not found.stable:
        raise InputError(f"there are no stable segments among these users, so no segment {condition.number}")
    if condition.number > found.k:
        raise InputError(f"expected a segment from 1 to {found.k}, got {condition.number}")
    name = found.names[condition.number - 1]
    if condition.name not in ("", name):
        raise InputError(
            f"segment {condition.number} was “{condition.name}” when it was saved, and is “{name}” in this run; "
            "choose it anew"
        )
    mask: Mask = found.labels == condition.number - 1
    return mask
