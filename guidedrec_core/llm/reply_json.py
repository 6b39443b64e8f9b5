"""Finding JSON in a language model's answer; prose, fences and thoughts around it are ignored."""

import json
import re
from typing import Any

_BRACKET = re.compile(r"[{\[]")
# Opening brackets without a complete value: each costs a scan of the rest, and a model can get stuck at "[[[[".
_MOST_BROKEN = 100

TWICE = object()
"""In place of the value of a key that an object has twice, with different values."""


def json_values(text: str) -> list[Any]:
    """Return the outermost JSON objects and lists in an answer; of a broken one, the complete ones inside.

    The text in which a model thinks is left out: drafts are not answers.

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
    """Make an object; JSON allows a key twice, but then neither value is trusted."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        result[key] = TWICE if key in result and result[key] != value else value
    return result
