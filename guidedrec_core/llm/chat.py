"""What a chat model is to all who ask one: `client.ChatClient`, or whatever stands in for it."""

from typing import Any, Protocol

from guidedrec_core.llm.protocol import ChatReply


class Chat(Protocol):
    """What answers: `guidedrec_core.llm.client.ChatClient`, or whatever stands in for it."""

    async def complete(
        self,
        messages: list[dict[str, str]],
        model: str,
        reply_format: dict[str, Any] | None,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> ChatReply:
        """Ask for one answer."""
        ...
