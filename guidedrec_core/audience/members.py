"""Which items and users fulfil a condition, as masks; computed on whole columns."""

from datetime import UTC, datetime, time

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.audience.conditions import (
    AllOf,
    AnyOf,
    Condition,
    End,
    Had,
    ItemEnd,
    ItemIds,
    ItemInteractions,
    ItemNumber,
    ItemScore,
    ItemTitle,
    ItemValue,
    LastTime,
    Not,
    Past,
    Refined,
    Segment,
    Shown,
    Taste,
    UserIds,
    Usual,
    about,
)
from guidedrec_core.audience.population import Population
from guidedrec_core.audience.terms import cell_values
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.items.search import fold

Mask = npt.NDArray[np.bool_]
TOP = 10
"""Length of the lists in which a held-out item counts as found; see `conditions.Refined`."""
QUARTER = 0.25
"""Share of items or users that count as high or low."""
_MICROSECONDS_A_DAY = 86_400_000_000


def members(condition: Condition, people: Population) -> Mask:
    """Return what fulfils a condition, ``[n_items]`` or ``[n_users]``.

    Parameters
    ----------
    condition : Condition
        On items or on users.
    people : Population
        The users, with their catalogue.

    Raises
    ------
    UnknownIdError
        The condition names an attribute or column that the data set does not have, or none of its ids is there.
    InputError
        A segment is no longer what it was.
    """
    if isinstance(condition, AllOf | AnyOf):
        join = np.logical_and if isinstance(condition, AllOf) else np.logical_or
        joined: Mask = join.reduce([members(one, people) for one in condition.of])
        return joined
    if isinstance(condition, Not):
        return ~members(condition.of, people)
    return _items(condition, people) if about(condition) == "items" else _users(condition, people)


def _items(condition: Condition, people: Population) -> Mask:
    """Return the items of one condition."""
    frame = people.data.dataset.catalogue.frame
    match condition:
        case ItemIds():
            return _of_ids(condition.ids, people.data.dataset.items)
        case ItemValue():
            if condition.column not in frame:
                raise _no_column(condition.column, people)
            codes, different = frame[condition.column].fillna("").astype(str).factorize()
            wanted = set(condition.values)
            holds = np.array([not wanted.isdisjoint(cell_values(cell)) for cell in different], dtype=bool)
            listed: Mask = holds[codes]
            return listed
        case ItemNumber():
            return _within(_numbers(condition.column, people), condition)
        case ItemScore():
            return _within(people.model.item_scores.values[:, _attribute(condition.attribute, people)], condition)
        case ItemEnd():
            scores = people.model.item_scores.values[:, _attribute(condition.attribute, people)].astype(np.float64)
            return quarter(scores, condition.end)
        case ItemTitle():
            words = fold(condition.words).split()
            titles = map(fold, frame[c.TITLE])
            return np.array([all(f" {word}" in f" {title}" for word in words) for title in titles], dtype=bool)
        case ItemInteractions():
            return _within(people.data.item_interactions, condition)
    raise AssertionError(condition)


def _users(condition: Condition, people: Population) -> Mask:
    """Return the users of one condition."""
    match condition:
        case UserIds():
            return _of_ids(condition.ids, people.data.dataset.users)
        case Had():
            counts = past_counts(people, members(condition.items, people))
            needed = np.maximum(float(condition.least), condition.share * people.lengths)
            return np.asarray(counts >= needed, dtype=bool)
        case Past():
            return _within(people.lengths, condition)
        case LastTime():
            return _last_in(condition, people)
        case Usual():
            return _within(_usual(condition.column, people), condition)
        case Taste():
            profile = people.profiles[:, _attribute(condition.attribute, people)].astype(np.float64)
            return quarter(np.where(people.lengths > 0, profile, np.nan), condition.end)
        case Refined():
            return _by_outcome(condition, people)
        case Shown():
            held = people.lists.holds(condition.model, members(condition.items, people))
            return np.asarray(held.any(axis=1), dtype=bool)
        case Segment():
            return _of_segment(condition, people)
    raise AssertionError(condition)


def past_counts(people: Population, items: Mask) -> npt.NDArray[np.float64]:
    """Return each user's past interactions with some items, ``[n_users]``."""
    counts: npt.NDArray[np.float64] = people.past @ items.astype(np.float64)
    return counts


def quarter(values: npt.NDArray[np.float64], end: End) -> Mask:
    """Return where values are among the highest or lowest quarter of those known; ties at the edge belong to it.

    Where ties would make it more than half, only what lies beyond the edge counts: "low" never means most of all.

    Examples
    --------
    >>> quarter(np.array([1.0, 2.0, 3.0, 4.0, np.nan]), "high").tolist()
    [False, False, False, True, False]
    """
    signed = values if end == "high" else -values
    known = ~np.isnan(signed)
    if not known.any():
        return np.zeros(len(values), dtype=bool)
    edge = np.quantile(signed[known], 1 - QUARTER, method="higher")
    with_ties: Mask = known & np.greater_equal(signed, edge)
    return with_ties if with_ties.sum() <= known.sum() / 2 else known & np.greater(signed, edge)


def _within(values: npt.NDArray[np.generic], ends: ItemNumber | ItemScore | ItemInteractions | Past | Usual) -> Mask:
    """Return where values lie in a range; NaN never does."""
    numbers = values.astype(np.float64)
    found: Mask = ~np.isnan(numbers)
    if ends.low is not None:
        found &= (numbers > ends.low) if ends.above else (numbers >= ends.low)
    if ends.high is not None:
        found &= (numbers < ends.high) if ends.below else (numbers <= ends.high)
    return found


def _of_ids(ids: tuple[str, ...], vocabulary: Vocabulary) -> Mask:
    """Return what some ids name; ids of another data set name nothing, but one has to be there."""
    found = vocabulary.indexes(ids, missing="negative")
    if not (found >= 0).any():
        vocabulary.indexes(ids)  # says which
    mask = np.zeros(len(vocabulary), dtype=bool)
    mask[found[found >= 0]] = True
    return mask


def _attribute(name: str, people: Population) -> int:
    """Return an attribute's column."""
    names = people.schema.names
    if name not in names:
        raise UnknownIdError(f"expected an attribute of this run, got {name!r}; there are {', '.join(names)}")
    return names.index(name)


def _numbers(column: str, people: Population) -> npt.NDArray[np.float64]:
    """Return a column of numbers."""
    if column not in people.terms.numbers:
        raise _no_column(column, people)
    return people.terms.numbers[column]


def _no_column(column: str, people: Population) -> UnknownIdError:
    known = ", ".join([*people.terms.values, *people.terms.numbers])
    return UnknownIdError(f"expected a column of this catalogue, got {column!r}; there are {known}")


def _usual(column: str, people: Population) -> npt.NDArray[np.float64]:
    """Return the mean of a column over each user's past interactions; NaN where none has a number."""
    numbers = _numbers(column, people)
    known = np.isfinite(numbers)
    sums, counts = people.past @ np.where(known, numbers, 0.0), people.past @ known.astype(np.float64)
    means: npt.NDArray[np.float64] = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means


def _last_in(condition: LastTime, people: Population) -> Mask:
    """Return the users whose last past interaction lies in a period."""
    times, some = people.last_times, people.lengths > 0
    if condition.days is not None:
        newest = int(people.data.sequences.times.max())
        return some & (times > newest - condition.days * _MICROSECONDS_A_DAY)
    found = some
    if condition.first is not None:
        found = found & (times >= _microseconds(datetime.combine(condition.first, time(), UTC)))
    if condition.until is not None:
        found = found & (times < _microseconds(datetime.combine(condition.until, time(), UTC)) + _MICROSECONDS_A_DAY)
    return found


def _microseconds(moment: datetime) -> int:
    """Return a moment in Unix microseconds, exactly."""
    days = moment.date() - datetime(1970, 1, 1, tzinfo=UTC).date()
    return days.days * _MICROSECONDS_A_DAY


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
