"""Parsing: scores out of whatever a language model answered; what is not plainly there is a fault, never a guess."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from guidedrec_core.attributes.schema import AttributeSchema

_BRACKET = re.compile(r"[{\[]")
# Brackets that begin nothing whole: each costs a reading of the rest, and a model can get stuck at "[[[[".
_MOST_BROKEN = 100
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*", re.ASCII)


@dataclass(frozen=True)
class Parsed:
    """What an answer says of the listings asked for; each number is in exactly one of both.

    Attributes
    ----------
    scores : dict of int to tuple of float
        Listing number, from 1, to raw scores in schema order; complete and on the scale.
    faults : dict of int to str
        Listing number to why it has no scores, in a few words.
    """

    scores: dict[int, tuple[float, ...]]
    faults: dict[int, str]


class _FaultError(Exception):
    """Why an entry cannot be used."""


_TWICE = object()
"""Stands for the value of a key that an object has twice, with different values."""


def parse_reply(text: str | None, n: int, schema: AttributeSchema) -> Parsed:
    """Read the scores of `n` listings out of an answer.

    Entries are objects with a ``number`` and ``scores``, anywhere in the JSON of the answer; with a single listing the
    number may be missing. Words around the JSON do not matter, nor what a model says while it thinks; of an answer that
    is cut off, whole entries count. An entry is a fault when an attribute is missing, unknown, no number or off the
    scale, or when there is another for the same number that says something else. A number that was not asked for makes
    all entries faults: a model that counts from 0 gives an item its neighbour's scores.

    Parameters
    ----------
    text : str or None
        The answer, any text whatever.
    n : int
        Listings asked for.
    schema : AttributeSchema
        Names and scale of the scores.
    """
    entries: dict[int, list[dict[str, Any]]] = {number: [] for number in range(1, n + 1)}
    values = json_values(text or "")
    for entry in _entries(values, alone=n == 1):
        number = _whole(entry.get("number", 1))
        if number is not None:
            entries.setdefault(number, []).append(entry)
    scores, faults = {}, {}
    for number in range(1, n + 1):
        found = entries[number]
        try:
            if len(entries) > n:
                raise _FaultError("numbers in the answer that were not asked for")
            if not found:
                raise _FaultError(_nothing(text, values))
            rows = [_scores(entry, schema) for entry in found]
            if any(row != rows[0] for row in rows):
                raise _FaultError("scored twice, in different ways")
            scores[number] = rows[0]
        except _FaultError as fault:
            faults[number] = str(fault)
    return Parsed(scores, faults)


def _nothing(text: str | None, values: list[Any]) -> str:
    """Say why there is no entry at all for a number."""
    if not (text or "").strip():
        return "the answer is empty"
    return "not in the answer" if values else "no JSON in the answer"


def json_values(text: str) -> list[Any]:
    """Return the outermost JSON objects and lists in an answer; inside one that is broken, those that are whole.

    What a model says while it thinks is left out: drafts are no answers.

    Examples
    --------
    >>> json_values('<think>[1]</think> Here: {"a": 2}, and [3] is it.')
    [{'a': 2}, [3]]
    """
    text = "" if "<think>" in text and "</think>" not in text else text.rpartition("</think>")[2]
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    values = []
    place = broken = 0
    while broken < _MOST_BROKEN and (bracket := _BRACKET.search(text, place)):
        try:
            value, place = decoder.raw_decode(text, bracket.start())
            values.append(value)
        except (ValueError, RecursionError):
            place = bracket.end()
            broken += 1
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; JSON allows a key twice, we trust neither value then."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        result[key] = _TWICE if key in result and result[key] != value else value
    return result


def _entries(values: list[Any], alone: bool) -> Iterator[dict[str, Any]]:
    """Yield the objects with a number and scores, however deep; with a single listing, scores will do."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("scores"), dict) and (alone or "number" in value):
                yield value
            else:
                waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _whole(value: Any) -> int | None:
    """Return the number of a listing: 3, 3.0 or "3"."""
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _number(value: Any) -> float | None:
    """Return a finite number, also one that is written as a text; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _scores(entry: dict[str, Any], schema: AttributeSchema) -> tuple[float, ...]:
    """Return an entry's scores in schema order."""
    given = entry["scores"]
    missing = [name for name in schema.names if name not in given]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise _FaultError(f"no score of {missing[0]}{others}")
    unknown = sorted(set(given) - set(schema.names))
    if unknown:
        raise _FaultError(f"unknown attribute {_short(unknown[0])}")
    return tuple(_score(name, given[name], schema) for name in schema.names)


def _score(name: str, value: Any, schema: AttributeSchema) -> float:
    """Return one score."""
    if value is _TWICE:
        raise _FaultError(f"{name} scored twice")
    number = _number(value)
    if number is None:
        raise _FaultError(f"{name} is no number: {_short(value)}")
    if not schema.scale.min <= number <= schema.scale.max:
        raise _FaultError(f"{name} is off the scale: {number:g}")
    return number


def _short(value: Any) -> str:
    """Quote what a model said, not at length."""
    try:
        text = json.dumps(value)
    except (TypeError, RecursionError, ValueError):
        text = "something"
    return text if len(text) <= 40 else f"{text[:40]}..."
