"""Reading a reply to a request for scores: the scores, reasons for missing ones, and what it cost.

Anything unclear is a fault; nothing is guessed. Listings without scores are requested again by
`scoring.requests.Waiting`.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.llm.reply_json import TWICE, json_values
from guidedrec_core.scoring.cache_records import Answered
from guidedrec_core.scoring.prices import Price, estimate_tokens

_LONGEST_REASON = 200
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*", re.ASCII)


class Sent(Protocol):
    """What is needed of a request to read its reply; the fields are those of `requests.ScoreRequest`."""

    @property
    def schema(self) -> AttributeSchema:
        """Return the requested attributes."""
        ...

    @property
    def texts(self) -> tuple[str, ...]:
        """Return hashes of the listings, in the order of their numbers."""
        ...

    @property
    def prompt_estimate(self) -> int:
        """Return the tokens of the prompt."""
        ...

    @property
    def completion_estimate(self) -> int:
        """Return the tokens of the answer."""
        ...


@dataclass(frozen=True)
class Reading:
    """What was read from a reply.

    Attributes
    ----------
    answered : Answered
        The reply itself.
    scores : dict of str to tuple of float
        Hash of a listing to its scores, in the order of the attributes.
    faults : dict of str to str
        Hash of a listing without scores to the reason.
    cut_off : bool
        The answer did not fit into its room.
    """

    answered: Answered
    scores: dict[str, tuple[float, ...]]
    faults: dict[str, str]
    cut_off: bool


@dataclass(frozen=True)
class Parsed:
    """What an answer says of the requested listings; each number is in exactly one of both.

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


def read_reply(sent: Sent, reply: ChatReply, price: Price | None, seconds: float | None) -> Reading:
    """Read a reply.

    Parameters
    ----------
    sent : Sent
        The request.
    reply : ChatReply
        The reply; tokens are estimated where the server does not count them.
    price : Price or None
        Price of this reply.
    seconds : float or None
        From sending to the answer; None for an answer that came with others.
    """
    prompt = reply.prompt_tokens or sent.prompt_estimate
    completion = reply.completion_tokens or estimate_tokens(reply.text or "")
    parsed = _parse(sent, reply)
    answered = Answered(
        texts=sent.texts,
        text=reply.text,
        refusal=reply.refusal,
        finish_reason=reply.finish_reason,
        request_id=reply.request_id,
        prompt_tokens=prompt,
        completion_tokens=completion,
        prompt_estimate=sent.prompt_estimate,
        completion_estimate=sent.completion_estimate,
        cost=price.cost(prompt, completion) if price else None,
        seconds=seconds,
    )
    return Reading(
        answered=answered,
        scores={sent.texts[number - 1]: values for number, values in parsed.scores.items()},
        faults={sent.texts[number - 1]: reason for number, reason in parsed.faults.items()},
        cut_off=reply.finish_reason == "length",
    )


def _parse(sent: Sent, reply: ChatReply) -> Parsed:
    """Read the scores out of an answer, or say why there are none."""
    numbers = range(1, len(sent.texts) + 1)
    if reply.refusal or reply.finish_reason == "content_filter":
        words = " ".join((reply.refusal or "the answer was filtered").split())
        return Parsed({}, dict.fromkeys(numbers, f"refused: {words[:_LONGEST_REASON]}"))
    parsed = parse_reply(reply.text, len(sent.texts), sent.schema)
    if reply.finish_reason == "length":
        return Parsed(parsed.scores, dict.fromkeys(parsed.faults, "the answer was cut off"))
    return parsed


def parse_reply(text: str | None, n: int, schema: AttributeSchema) -> Parsed:
    """Read the scores of `n` listings out of an answer.

    Entries are objects with a ``number`` and ``scores``, anywhere in the JSON of the answer; with a single listing the
    number may be missing. Words around the JSON, and the text in which a model thinks, are ignored; of an answer
    that is cut off, complete entries count. An entry is a fault when an attribute is missing, unknown, not a number or
    off the scale, or when another entry for the same number differs. A number that was not requested makes all entries
    faults: a model that counts from 0 gives an item its neighbour's scores.

    Parameters
    ----------
    text : str or None
        The answer; any text.
    n : int
        Number of requested listings.
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
    """Return a finite number, also one that is written as a text; None for anything else."""
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
    if value is TWICE:
        raise _FaultError(f"{name} scored twice")
    number = _number(value)
    if number is None:
        raise _FaultError(f"{name} is no number: {_short(value)}")
    if not schema.scale.min <= number <= schema.scale.max:
        raise _FaultError(f"{name} is off the scale: {number:g}")
    return number


def _short(value: Any) -> str:
    """Quote what a model said, shortened."""
    try:
        text = json.dumps(value)
    except (TypeError, RecursionError, ValueError):
        text = "something"
    return text if len(text) <= 40 else f"{text[:40]}..."
