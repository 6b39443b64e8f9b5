"""Structured answers: asked again with the reason, with more room after a cut, and given up after three."""

import asyncio
import json
from typing import Any

import pytest
from chat_server import Answer, ChatServer, chat_server, said

from guidedrec_core.errors import ConfigError, ServiceError
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.llm.structured import complete_structured, last_object

__all__ = ["chat_server"]

MESSAGES = [{"role": "system", "content": "Count."}, {"role": "user", "content": "How many?"}]
FORMAT: dict[str, Any] = {"type": "json_object"}


def read(reply: ChatReply) -> int:
    count = last_object(reply, "count")["count"]
    if not isinstance(count, int):
        raise ConfigError("expected a whole number")
    return count


def counted(server: ChatServer, *texts: str, finish_reason: str = "stop") -> int:
    server.queue = [
        Answer(said(text, finish_reason=finish_reason if n == 0 else "stop")) for n, text in enumerate(texts)
    ]

    async def ask() -> int:
        async with ChatClient(server.url) as client:
            return await complete_structured(
                client, MESSAGES, "m", FORMAT, 50, read, expected="a count", advice="count by hand"
            )

    return asyncio.run(ask())


def test_the_last_object_with_the_key_counts(chat_server: ChatServer) -> None:
    assert counted(chat_server, 'First {"count": 1}, no: {"count": 2}, {"other": 3}') == 2


def test_an_unusable_answer_is_returned_with_its_reason(chat_server: ChatServer) -> None:
    assert counted(chat_server, '{"count": "two"}', '{"count": 2}') == 2
    *first, answer, again = chat_server.asked[1]["messages"]
    assert first == MESSAGES
    assert answer == {"role": "assistant", "content": '{"count": "two"}'}
    assert again["content"] == "This cannot be used: expected a whole number. Answer again, with JSON alone."


def test_only_the_last_unusable_answer_is_returned(chat_server: ChatServer) -> None:
    assert counted(chat_server, "one", "two", '{"count": 2}') == 2
    assert [len(request["messages"]) for request in chat_server.asked] == [2, 4, 4]


def test_an_answer_that_was_cut_off_gets_more_room_and_no_reproach(chat_server: ChatServer) -> None:
    assert counted(chat_server, '{"cou', '{"count": 2}', finish_reason="length") == 2
    first, second = chat_server.asked
    assert second["messages"] == MESSAGES
    assert [request.get("max_tokens") or request["max_completion_tokens"] for request in (first, second)] == [50, 200]


def test_three_unusable_answers_are_an_error_that_says_what_to_do(chat_server: ChatServer) -> None:
    expected = r"expected a count from m, got none in 3 answers \(the last: no JSON with count\); count by hand"
    with pytest.raises(ServiceError, match=expected):
        counted(chat_server, *[json.dumps({"other": 1})] * 3)
