"""HTTP clients for the SDK that limit the size of an answer and the time to read it.

The SDK's own clients have no limit: a server that never stops, or whose answer unpacks to gigabytes, fills the memory.
"""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2

from guidedrec_core.errors import ServiceError

# As in the SDK's own clients. The SDK sets the timeout of each request.
_SETTINGS: dict[str, Any] = {
    "limits": httpx2.Limits(max_connections=1000, max_keepalive_connections=100),
    "follow_redirects": True,
}


class _Limits:
    """The limits of one answer's body."""

    def __init__(self, server: str, most_bytes: int, most_seconds: float) -> None:
        self._server = server
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._begun = time.monotonic()

    def check(self, size: int) -> None:
        """Check the limits when `size` bytes of the body have been read.

        Raises
        ------
        ServiceError
            The body is too large.
        httpx2.ReadTimeout
            Reading takes too long; the SDK handles it like any other timeout.
        """
        if size > self._most_bytes:
            raise ServiceError(
                f"expected an answer of at most {self._most_bytes / 2**20:,.0f} MiB from {self._server}, got more; "
                "is --base-url a language model server's?"
            )
        if time.monotonic() - self._begun > self._most_seconds:
            raise httpx2.ReadTimeout(f"no whole answer within {self._most_seconds:g} s")


class BoundedClient(httpx2.Client):
    """A synchronous client whose answers are bounded.

    Parameters
    ----------
    server : str
        Its address, for messages.
    most_bytes : int
        Largest body, unpacked.
    most_seconds : float
        Longest time from the head of an answer to its end.
    """

    def __init__(self, server: str, most_bytes: int, most_seconds: float) -> None:
        super().__init__(**_SETTINGS)
        self._bounds = server, most_bytes, most_seconds

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request and read the answer."""
        response = super().send(request, **{**options, "stream": True})
        try:
            return _whole(response, b"".join(self._parts(response)))
        finally:
            response.close()

    def _parts(self, response: httpx2.Response) -> Iterator[bytes]:
        limits, size = _Limits(*self._bounds), 0
        for part in response.iter_bytes():
            size += len(part)
            limits.check(size)
            yield part


class BoundedAsyncClient(httpx2.AsyncClient):
    """An asynchronous client whose answers are bounded, for many requests at once."""

    def __init__(self, server: str, most_bytes: int, most_seconds: float) -> None:
        super().__init__(**_SETTINGS)
        self._bounds = server, most_bytes, most_seconds

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request and read the answer."""
        response = await super().send(request, **{**options, "stream": True})
        try:
            return _whole(response, b"".join([part async for part in self._parts(response)]))
        finally:
            await response.aclose()

    async def _parts(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        limits, size = _Limits(*self._bounds), 0
        async for part in response.aiter_bytes():
            size += len(part)
            limits.check(size)
            yield part


def _whole(response: httpx2.Response, content: bytes) -> httpx2.Response:
    """Return a response with its unpacked body."""
    headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
    return httpx2.Response(
        response.status_code,
        headers=headers,
        content=content,
        request=response.request,
        extensions=response.extensions,
        history=response.history,
    )
