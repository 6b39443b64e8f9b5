"""The interface of a chat model: `client.ChatClient`, or a substitute in tests."""

from typing import Any, Protocol

from guidedrec_core.errors import ServiceError
from guidedrec_core.llm.protocol import ChatReply


class ChatCall(Protocol):
    """One request to a chat model, sent one attempt at a time."""

    async def attempt(self) -> ChatReply:
        """Send it once.

        Raises
        ------
        ConfigError
            The key is refused, or the model or address unknown.
        ServiceError
            The attempt failed; `pause` says whether to make another.
        """
        ...

    def pause(self, error: ServiceError) -> float:
        """Return the seconds to wait after a failed attempt; raise `ServiceError` when there is none left."""
        ...


class Chat(Protocol):
    """A chat model."""

    def call(
        self,
        messages: list[dict[str, str]],
        model: str,
        reply_format: dict[str, Any] | None,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> ChatCall:
        """Prepare a request; nothing is sent."""
        ...

    async def complete(
        self,
        messages: list[dict[str, str]],
        model: str,
        reply_format: dict[str, Any] | None,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> ChatReply:
        """Return one answer, after as many attempts as the retry policy allows."""
        ...
