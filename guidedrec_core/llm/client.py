"""The way to language model servers that speak OpenAI's protocol; the only module that knows the `openai` package."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import ConfigError, RequestRefusedError, ServiceError
from guidedrec_core.llm.address import KEY_VARIABLE, find_key, find_url, without_key
from guidedrec_core.llm.protocol import BatchLine, ChatReply, RemoteBatch, blamed_field, chat_fields, read_vectors

if TYPE_CHECKING:
    import httpx2
    import openai
    from openai.types import Batch

__all__ = ["BatchClient", "ChatClient", "ChatReply", "LlmClient", "RemoteBatch"]

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
    def _explained(self, model: str, unknown: str = "") -> Iterator[None]:
        """Turn the SDK's errors into ours, with what to do and without the key, which theirs may repeat.

        `model` is what the key is for; `unknown` says what status 404 means, if it is not about the model.
        """
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
                f"{self.base_url} {unknown or f'knows no model {model!r}, or no such request'} "
                f"({self._reason(error)}); "
                f"check {'' if unknown else '--model, and '}that --base-url ends as the server wants it, usually in /v1"
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


class _PlainServer(_Server):
    """A server that is asked for one thing after the other."""

    _client: "openai.OpenAI | None" = None

    def _connected(self) -> "openai.OpenAI":
        """Return the SDK's client."""
        if self._client is None:
            import openai

            self._client = openai.OpenAI(**self._settings())
        return self._client


class LlmClient(_PlainServer):
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
        return read_vectors(getattr(reply, "data", None), len(texts), self.base_url)


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
                fields = {"model": model, "messages": messages, **chat_fields(wanted, unwanted)}
                try:
                    # As the SDK's chat.completions.create, without its models of request and answer, which take half of
                    # its time and refuse what some servers send.
                    response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=fields)
                    break
                except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                    # Once a request was answered, its fields are right and another refusal is about its content.
                    blamed = None if settled is not None else blamed_field(error.param, str(error), fields)
                    if blamed is None:
                        raise
                    unwanted |= {blamed}
            self._unwanted[kind] = unwanted
            return self._reply(response)

    def _reply(self, response: "httpx2.Response") -> ChatReply:
        """Read an answer."""
        body = response.json()
        try:
            return ChatReply.read(body, response.headers.get("x-request-id"))
        except ValueError as error:
            said = self._clean(str(error))
            raise ServiceError(
                f"expected the answer of a chat model from {self.base_url}, got something else"
                f"{f' ({said})' if said else ''}; is the model one for chat, and does --base-url end "
                "as the server wants it, usually in /v1?"
            ) from None


class BatchClient(_PlainServer):
    """A connection to one server's Batch API: many requests in one file, answered within a day.

    The key comes from the environment variable ``OPENAI_API_KEY`` and is neither stored nor shown. All methods raise
    `ConfigError` when the key is refused or there is no Batch API, `RequestRefusedError` when the server refuses what
    is sent, and `ServiceError` for no answer, and for an error that the server reports.

    Parameters
    ----------
    base_url : str, optional
        E.g. ``https://api.openai.com/v1``; else ``$OPENAI_BASE_URL``, else OpenAI's.
    retries : int
        How often a request is sent again after a connection error, a timeout, status 408, 409, 429 or 5xx; `create`
        is never sent again.
    timeout_seconds : float
        Patience with one answer; files are large.

    Raises
    ------
    ConfigError
        The URL is no http(s) address, or holds a password; or OpenAI's server is meant and there is no key.
    """

    def __init__(self, base_url: str | None = None, retries: int = 5, timeout_seconds: float = 600.0) -> None:
        super().__init__(base_url, retries, timeout_seconds)

    def upload(self, file: IO[bytes]) -> str:
        """Hand over a file of requests, one a line; return the server's name of it."""
        with self._asked():
            uploaded = self._connected().files.create(file=("guidedrec.jsonl", file), purpose="batch")
        return self._named(uploaded)

    def create(self, file: str) -> RemoteBatch:
        """Let the requests of an uploaded file be answered.

        When there is no answer, the server may have begun all the same; look with `find` before asking again.
        """
        with self._asked():
            client = self._connected().with_options(max_retries=0)
            batch = client.batches.create(input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h")
        return self._read(batch)

    def find(self, file: str) -> RemoteBatch | None:
        """Return the batch that was made of an uploaded file, if there is one."""
        with self._asked():
            for batch in self._connected().batches.list(limit=100):
                if getattr(batch, "input_file_id", None) == file:
                    return self._read(batch)
        return None

    def look(self, batch: str) -> RemoteBatch | None:
        """Return how far a batch is; None when the server does not know it."""
        import openai

        with self._asked():
            try:
                return self._read(self._connected().batches.retrieve(batch))
            except openai.NotFoundError:
                return None

    def cancel(self, batch: str) -> None:
        """Let a batch end early; what is answered by then can be read as soon as it has ended."""
        import openai

        with self._asked(), suppress(openai.ConflictError, openai.NotFoundError):  # it is over already, or unknown
            self._connected().with_options(max_retries=1).batches.cancel(batch)

    def lines(self, file: str) -> Iterator[BatchLine]:
        """Yield what came of requests, from one of the files of a `RemoteBatch`; lines that name none are left out."""
        with self._asked():
            content = self._connected().files.content(file).content
        for line in io.BytesIO(content):
            if (read := BatchLine.read(line)) is not None:
                yield read

    def _asked(self) -> AbstractContextManager[None]:
        return self._explained("its Batch API", "has no Batch API, or not what was asked for")

    def _read(self, batch: "Batch") -> RemoteBatch:
        """Read a state, whatever the server left out of it."""
        counts = getattr(batch, "request_counts", None)
        errors = getattr(getattr(batch, "errors", None), "data", None) or []
        files = (getattr(batch, name, None) for name in ("output_file_id", "error_file_id"))
        return RemoteBatch(
            id=self._named(batch),
            status=str(getattr(batch, "status", None) or ""),
            answered=getattr(counts, "completed", None) or 0,
            failed=getattr(counts, "failed", None) or 0,
            files=tuple(file for file in files if file),
            errors=tuple((error.code or "", self._clean(error.message or "")) for error in errors),
        )

    def _named(self, answer: Any) -> str:
        """Return the name of what a server has made."""
        name = getattr(answer, "id", None)
        if not isinstance(name, str) or not name:
            raise ServiceError(
                f"expected the answer of a Batch API from {self.base_url}, got something else; does it have one, and "
                "does --base-url end as the server wants it, usually in /v1?"
            )
        return name
