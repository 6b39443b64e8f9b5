"""Reading what servers of language models send in OpenAI's protocol, of which many leave parts out."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import ServiceError
from guidedrec_core.llm.address import without_key

MOST_TOKENS = 10**9
"""Largest believable token count of one answer; a larger one is an error."""


class NoReplyError(ValueError):
    """The answer is not what was requested; the message is what the server says instead, if anything."""


@dataclass(frozen=True)
class ChatReply:
    """What a chat model answered.

    Attributes
    ----------
    text : str or None
        The answer; None when there is none.
    refusal : str or None
        Why the model declines to answer, in its words.
    finish_reason : str
        ``stop``, ``length`` (cut off), ``content_filter``, or another word of the server; empty when it gives none.
    prompt_tokens, completion_tokens : int
        As the server counted; 0 when it does not say.
    request_id : str
        The server's name of the request; empty when it gives none.
    """

    text: str | None
    refusal: str | None
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    request_id: str

    @classmethod
    def read(cls, body: Any, request_id: Any = None) -> "ChatReply":
        """Read an answer.

        Parameters
        ----------
        body : Any
            What the server sent, parsed.
        request_id : Any
            The server's name of the request; default is the answer's.

        Raises
        ------
        NoReplyError
            It is not an answer of a chat model, or its token counts are not believable.
        """
        try:
            choice = body["choices"][0]
            message = choice["message"]
            text, refusal = _text(message.get("content")), _text(message.get("refusal"))
        except (KeyError, IndexError, TypeError, AttributeError):
            said = body.get("error", "") if isinstance(body, dict) else ""
            raise NoReplyError(str(said)) from None
        prompt_tokens, completion_tokens = _tokens(body)
        return cls(
            text=text,
            refusal=refusal,
            finish_reason=_text(choice.get("finish_reason")) or "",
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            request_id=_text(request_id or body.get("id")) or "",
        )


@dataclass(frozen=True)
class BatchLine:
    """The result of one request of a batch.

    Attributes
    ----------
    custom_id : str
        Our name of the request.
    reply : ChatReply or None
        The answer, if there is one.
    status : int
        HTTP status; 0 when the request did not reach the model.
    code, message, param : str
        What went wrong: the server's word for it, its sentence, and the field it blames; each may be empty.
    """

    custom_id: str
    reply: ChatReply | None
    status: int = 0
    code: str = ""
    message: str = ""
    param: str = ""

    @classmethod
    def read(cls, line: bytes) -> "BatchLine | None":
        """Read a line of an output or error file; None when it names no request.

        Examples
        --------
        >>> BatchLine.read(b'{"custom_id": "7", "response": null, "error": {"code": "batch_expired"}}').code
        'batch_expired'
        >>> BatchLine.read(b"busy") is None
        True
        """
        try:
            found = json.loads(line)
            custom_id = found["custom_id"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if not isinstance(custom_id, str):
            return None
        response = _dict(found.get("response"))
        status, body = count(response.get("status_code")), response.get("body")
        message = ""
        if status in (0, 200):
            try:
                return cls(custom_id, ChatReply.read(body, response.get("request_id") or found.get("id")), 200)
            except NoReplyError as error:
                message = str(error)
        # The reason is next to the response, inside it, or in its place.
        fault = _dict(found.get("error")) or _dict(_dict(body).get("error")) or _dict(body)
        return cls(
            custom_id,
            None,
            status,
            code=_text(fault.get("code")) or "",
            message=_text(fault.get("message")) or without_key(message),
            param=_text(fault.get("param")) or "",
        )


@dataclass(frozen=True)
class RemoteBatch:
    """The state of a batch at the server.

    Attributes
    ----------
    id : str
        The server's name of it.
    status : str
        ``validating``, ``in_progress``, ``finalizing``, ``cancelling``; or how it ended: ``completed``, ``failed`` (it
        was refused as a whole), ``expired``, ``cancelled``.
    answered, failed : int
        Requests done so far.
    files : tuple of str
        Names of the files with the results of the requests, in no order; none before the end.
    errors : tuple of (str, str)
        Why it was refused: the server's word for it, and its sentence.
    """

    id: str
    status: str
    answered: int
    failed: int
    files: tuple[str, ...]
    errors: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, body: Any) -> "RemoteBatch":
        """Read a state, of which the server may leave parts out.

        Parameters
        ----------
        body : Any
            What the server sent, parsed.

        Raises
        ------
        NoReplyError
            It names no batch.
        """
        found = _dict(body)
        name = _text(found.get("id"))
        if not name:
            raise NoReplyError("")
        counts = _dict(found.get("request_counts"))
        errors = _dict(found.get("errors")).get("data")
        files = (_text(found.get(name)) for name in ("output_file_id", "error_file_id"))
        return cls(
            id=name,
            status=_text(found.get("status")) or "",
            answered=count(counts.get("completed")),
            failed=count(counts.get("failed")),
            files=tuple(file for file in files if file),
            errors=tuple(
                (_text(error.get("code")) or "", _text(error.get("message")) or "")
                for error in map(_dict, errors if isinstance(errors, list) else ())
            ),
        )

    @property
    def over(self) -> bool:
        """Whether the batch has ended, in whatever way."""
        return self.status in ("completed", "failed", "expired", "cancelled")


def may_be_billed(status: int) -> bool:
    """Return whether a request with this HTTP status may be billed.

    A status of 4xx refuses a request before a model works on it; except that gateways also send 408 when a model takes
    too long. With 503 or 529 a server says that it does not start. With any other 5xx the model may have worked, and
    with 200 it has, whatever came back.

    Examples
    --------
    >>> [may_be_billed(status) for status in (200, 429, 408, 500, 503)]
    [True, False, True, True, False]
    """
    return status not in (503, 529) and (status == 408 or not 400 <= status < 500)


def counted_tokens(body: Any) -> tuple[int, int] | None:
    """Return the prompt and completion tokens that a server counted despite an error; None where it did not."""
    try:
        prompt, completion = _tokens(body)
    except NoReplyError:
        return None
    return (prompt, completion) if prompt else None


def chat_fields(wanted: dict[str, Any], unwanted: frozenset[str]) -> dict[str, Any]:
    """Return the fields to send: without those the server refuses, and with the newer name of a length if needed.

    Examples
    --------
    >>> chat_fields({"max_tokens": 9, "temperature": 0.0}, frozenset({"max_tokens", "temperature"}))
    {'max_completion_tokens': 9}
    """
    fields = {name: value for name, value in wanted.items() if value is not None and name not in unwanted}
    if "max_tokens" in unwanted:
        fields["max_completion_tokens"] = wanted["max_tokens"]
    return fields


def blamed_field(param: str | None, said: str, fields: dict[str, Any]) -> str | None:
    """Name the field that a server's refusal is about; without a hint, the least supported one.

    Parameters
    ----------
    param : str or None
        The field that the server names.
    said : str
        Its words.
    fields : dict
        What was sent.
    """
    optional = [name for name in ("max_tokens", "temperature", "response_format") if name in fields]
    if param in optional:
        return param
    return next((name for name in optional if name in said), optional[-1] if "response_format" in optional else None)


def read_vectors(data: Any, count: int, server: str) -> npt.NDArray[np.float32]:
    """Check an answer's vectors and put them in order.

    Parameters
    ----------
    data : Any
        The answer's rows.
    count : int
        Number of texts sent.
    server : str
        Its address, for messages.

    Returns
    -------
    ndarray
        float32 ``[count, d]``.

    Raises
    ------
    ServiceError
        They cannot be used.
    """
    if not isinstance(data, list):
        raise ServiceError(
            f"expected vectors from {server}, got something else; is it a server of embeddings, and does "
            "--base-url end as it wants it, usually in /v1?"
        )
    if len(data) != count:
        raise ServiceError(
            f"expected {count} vectors for {count} texts from {server}, got {len(data)}; "
            "does the server limit how many texts a request may hold? Try a smaller --batch-size"
        )
    rows = [_dict(row) for row in data]
    places = _places(rows, server)
    vectors = _array([rows[row].get("embedding") for row in np.argsort(places)])
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise ServiceError(
            f"expected vectors of one length with finite numbers from {server}, got others; "
            "is the model one for embeddings?"
        )
    return vectors


def _places(rows: list[dict[str, Any]], server: str) -> list[int]:
    """Return the positions of an answer's rows; without any, the rows are in order."""
    places = [place if row.get("index") is None else row["index"] for place, row in enumerate(rows)]
    if not all(isinstance(place, int) for place in places) or sorted(places) != list(range(len(rows))):
        raise ServiceError(f"expected vectors numbered 0 to {len(rows) - 1} from {server}, got {_short(places)}")
    return places


def _array(values: list[Any]) -> npt.NDArray[np.float32]:
    """Return numbers as an array; an empty one if they are not numbers."""
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            return np.array(values, dtype=np.float32)
    except (ValueError, TypeError, OverflowError):
        return np.empty(0, dtype=np.float32)


def _short(values: list[Any]) -> str:
    """Write the first of some values, each shortened."""
    said = ", ".join(" ".join(repr(value)[:20].split()) for value in values[:5])
    return f"[{said}{', ...' if len(values) > 5 else ''}]"


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """Return a text without the key and without lone surrogates; parts of a text are joined."""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        value = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(value, str):
        return None
    return without_key(value).encode("utf-8", "replace").decode()


def _tokens(body: Any) -> tuple[int, int]:
    """Return the prompt and completion tokens that an answer counts; 0 where it does not.

    Raises
    ------
    NoReplyError
        A count is not believable.
    """
    usage = _dict(_dict(body).get("usage"))
    counts = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    if max(counts) > MOST_TOKENS:
        raise NoReplyError(
            f"it counts tokens by a number of {len(str(max(counts)))} digits, where {MOST_TOKENS:,} are the most"
        )
    return counts


def count(value: Any) -> int:
    """Return a count; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
