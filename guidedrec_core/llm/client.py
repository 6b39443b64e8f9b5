"""The clients of language model servers that speak OpenAI's protocol: embeddings, chat, and the Batch API."""

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import RequestRefusedError, ServiceError
from guidedrec_core.llm.protocol import (
    BatchLine,
    ChatReply,
    NoReplyError,
    RemoteBatch,
    blamed_field,
    chat_fields,
    counted_tokens,
    read_vectors,
)
from guidedrec_core.llm.retry import NEVER, Attempts, RetryPolicy, persist, until_answered
from guidedrec_core.llm.server import Server

if TYPE_CHECKING:
    import httpx2
    import openai

__all__ = ["BatchClient", "ChatClient", "ChatReply", "LlmClient", "RemoteBatch"]

Answer = TypeVar("Answer")

# A user waits while a batch is cancelled.
_CANCELLING = RetryPolicy(retries=1, patience=5.0)
_UNKNOWN = object()  # in place of a batch that the server does not know


class _SynchronousServer(Server):
    """A server that answers one request after the other, through the SDK's synchronous client."""

    _client: "openai.OpenAI | None" = None

    def _connected(self) -> "openai.OpenAI":
        """Return the SDK's client."""
        if self._client is None:
            import openai

            from guidedrec_core.llm.http import BoundedClient

            bounded = BoundedClient(self.base_url, self._most_bytes, self._most_seconds or self.timeout_seconds)
            self._client = openai.OpenAI(**self._settings(), http_client=bounded)
        return self._client


class LlmClient(_SynchronousServer):
    """A connection to one server of embeddings; parameters are those of `Server`."""

    _timeout_seconds = 120.0
    _most_bytes = 512 * 2**20  # 2,048 texts take some 100 MB

    def embed(self, texts: list[str], model: str) -> npt.NDArray[np.float32]:
        """Return one vector per text, from one request.

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

        def send() -> Any:
            with self._explained(model):
                ask = self._connected().embeddings.with_raw_response.create
                # Plain numbers, because not every server knows OpenAI's default, base64.
                return ask(input=texts, model=model, encoding_format="float").http_response.json()

        reply = persist(send, self._attempts())
        return read_vectors(reply.get("data") if isinstance(reply, dict) else None, len(texts), self.base_url)


class _FieldRefusedError(RequestRefusedError):
    """The server refuses a request because of one field; it is sent again at once without it."""


class _Call:
    """One request to a chat model; see `chat.ChatCall`."""

    def __init__(
        self,
        client: "ChatClient",
        messages: list[dict[str, str]],
        model: str,
        wanted: dict[str, Any],
        attempts: Attempts,
    ) -> None:
        self.messages = messages
        self.model = model
        self.wanted = wanted
        self.unwanted: frozenset[str] = frozenset()
        self._client = client
        self._attempts = attempts

    async def attempt(self) -> ChatReply:
        """Send it once."""
        return await self._client.send(self)

    def pause(self, error: ServiceError) -> float:
        """Return the seconds to wait after a failed attempt; none after a refused field, of which there are few."""
        return 0.0 if isinstance(error, _FieldRefusedError) else self._attempts.pause(error)


class ChatClient(Server):
    """A connection to one server of chat models, for many requests at once; an asynchronous context manager.

    Parameters are those of `Server`. If the server refuses the first requests by status 400 or 422 because of
    ``response_format`` or ``temperature``, later ones are sent without that field; ``max_tokens`` is called
    ``max_completion_tokens`` where the server wants that name.
    """

    _timeout_seconds = 60.0
    _most_bytes = 16 * 2**20  # an answer takes a few kilobytes
    _client: "openai.AsyncOpenAI | None" = None

    @cached_property
    def _unwanted(self) -> dict[tuple[str, bool], frozenset[str]]:
        """Fields to leave out, by model and whether no reply format is requested; known after its first answer."""
        return {}

    async def __aenter__(self) -> Self:
        import openai

        from guidedrec_core.llm.http import BoundedAsyncClient

        bounded = BoundedAsyncClient(self.base_url, self._most_bytes, self._most_seconds or self.timeout_seconds)
        self._client = openai.AsyncOpenAI(**self._settings(), http_client=bounded)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    def call(
        self,
        messages: list[dict[str, str]],
        model: str,
        reply_format: dict[str, Any] | None,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> _Call:
        """Prepare a request whose attempts the caller sends and accounts for one by one; see `complete`."""
        wanted = {"response_format": reply_format, "temperature": temperature, "max_tokens": max_tokens}
        return _Call(self, messages, model, wanted, self._attempts())

    async def complete(
        self,
        messages: list[dict[str, str]],
        model: str,
        reply_format: dict[str, Any] | None,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> ChatReply:
        """Return one answer, after as many attempts as the policy allows; use it inside ``async with``.

        Parameters
        ----------
        messages : list of dict
            ``role`` and ``content`` each.
        model : str
            The server's name of the model.
        reply_format : dict or None
            ``response_format``; answers may differ from it, because many servers ignore it.
        max_tokens : int
            Longer answers are cut off.
        temperature : float
            0 requests the likeliest answer.

        Raises
        ------
        ConfigError
            The key is refused, or the model or address unknown.
        RequestRefusedError
            The server refuses this request, e.g. because it is too long.
        ServiceError
            No answer, an error the server reports, or something other than an answer of a chat model.
        """
        return await until_answered(self.call(messages, model, reply_format, max_tokens, temperature))

    async def send(self, call: _Call) -> ChatReply:
        """Send a request once; errors as in `complete`."""
        import httpx2
        import openai

        assert self._client is not None, "use `async with ChatClient(...)`"
        kind = call.model, call.wanted["response_format"] is None
        known = self._unwanted.get(kind)
        unwanted = call.unwanted if known is None else known
        fields = {"model": call.model, "messages": call.messages, **chat_fields(call.wanted, unwanted)}
        with self._explained(call.model):
            try:
                # Like the SDK's chat.completions.create, without its models of request and answer, which take half of
                # its time and reject what some servers send.
                response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=fields)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                # After one answer the fields are known to be right, and another refusal is about the content.
                blamed = None if known is not None else blamed_field(error.param, str(error), fields)
                if blamed is None:
                    raise
                call.unwanted = unwanted | {blamed}
                raise _FieldRefusedError(
                    f"{self.base_url} wants no {blamed} ({self._reason(error)})", transient=True, may_be_billed=False
                ) from None
            self._unwanted[kind] = unwanted
            return self._reply(response)

    def _reply(self, response: "httpx2.Response") -> ChatReply:
        """Read an answer."""
        body = response.json()
        try:
            return ChatReply.read(body, response.headers.get("x-request-id"))
        except NoReplyError as error:
            said = self._clean(str(error))
            raise ServiceError(
                f"expected the answer of a chat model from {self.base_url}, got something else"
                f"{f' ({said})' if said else ''}; is the model one for chat, and does --base-url end "
                "as the server wants it, usually in /v1?",
                tokens=counted_tokens(body),
            ) from None


class BatchClient(_SynchronousServer):
    """A connection to one server's Batch API: many requests in one file, answered within a day.

    Parameters are those of `Server`; `create` is never retried. All methods raise `ConfigError` when the key is refused
    or there is no Batch API, `RequestRefusedError` when the server refuses what is sent, and `ServiceError` without an
    answer, or when the server reports an error.
    """

    _timeout_seconds = 600.0
    _most_bytes = 2 * 2**30  # the answers of a whole batch
    _most_seconds = 7200.0  # for such a file, over a slow line

    def upload(self, file: IO[bytes]) -> str:
        """Upload a file of requests, one per line; return the server's name of it."""

        def ask(client: "openai.OpenAI") -> Any:
            file.seek(0)  # an earlier attempt may have read it
            sent = client.files.with_raw_response.create(file=("guidedrec.jsonl", file), purpose="batch")
            return sent.http_response.json()

        return self._read(self._persist(ask)).id

    def create(self, file: str) -> RemoteBatch:
        """Make a batch of an uploaded file, which the server then answers.

        Even without an answer the server may have made it; look with `find` before another attempt.
        """

        def ask(client: "openai.OpenAI") -> Any:
            make = client.batches.with_raw_response.create
            made = make(input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h")
            return made.http_response.json()

        return self._read(self._persist(ask, NEVER))

    def find(self, file: str) -> RemoteBatch | None:
        """Return the batch that was made of an uploaded file, if there is one."""

        def ask(client: "openai.OpenAI") -> Any:
            return next((batch for batch in _listed(client) if batch.get("input_file_id") == file), None)

        found = self._persist(ask)
        return None if found is None else self._read(found)

    def look(self, batch: str) -> RemoteBatch | None:
        """Return how far a batch is; None when the server does not know it."""
        import openai

        def ask(client: openai.OpenAI) -> Any:
            with suppress(openai.NotFoundError):
                return client.batches.with_raw_response.retrieve(batch).http_response.json()
            return _UNKNOWN

        found = self._persist(ask)
        return None if found is _UNKNOWN else self._read(found)

    def cancel(self, batch: str) -> None:
        """End a batch early; what is answered by then can be read as soon as it has ended."""
        import openai

        def ask(client: openai.OpenAI) -> None:
            with suppress(openai.ConflictError, openai.NotFoundError):  # it has ended already, or is unknown
                client.batches.with_raw_response.cancel(batch)

        self._persist(ask, _CANCELLING)

    def lines(self, file: str) -> Iterator[BatchLine]:
        """Yield results of requests from one of the files of a `RemoteBatch`; lines without a request are skipped."""
        content = self._persist(lambda client: client.files.content(file).content)
        for line in io.BytesIO(content):
            if (read := BatchLine.read(line)) is not None:
                yield read

    def _persist(self, ask: "Callable[[openai.OpenAI], Answer]", policy: RetryPolicy | None = None) -> Answer:
        """Send until there is an answer."""

        def send() -> Answer:
            with self._explained("its Batch API", "has no Batch API, or not what was asked for"):
                return ask(self._connected())

        return persist(send, self._attempts(policy))

    def _read(self, body: Any) -> RemoteBatch:
        """Read the state of a batch from an answer."""
        try:
            found = RemoteBatch.read(body)
        except NoReplyError:
            raise ServiceError(
                f"expected the answer of a Batch API from {self.base_url}, got something else; does it have one, and "
                "does --base-url end as the server wants it, usually in /v1?"
            ) from None
        return replace(found, errors=tuple((code, self._clean(message)) for code, message in found.errors))


def _listed(client: "openai.OpenAI") -> Iterator[dict[str, Any]]:
    """Yield all batches of a server, page by page."""
    after: dict[str, Any] = {}
    while True:
        page = client.batches.with_raw_response.list(limit=100, **after).http_response.json()
        listed = page.get("data") if isinstance(page, dict) else None
        batches = [batch for batch in listed if isinstance(batch, dict)] if isinstance(listed, list) else []
        yield from batches
        last = batches[-1].get("id") if batches else None
        if not isinstance(last, str) or page.get("has_more") is False or after == {"after": last}:
            return
        after = {"after": last}
