"""Structured answers: ask for JSON, and return what cannot be used to the model with the reason."""

from collections.abc import Callable
from typing import Any, TypeVar

from guidedrec_core.errors import ConfigError, ServiceError
from guidedrec_core.llm.chat import Chat
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.llm.reply_json import json_values
from guidedrec_core.llm.sanitize import clean

ATTEMPTS = 3
"""Answers that a model may give before it is given up."""
# Models that reason before they answer need tokens for it; after an answer that was cut off there is more room.
_MORE_ROOM = 4
_LONGEST_REASON = 300

T = TypeVar("T")


async def complete_structured(
    client: Chat,
    messages: list[dict[str, str]],
    model: str,
    reply_format: dict[str, Any],
    max_tokens: int,
    read: Callable[[ChatReply], T],
    *,
    expected: str,
    advice: str,
    reminder: str = "JSON alone",
) -> T:
    """Return a model's answer as read; an answer that cannot be used is returned to the model with the reason.

    Parameters
    ----------
    client : Chat
        The server.
    messages : list of dict
        The request.
    model : str
        The server's name of the model.
    reply_format : dict
        The ``response_format`` of the answer.
    max_tokens : int
        Of the answer, at first; more after one that was cut off.
    read : callable
        Reads an answer; raises `ConfigError`, in words for the model, when it cannot be used.
    expected, advice : str
        What was asked for and what to do without it, for the last error.
    reminder : str
        What the model is told to answer with when it is asked again.

    Raises
    ------
    ConfigError
        The key is refused, or the model or address unknown.
    ServiceError
        No answer, or none that can be used.
    """
    request, problem = messages, ""
    for _ in range(ATTEMPTS):
        reply = await client.complete(request, model, reply_format, max_tokens)
        try:
            return read(reply)
        except ConfigError as error:
            problem = str(error)
        if reply.finish_reason == "length":
            max_tokens *= _MORE_ROOM
        elif reply.text:
            again = f"This cannot be used: {problem}. Answer again, with {reminder}."
            request = [*messages, {"role": "assistant", "content": reply.text}, {"role": "user", "content": again}]
    raise ServiceError(
        f"expected {expected} from {model}, got none in {ATTEMPTS} answers (the last: {problem}); {advice}"
    )


def last_object(reply: ChatReply, key: str) -> dict[str, Any]:
    """Return the last JSON object of an answer that has a key; models may reason aloud before.

    Raises
    ------
    ConfigError
        There is none; the message says why, in words for the model.
    """
    if not reply.text:
        raise ConfigError(clean(reply.refusal or "")[:_LONGEST_REASON] or "the answer is empty")
    found = [value for value in json_values(reply.text) if isinstance(value, dict) and key in value]
    if not found:
        raise ConfigError("the answer is cut off" if reply.finish_reason == "length" else f"no JSON with {key}")
    return found[-1]
