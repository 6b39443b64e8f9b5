"""What servers of language models say in OpenAI's protocol, read whatever they leave out of it."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import ServiceError
from guidedrec_core.llm.address import without_key


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
        ``stop``, ``length`` (cut off), ``content_filter``, or another word of the server; empty when it says none.
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
        ValueError
            It is no answer of a chat model; the message is what the server says instead, if it says something.
        """
        try:
            choice = body["choices"][0]
            message = choice["message"]
            text, refusal = _text(message.get("content")), _text(message.get("refusal"))
        except (KeyError, IndexError, TypeError, AttributeError):
            said = body.get("error", "") if isinstance(body, dict) else ""
            raise ValueError(str(said)) from None
        usage = body.get("usage")
        counts = usage if isinstance(usage, dict) else {}
        return cls(
            text=text,
            refusal=refusal,
            finish_reason=_text(choice.get("finish_reason")) or "",
            prompt_tokens=_count(counts.get("prompt_tokens")),
            completion_tokens=_count(counts.get("completion_tokens")),
            request_id=_text(request_id or body.get("id")) or "",
        )


@dataclass(frozen=True)
class BatchLine:
    """What came of one request of a batch.

    Attributes
    ----------
    custom_id : str
        Our name of the request.
    reply : ChatReply or None
        The answer, if there is one.
    status : int
        HTTP status; 0 when the model was not asked.
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
        """Read a line of an output or error file; None when it does not even name a request.

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
        status, body = _count(response.get("status_code")), response.get("body")
        message = ""
        if status in (0, 200):
            try:
                return cls(custom_id, ChatReply.read(body, response.get("request_id") or found.get("id")), 200)
            except ValueError as error:
                message = str(error)
        # The reason stands beside the response, in it, or is it.
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
    """How far a server is with a batch.

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
        Names of the files that hold what came of the requests, in no order; there are none before the end.
    errors : tuple of (str, str)
        Why it was refused: the server's word for it, and its sentence.
    """

    id: str
    status: str
    answered: int
    failed: int
    files: tuple[str, ...]
    errors: tuple[tuple[str, str], ...]

    @property
    def over(self) -> bool:
        """Tell whether nothing more will come of it."""
        return self.status in ("completed", "failed", "expired", "cancelled")


def chat_fields(wanted: dict[str, Any], unwanted: frozenset[str]) -> dict[str, Any]:
    """Return the fields to send: none that the server does not want, and the newer name of a length it knows so.

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
    """Name the field that a server's refusal is about; without a hint, the one that servers know least.

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
        Texts that were asked about.
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
    # Some servers leave the place out.
    places = [row if getattr(one, "index", None) is None else one.index for row, one in enumerate(data)]
    if sorted(places) != list(range(count)):
        raise ServiceError(f"expected vectors numbered 0 to {count - 1} from {server}, got {places[:5]}...")
    try:
        vectors = np.array([data[row].embedding for row in np.argsort(places)], dtype=np.float32)
    except (ValueError, TypeError, AttributeError):
        vectors = np.empty(0, dtype=np.float32)
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise ServiceError(
            f"expected vectors of one length with finite numbers from {server}, got others; "
            "is the model one for embeddings?"
        )
    return vectors


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """Return a text without the key and without halves of characters; parts of a text are joined."""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        value = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(value, str):
        return None
    return without_key(value).encode("utf-8", "replace").decode()


def _count(value: Any) -> int:
    """Return a number, e.g. of tokens; 0 for what is none."""
    return value if isinstance(value, int) and value > 0 else 0
