"""What a chat model is to all who ask one: `client.ChatClient`, or whatever stands in for it."""

from typing import Any, Protocol

from guidedrec_core.errors import ServiceError
from guidedrec_core.llm.protocol import ChatReply


class ChatCall(Protocol):
    """One question to a chat model, sent an attempt at a time."""

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
        """Return the seconds to wait after a failed attempt; raise `ServiceError` when there is to be no other."""
        ...


class Chat(Protocol):
    """What answers."""

    def call(
        self,
        messages: list[dict[str, str]],
        model: str,
        reply_format: dict[str, Any] | None,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> ChatCall:
        """Prepare a question; nothing is sent."""
        ...

    async def complete(
        self,
        messages: list[dict[str, str]],
        model: str,
        reply_format: dict[str, Any] | None,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> ChatReply:
        """Ask for one answer, in as many attempts as the retry policy allows."""
        ...
