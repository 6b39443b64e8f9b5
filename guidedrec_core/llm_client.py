"""The way to language model servers that speak OpenAI's protocol; the only module that knows the `openai` package."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import ConfigError, RequestRefusedError, ServiceError
from guidedrec_core.llm_address import KEY_VARIABLE, find_key, find_url, without_key

if TYPE_CHECKING:
    import httpx2
    import openai

_LONGEST_REASON = 300
# Statuses that are about one request: it is wrong, too long, or cannot be processed.
_REFUSED = (400, 413, 422)


class _Server:
    """A server's address, the patience with it, and what its errors mean."""

    def __init__(self, base_url: str | None, retries: int, timeout_seconds: float) -> None:
        self.base_url = find_url(base_url)
        self.retries = retries
        self.timeout_seconds = timeout_seconds

    def _settings(self) -> dict[str, Any]:
        """Return what the SDK's clients are made with."""
        return {
            "api_key": find_key(self.base_url),
            "base_url": self.base_url,
            "max_retries": self.retries,
            "timeout": self.timeout_seconds,
        }

    @contextmanager
    def _explained(self, model: str) -> Iterator[None]:
        """Turn the SDK's errors into ours, with what to do and without the key, which theirs may repeat."""
        import openai

        try:
            yield
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise ConfigError(
                f"{self.base_url} refused the key ({self._reason(error)}); "
                f"set {KEY_VARIABLE} to one that may use {model}"
            ) from None
        except openai.NotFoundError as error:
            raise ConfigError(
                f"{self.base_url} knows no model {model!r}, or no such request ({self._reason(error)}); "
                "check --model, and that --base-url ends as the server wants it, usually in /v1"
            ) from None
        except openai.APITimeoutError:
            raise ServiceError(
                f"{self.base_url} gave no answer within {self.timeout_seconds:g} s, {self.retries + 1} times; "
                "try again later, or ask for less at once"
            ) from None
        except openai.APIConnectionError as error:
            reason = str(error.__cause__ or error) or "no connection"
            raise ServiceError(
                f"{self.base_url} cannot be reached ({self._clean(reason)}); is the server running, and the URL right?"
            ) from None
        except openai.RateLimitError as error:
            raise ServiceError(
                f"{self.base_url} allows no more requests at present, after {self.retries} retries "
                f"({self._reason(error)}); wait, or raise the limit, then run the same command again"
            ) from None
        except openai.OpenAIError as error:
            refused = getattr(error, "status_code", None) in _REFUSED
            kind = RequestRefusedError if refused else ServiceError
            raise kind(f"{self.base_url} answered with an error ({self._reason(error)})") from None
        except ValueError as error:  # an answer that says it is JSON and is not
            raise ServiceError(
                f"{self.base_url} gave an answer that cannot be read ({self._clean(str(error))}); "
                "does --base-url end as the server wants it, usually in /v1?"
            ) from None

    def _reason(self, error: Any) -> str:
        """Return what the server said, with the status, in one short line."""
        status = getattr(error, "status_code", None)
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, dict) else None
        return self._clean(": ".join(str(part) for part in (status, said or error) if part))

    def _clean(self, text: str) -> str:
        """Shorten a text, and take the key out, which some servers repeat."""
        text = " ".join(without_key(text).split())
        return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


class LlmClient(_Server):
    """A connection to one server of embeddings; nothing is sent until something is asked for.

    The key comes from the environment variable ``OPENAI_API_KEY`` and is neither stored nor shown.

    Parameters
    ----------
    base_url : str, optional
        E.g. ``http://localhost:8000/v1``; else ``$OPENAI_BASE_URL``, else OpenAI's.
    retries : int
        How often a request is sent again after a connection error, a timeout, status 408, 409, 429 or 5xx; the pauses
        grow.
    timeout_seconds : float
        Patience with one answer.

    Raises
    ------
    ConfigError
        The URL is no http(s) address, or holds a password; or OpenAI's server is meant and there is no key.
    """

    def __init__(self, base_url: str | None = None, retries: int = 5, timeout_seconds: float = 120.0) -> None:
        super().__init__(base_url, retries, timeout_seconds)
        self._client: openai.OpenAI | None = None

    def embed(self, texts: list[str], model: str) -> npt.NDArray[np.float32]:
        """Ask for one vector a text, in one request.

        Parameters
        ----------
        texts : list of str
            At least one, none blank; how many a request may hold depends on the server.
        model : str
            The server's name of the model.

        Returns
        -------
        ndarray
            float32 ``[len(texts), d]``, in the order of the texts.

        Raises
        ------
        ConfigError
            The key is refused, or the model or address unknown.
        ServiceError
            No answer, an error the server reports, or vectors that cannot be used.
        """
        with self._explained(model):
            # Plain numbers, because not every server knows OpenAI's default, base64.
            reply = self._connected().embeddings.create(input=texts, model=model, encoding_format="float")
        return self._vectors(getattr(reply, "data", None), len(texts))

    def _connected(self) -> "openai.OpenAI":
        """Return the SDK's client."""
        if self._client is None:
            import openai

            self._client = openai.OpenAI(**self._settings())
        return self._client

    def _vectors(self, data: Any, count: int) -> npt.NDArray[np.float32]:
        """Check an answer's vectors and put them in order."""
        if not isinstance(data, list):
            raise ServiceError(
                f"expected vectors from {self.base_url}, got something else; is it a server of embeddings, and does "
                "--base-url end as it wants it, usually in /v1?"
            )
        if len(data) != count:
            raise ServiceError(
                f"expected {count} vectors for {count} texts from {self.base_url}, got {len(data)}; "
                "does the server limit how many texts a request may hold? Try a smaller --batch-size"
            )
        # Some servers leave the place out.
        places = [row if getattr(one, "index", None) is None else one.index for row, one in enumerate(data)]
        if sorted(places) != list(range(count)):
            raise ServiceError(f"expected vectors numbered 0 to {count - 1} from {self.base_url}, got {places[:5]}...")
        try:
            vectors = np.array([data[row].embedding for row in np.argsort(places)], dtype=np.float32)
        except (ValueError, TypeError, AttributeError):
            vectors = np.empty(0, dtype=np.float32)
        if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
            raise ServiceError(
                f"expected vectors of one length with finite numbers from {self.base_url}, got others; "
                "is the model one for embeddings?"
            )
        return vectors


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


class ChatClient(_Server):
    """A connection to one server of chat models, for many requests at once; an asynchronous context manager.

    The key comes from the environment variable ``OPENAI_API_KEY`` and is neither stored nor shown. A server that
    refuses the first requests by status 400 or 422 because of ``response_format`` or ``temperature`` is asked without
    it from then on; ``max_tokens`` is called ``max_completion_tokens`` where that is the name.

    Parameters
    ----------
    base_url : str, optional
        E.g. ``http://localhost:8000/v1``; else ``$OPENAI_BASE_URL``, else OpenAI's.
    retries : int
        How often a request is sent again after a connection error, a timeout, status 408, 409, 429 or 5xx; the pauses
        grow, or are those that the server names in ``Retry-After``, up to two minutes.
    timeout_seconds : float
        Patience with one answer.

    Raises
    ------
    ConfigError
        The URL is no http(s) address, or holds a password; or OpenAI's server is meant and there is no key.
    """

    def __init__(self, base_url: str | None = None, retries: int = 5, timeout_seconds: float = 60.0) -> None:
        super().__init__(base_url, retries, timeout_seconds)
        self._client: openai.AsyncOpenAI | None = None
        self._unwanted: dict[tuple[str, bool], frozenset[str]] = {}

    async def __aenter__(self) -> Self:
        import openai

        self._client = openai.AsyncOpenAI(**self._settings())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def complete(
        self,
        messages: list[dict[str, str]],
        model: str,
        reply_format: dict[str, Any] | None,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> ChatReply:
        """Ask for one answer; use it inside ``async with``.

        Parameters
        ----------
        messages : list of dict
            ``role`` and ``content`` each.
        model : str
            The server's name of the model.
        reply_format : dict or None
            ``response_format``; an answer need not keep to it, because many servers ignore it.
        max_tokens : int
            Longer answers are cut off.
        temperature : float
            0 is the likeliest answer.

        Raises
        ------
        ConfigError
            The key is refused, or the model or address unknown.
        RequestRefusedError
            The server refuses this request, e.g. because it is too long.
        ServiceError
            No answer, an error the server reports, or something that is no answer of a chat model.
        """
        import httpx2
        import openai

        assert self._client is not None, "use `async with ChatClient(...)`"
        wanted = {"response_format": reply_format, "temperature": temperature, "max_tokens": max_tokens}
        kind = model, reply_format is None
        settled = self._unwanted.get(kind)
        unwanted = settled or frozenset()
        with self._explained(model):
            while True:
                fields = {"model": model, "messages": messages, **_fields(wanted, unwanted)}
                try:
                    # As the SDK's chat.completions.create, without its models of request and answer, which take half of
                    # its time and refuse what some servers send.
                    response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=fields)
                    break
                except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                    # Once a request was answered, its fields are right and another refusal is about its content.
                    blamed = None if settled is not None else _blamed(error, fields)
                    if blamed is None:
                        raise
                    unwanted |= {blamed}
            self._unwanted[kind] = unwanted
            return self._reply(response)

    def _reply(self, response: "httpx2.Response") -> ChatReply:
        """Read an answer, whatever the server left out of it."""
        body = response.json()
        try:
            choice = body["choices"][0]
            message = choice["message"]
            text, refusal = _text(message.get("content")), _text(message.get("refusal"))
        except (KeyError, IndexError, TypeError, AttributeError):
            said = body.get("error", "") if isinstance(body, dict) else ""
            raise ServiceError(
                f"expected the answer of a chat model from {self.base_url}, got something else"
                f"{f' ({self._clean(str(said))})' if said else ''}; is the model one for chat, and does --base-url end "
                "as the server wants it, usually in /v1?"
            ) from None
        usage = body.get("usage")
        counts = usage if isinstance(usage, dict) else {}
        return ChatReply(
            text=text,
            refusal=refusal,
            finish_reason=_text(choice.get("finish_reason")) or "",
            prompt_tokens=_count(counts.get("prompt_tokens")),
            completion_tokens=_count(counts.get("completion_tokens")),
            request_id=_text(response.headers.get("x-request-id") or body.get("id")) or "",
        )


def _fields(wanted: dict[str, Any], unwanted: frozenset[str]) -> dict[str, Any]:
    """Return the fields to send: none that the server does not want, and the newer name of a length it knows so."""
    fields = {name: value for name, value in wanted.items() if value is not None and name not in unwanted}
    if "max_tokens" in unwanted:
        fields["max_completion_tokens"] = wanted["max_tokens"]
    return fields


def _blamed(error: "openai.APIStatusError", fields: dict[str, Any]) -> str | None:
    """Name the field a server's refusal is about; without a hint, the one that servers know least."""
    optional = [name for name in ("max_tokens", "temperature", "response_format") if name in fields]
    named = getattr(error, "param", None)
    if named in optional:
        return str(named)
    said = str(error)
    return next((name for name in optional if name in said), optional[-1] if "response_format" in optional else None)


def _text(value: Any) -> str | None:
    """Return a text without the key and without halves of characters; parts of a text are joined."""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        value = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(value, str):
        return None
    return without_key(value).encode("utf-8", "replace").decode()


def _count(value: Any) -> int:
    """Return a number of tokens; 0 for what is none."""
    return value if isinstance(value, int) and value > 0 else 0
