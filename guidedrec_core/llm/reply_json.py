"""JSON out of whatever a language model answered: prose, fences and thoughts around it are left out."""

import json
import re
from typing import Any

_BRACKET = re.compile(r"[{\[]")
# Brackets that begin nothing whole: each costs a reading of the rest, and a model can get stuck at "[[[[".
_MOST_BROKEN = 100

TWICE = object()
"""Stands for the value of a key that an object has twice, with different values."""


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
        result[key] = TWICE if key in result and result[key] != value else value
    return result
