"""Which items and users fulfil a condition, as masks; computed on whole columns."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.conditions.condition import (
    DEEPEST,
    About,
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
from guidedrec_core.conditions.reading import read_condition
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.conditions.terms import cell_values, plain
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.items.search import fold

Mask = npt.NDArray[np.bool_]
QUARTER = 0.25
"""Share of items or users that count as high or low."""
_MICROSECONDS_A_DAY = 86_400_000_000
_MOST_LEVELS = 4 * DEEPEST
"""Of a condition given as data; no text makes more of its brackets."""


def parsed(
    given: Condition | str, wanted: About, subjects: Subjects, saved: Mapping[str, Condition] | None = None
) -> Condition:
    """Return a condition given as such or as text.

    Parameters
    ----------
    given : Condition or str
        Any.
    wanted : {"items", "users"}
        What it shall be about.
    subjects : Subjects
        Whose words text is made of.
    saved : mapping of str to Condition, optional
        Saved segments by name, which text can use as ``segment: NAME``.

    Raises
    ------
    InputError
        The text is not understood, or the condition is about something else.
    """
    terms = replace(subjects.terms, saved=saved) if saved else subjects.terms
    condition = read_condition(given, wanted, terms) if isinstance(given, str) else given
    if about(condition) != wanted:
        raise InputError(f"expected a condition on {wanted}, got one on {about(condition)}")
    return condition


def items_of(given: Condition | str | None, subjects: Subjects) -> Mask:
    """Return the items that fulfil a condition, given as such or as text, ``[n_items]``; all for None.

    Raises
    ------
    UnknownIdError
        The condition names an attribute or column that the data set does not have, or an id that it does not have;
        with `Subjects.skips_unknown_ids`, none of its ids is there.
    InputError
        It is not understood, is one on users, or has too many levels.
    """
    if given is None:
        return np.ones(subjects.n_items, dtype=bool)
    return _members(parsed(given, "items", subjects), subjects, 0)


def users_of(given: Condition | str | None, subjects: Subjects) -> Mask:
    """Return the users that fulfil a condition, given as such or as text, ``[n_users]``; all for None.

    Raises
    ------
    UnknownIdError
        As for `items_of`.
    InputError
        It is not understood, is one on items, has too many levels, or speaks of lists or segments that these
        subjects do not have or that are no longer what they were.
    """
    if given is None:
        return np.ones(subjects.n_users, dtype=bool)
    return _members(parsed(given, "users", subjects), subjects, 0)


def _members(condition: Condition, subjects: Subjects, level: int) -> Mask:
    """Return what fulfils a condition."""
    if level > _MOST_LEVELS:
        raise InputError(f"expected a condition of at most {_MOST_LEVELS} levels; split it")
    if isinstance(condition, AllOf | AnyOf):
        join = np.logical_and if isinstance(condition, AllOf) else np.logical_or
        joined: Mask = join.reduce([_members(one, subjects, level + 1) for one in condition.of])
        return joined
    if isinstance(condition, Not):
        return ~_members(condition.of, subjects, level + 1)
    if about(condition) == "items":
        return _items(condition, subjects)
    return _users(condition, subjects, level)


def _items(condition: Condition, subjects: Subjects) -> Mask:
    """Return the items of one condition."""
    frame = subjects.data.dataset.catalogue.frame
    match condition:
        case ItemIds():
            return _of_ids(condition.ids, subjects.data.dataset.items, subjects.skips_unknown_ids)
        case ItemValue():
            codes, different = frame[_column(condition.column, subjects)].fillna("").astype(str).factorize()
            wanted = set(map(plain, condition.values))
            holds = np.array([not wanted.isdisjoint(map(plain, cell_values(cell))) for cell in different], dtype=bool)
            listed: Mask = holds[codes]
            return listed
        case ItemNumber():
            return _within(numbers_of(condition.column, subjects), condition)
        case ItemScore():
            return _within(_scores(condition.attribute, subjects), condition)
        case ItemEnd():
            scores = subjects.model.item_scores.values[:, attribute_of(condition.attribute, subjects)].astype(
                np.float64
            )
            return quarter(scores, condition.end)
        case ItemTitle():
            words = fold(condition.words).split()
            titles = map(fold, frame[c.TITLE])
            return np.array([all(f" {word}" in f" {title}" for word in words) for title in titles], dtype=bool)
        case ItemInteractions():
            return _within(subjects.data.item_interactions, condition)
    raise AssertionError(condition)


def _users(condition: Condition, subjects: Subjects, level: int) -> Mask:
    """Return the users of one condition."""
    match condition:
        case UserIds():
            return _of_ids(condition.ids, subjects.data.dataset.users, subjects.skips_unknown_ids)
        case Had():
            counts = past_counts(subjects, _members(condition.items, subjects, level + 1))
            needed = np.maximum(float(condition.least), condition.share * subjects.lengths)
            return np.asarray(counts >= needed, dtype=bool)
        case Past():
            return _within(subjects.lengths, condition)
        case LastTime():
            return _last_in(condition, subjects)
        case Usual():
            return _within(_usual(condition.column, subjects), condition)
        case Taste():
            profile = subjects.profiles[:, attribute_of(condition.attribute, subjects)].astype(np.float64)
            return quarter(np.where(subjects.lengths > 0, profile, np.nan), condition.end)
        case Refined() | Shown() | Segment():
            return subjects.of_lists(condition)
    raise AssertionError(condition)


def past_counts(subjects: Subjects, items: Mask) -> npt.NDArray[np.float64]:
    """Return each user's past interactions with some items, ``[n_users]``."""
    counts: npt.NDArray[np.float64] = subjects.past @ items.astype(np.float64)
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


def _of_ids(ids: tuple[str, ...], vocabulary: Vocabulary, skips_unknown: bool) -> Mask:
    """Return what some ids name; where unknown ones are skipped, one has to be known all the same."""
    found = vocabulary.indexes(ids, missing="negative")
    if not (found >= 0).any() or not (skips_unknown or (found >= 0).all()):
        vocabulary.indexes(ids)  # says which
    mask = np.zeros(len(vocabulary), dtype=bool)
    mask[found[found >= 0]] = True
    return mask


def attribute_of(name: str, subjects: Subjects) -> int:
    """Return the column of an attribute given by name or label.

    Raises
    ------
    UnknownIdError
        There is none of this name.
    """
    names = subjects.schema.names
    known = name if name in names else subjects.terms.attribute(name)
    if known is None:
        raise UnknownIdError(f"expected an attribute of this run, got {name!r}; there are {', '.join(names)}")
    return names.index(known)


def numbers_of(column: str, subjects: Subjects) -> npt.NDArray[np.float64]:
    """Return a column of the catalogue as numbers, ``[n_items]``, NaN where unknown.

    Raises
    ------
    UnknownIdError
        There is no such column, or it does not hold numbers.
    """
    numbers, known = subjects.terms.numbers, _column(column, subjects)
    if known not in numbers:
        there = ", ".join(numbers) or "none"
        raise UnknownIdError(f"expected a column of numbers, got {column!r}, which holds others; there are {there}")
    return numbers[known]


def _scores(attribute: str, subjects: Subjects) -> npt.NDArray[np.float64]:
    """Return the items' raw scores on an attribute."""
    return subjects.model.item_scores.values[:, attribute_of(attribute, subjects)].astype(np.float64)


def _column(name: str, subjects: Subjects) -> str:
    """Return a column of the catalogue, also for its name as people write it."""
    if name in subjects.data.dataset.catalogue.frame:
        return name
    column = subjects.terms.column(name)
    if column is None:
        known = ", ".join(subjects.terms.columns)
        raise UnknownIdError(f"expected a column of this catalogue, got {name!r}; there are {known}")
    return column


def _usual(column: str, subjects: Subjects) -> npt.NDArray[np.float64]:
    """Return the mean of a column over each user's past interactions; NaN where none has a number."""
    numbers = numbers_of(column, subjects)
    known = np.isfinite(numbers)
    sums, counts = subjects.past @ np.where(known, numbers, 0.0), subjects.past @ known.astype(np.float64)
    means: npt.NDArray[np.float64] = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means


def _last_in(condition: LastTime, subjects: Subjects) -> Mask:
    """Return the users whose last past interaction lies in a period."""
    times, some = subjects.last_times, subjects.lengths > 0
    if condition.days is not None:
        newest = int(subjects.data.sequences.times.max())
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
