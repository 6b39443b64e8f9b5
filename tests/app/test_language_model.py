"""Asking a language model while somebody looks on: one more attempt where a failure passes, and no long pauses."""

import time

import pytest
from chat_server import Answer, ChatServer, chat_server, failing, said  # noqa: F401

from guidedrec_core.app.case_study.language_model import ask
from guidedrec_core.errors import ServerBusyError, ServiceError
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.llm.protocol import ChatReply


async def question(client: ChatClient) -> ChatReply:
    return await client.complete([{"role": "user", "content": "hello?"}], "m", None, 9)


@pytest.mark.parametrize("passing", [failing(503), failing(429), Answer(hang_up=True)], ids=["503", "429", "dropped"])
def test_what_fails_once_is_sent_again(passing: Answer, chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [passing]
    assert ask(chat_server.url, question).text == "hello"
    assert len(chat_server.asked) == 2


def test_what_fails_twice_is_said(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.model = lambda request: failing(503, "busy")
    with pytest.raises(ServiceError, match=r"503: busy\) \(2 attempts failed\)"):
        ask(chat_server.url, question)
    assert len(chat_server.asked) == 2


def test_nobody_waits_for_a_minute(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [failing(429, Retry_After="60"), Answer(said("late"))]
    begun = time.monotonic()
    with pytest.raises(ServerBusyError, match="it wants no request for 60 s"):
        ask(chat_server.url, question)
    assert time.monotonic() - begun < 10
