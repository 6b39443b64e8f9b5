"""The client of chat models against a real server on this machine, through the real SDK."""

import asyncio
import gzip
import json
import logging
import socket
import time
from typing import Any

import pytest
from chat_server import KEY, Answer, ChatServer, chat_server, failing, said, unsupported  # noqa: F401

from guidedrec_core.errors import ConfigError, GuidedrecError, RequestRefusedError, ServiceError
from guidedrec_core.llm.client import ChatClient, ChatReply
from guidedrec_core.llm.retry import NEVER, RetryPolicy

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Zoë 🏕?"}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}}}


def ask(server: ChatServer, times: int = 1, retries: int = 0, **more: Any) -> list[ChatReply]:
    """Ask for some answers, one after the other."""
    settings = {"model": "small", "reply_format": FORMAT, "max_tokens": 99} | more

    async def work() -> list[ChatReply]:
        async with ChatClient(server.url, retry=RetryPolicy(retries=retries), timeout_seconds=2) as client:
            return [await client.complete(MESSAGES, **settings) for _ in range(times)]

    return asyncio.run(work())


def test_an_answer_is_read(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [Answer(said("hello", tokens=(12, 3)), headers={"x-request-id": "req-7"})]
    assert ask(chat_server) == [ChatReply("hello", None, "stop", 12, 3, "req-7")]
    (asked,) = chat_server.asked
    assert asked == {
        "path": "/v1/chat/completions",
        "messages": MESSAGES,
        "model": "small",
        "response_format": FORMAT,
        "max_tokens": 99,
        "temperature": 0.0,
    }
    assert chat_server.headers[0]["authorization"] == f"Bearer {KEY}"


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (without(said("hi"), "usage", "id"), ChatReply("hi", None, "stop", 0, 0, "")),
        (said("hi") | {"usage": None}, ChatReply("hi", None, "stop", 0, 0, "chatcmpl-1")),
        (said("hi") | {"usage": {"prompt_tokens": None}}, ChatReply("hi", None, "stop", 0, 0, "chatcmpl-1")),
        (said(None, refusal="I must not"), ChatReply(None, "I must not", "stop", 100, 50, "chatcmpl-1")),
        (said("{", finish_reason="length"), ChatReply("{", None, "length", 100, 50, "chatcmpl-1")),
        ({"choices": [{"message": {"content": "hi"}}]}, ChatReply("hi", None, "", 0, 0, "")),
        (
            {"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}]},
            ChatReply("ab", None, "", 0, 0, ""),
        ),
    ],
)
def test_what_servers_leave_out_or_say_otherwise_is_no_error(
    body: Any,
    expected: ChatReply,
    chat_server: ChatServer,  # noqa: F811
) -> None:
    chat_server.queue = [Answer(body)]
    assert ask(chat_server) == [expected]


def test_a_key_that_a_server_repeats_and_halves_of_characters_are_taken_out(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [Answer(said(f"key {KEY} \ud800!"), headers={"x-request-id": f"r-{KEY}"})]
    (reply,) = ask(chat_server)
    assert (reply.text, reply.request_id) == ("key *** ?!", "r-***")


@pytest.mark.parametrize(
    "passing",
    [
        failing(503, "busy"),
        failing(500),
        failing(429, "slow down"),
        failing(429, "slow down", Retry_After="0.01"),
        Answer(hang_up=True),
        Answer(said("hello"), cut=20),
    ],
    ids=["503", "500", "429", "429 with Retry-After", "hang up", "broken off"],
)
def test_passing_failures_are_tried_again(passing: Answer, chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [passing, passing]
    assert ask(chat_server, retries=2)[0].text == "hello"
    assert len(chat_server.asked) == 3


def test_the_sdk_sends_nothing_again_by_itself(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.model = lambda request: failing(503)
    with pytest.raises(ServiceError):
        ask(chat_server, retries=0)
    assert len(chat_server.asked) == 1
    with pytest.raises(ServiceError, match=r"\(3 attempts failed\)$"):
        ask(chat_server, retries=2)
    assert len(chat_server.asked) == 4
    assert {headers["x-stainless-retry-count"] for headers in chat_server.headers} == {"0"}


def test_an_attempt_is_sent_once_and_says_what_became_of_it(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [failing(503, Retry_After="7"), failing(400, "response_format?"), Answer(said("hello"))]

    async def work() -> list[Any]:
        async with ChatClient(chat_server.url) as client:
            call = client.call(MESSAGES, "small", FORMAT, 99)
            found: list[Any] = []
            for _ in range(3):
                try:
                    found.append((await call.attempt()).text)
                except ServiceError as error:
                    found.append((error.transient, error.retry_after, error.may_be_billed, call.pause(error)))
            return found

    busy, refused, text = asyncio.run(work())
    assert busy[:3] == (True, 7.0, False)
    assert 7.0 <= busy[3] <= 7.7
    assert refused == (True, None, False, 0.0)  # without the field, at once
    assert text == "hello"
    assert ["response_format" in request for request in chat_server.asked] == [True, True, False]


def test_the_pause_that_a_server_names_is_kept(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [failing(429, Retry_After="0.3"), failing(429)]
    ask(chat_server, retries=2)
    first, second, third = chat_server.times
    assert second - first >= 0.3
    assert third - second < 0.3


def failure(server: ChatServer, kind: type[GuidedrecError], retries: int = 0) -> str:
    with pytest.raises(kind) as caught:
        ask(server, retries=retries)
    message = str(caught.value)
    assert server.url in message
    assert "\n" not in message
    assert KEY not in message
    assert type(caught.value) is kind
    return message


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, ConfigError, "refused the key (401: no: ***); set OPENAI_API_KEY to one that may use small"),
        (404, ConfigError, "knows no model 'small', or no such request (404: no: ***)"),
        (413, RequestRefusedError, "answered with an error (413: no: ***)"),
        (429, ServiceError, "allows no more requests at present (429: no: ***)"),
        (500, ServiceError, "answered with an error (500: no: ***)"),
    ],
)
def test_errors_are_explained_without_the_key(
    status: int,
    kind: type[GuidedrecError],
    words: str,
    chat_server: ChatServer,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    chat_server.queue = [failing(status, f"no: {KEY}")]
    assert words in failure(chat_server, kind)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"choices": [', "gave an answer that cannot be read"),
        (b"[" * 100_000, "gave an answer that cannot be read"),
        (b'{"usage": {"prompt_tokens": ' + b"9" * 5000 + b"}}", "gave an answer that cannot be read"),
        ("<html>Welcome</html>", "gave an answer that cannot be read"),
        ({"error": {"message": f"no credit {KEY}"}}, "expected the answer of a chat model from"),
        ({"choices": []}, "is the model one for chat, and does --base-url end"),
        ({"choices": [{"message": None}]}, "expected the answer of a chat model"),
        ([1], "expected the answer of a chat model"),
    ],
)
def test_what_is_no_answer_of_a_chat_model_is_refused(body: Any, words: str, chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [Answer(body)]
    assert words in failure(chat_server, ServiceError)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(said("x" * 10_000)),
        Answer("x" * 10_000, 500),
        Answer(gzip.compress(json.dumps(said("x" * 10_000)).encode()), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["plain", "error", "packed"],
)
def test_an_answer_of_any_size_is_not_read(
    answer: Answer,
    chat_server: ChatServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ChatClient, "_most_bytes", 2000)
    chat_server.queue = [answer]
    assert "expected an answer of at most 0 MiB from" in failure(chat_server, ServiceError, retries=3)
    assert len(chat_server.asked) == 1


def test_packed_answers_are_read(chat_server: ChatServer) -> None:  # noqa: F811
    packed = gzip.compress(json.dumps(said("hello")).encode())
    chat_server.queue = [Answer(packed, headers={"Content-Encoding": "gzip"})]
    assert ask(chat_server)[0].text == "hello"


def test_an_answer_that_drips_is_given_up(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.model = lambda request: Answer(said("hello"), drip=0.05)

    async def work() -> None:
        async with ChatClient(chat_server.url, retry=NEVER, timeout_seconds=0.4) as client:
            await client.complete(MESSAGES, "small", None, 9)

    begun = time.monotonic()
    with pytest.raises(ServiceError, match=r"gave no answer within 0\.4 s"):
        asyncio.run(work())
    assert time.monotonic() - begun < 5  # the whole would take 15


@pytest.mark.parametrize("usage", [{"prompt_tokens": 10**30}, {"prompt_tokens": 1, "completion_tokens": 10**9 + 1}])
def test_counts_that_cannot_be_are_refused(usage: dict[str, int], chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [Answer(said("hello") | {"usage": usage})]
    digits = len(str(max(usage.values())))
    assert f"(it counts tokens by a number of {digits} digits, where 1,000,000,000 are the most)" in failure(
        chat_server, ServiceError
    )


def test_a_server_that_is_not_there_or_says_nothing_is_named(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.queue = [Answer(said("late"), delay=0.5)]

    async def work(url: str) -> None:
        async with ChatClient(url, retry=NEVER, timeout_seconds=0.1) as client:
            await client.complete(MESSAGES, "small", None, 9)

    with pytest.raises(ServiceError, match=r"gave no answer within 0\.1 s"):
        asyncio.run(work(chat_server.url))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ServiceError, match=rf"{url} cannot be reached \(.*\); is the server running"):
        asyncio.run(work(url))


def picky(*unwanted: str, hint: bool = True) -> Any:
    """A model that takes some fields not."""

    def model(request: dict[str, Any]) -> Answer:
        for name in unwanted:
            if name in request:
                return unsupported(name) if hint else failing(400, "Bad Request")
        return Answer(said("hello"))

    return model


@pytest.mark.parametrize("hint", [True, False], ids=["named", "not named"])
def test_a_server_that_knows_no_response_format_is_asked_without_from_then_on(
    hint: bool,
    chat_server: ChatServer,  # noqa: F811
) -> None:
    chat_server.model = picky("response_format", hint=hint)
    assert [reply.text for reply in ask(chat_server, times=3)] == ["hello"] * 3
    assert ["response_format" in request for request in chat_server.asked] == [True, False, False, False]
    assert all(request["temperature"] == 0 for request in chat_server.asked)


def test_reasoning_models_get_the_fields_they_take(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.model = picky("max_tokens", "temperature")
    ask(chat_server, times=2)
    assert len(chat_server.asked) == 4
    last = chat_server.asked[-1]
    assert last["max_completion_tokens"] == 99
    assert last["response_format"] == FORMAT
    assert not {"max_tokens", "temperature"} & set(last)


def test_a_refusal_that_no_field_mends_leaves_the_fields_as_they_are(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.model = lambda request: failing(400, "maximum context length is 10 tokens")

    async def work() -> None:
        async with ChatClient(chat_server.url, retry=NEVER) as client:
            for _ in range(2):
                with pytest.raises(RequestRefusedError, match="maximum context length"):
                    await client.complete(MESSAGES, "small", FORMAT, 9)
            chat_server.model = lambda request: Answer(said("hello"))
            await client.complete(MESSAGES, "small", FORMAT, 9)
            chat_server.model = lambda request: failing(400, "maximum context length is 10 tokens")
            before = len(chat_server.asked)
            with pytest.raises(RequestRefusedError):
                await client.complete(MESSAGES, "small", FORMAT, 9)
            assert len(chat_server.asked) == before + 1  # the fields have proved right

    asyncio.run(work())
    assert "response_format" in chat_server.asked[-1]


def test_many_are_asked_at_once(chat_server: ChatServer) -> None:  # noqa: F811
    chat_server.model = lambda request: Answer(said("hello"), delay=0.2)

    async def work() -> None:
        async with ChatClient(chat_server.url) as client:
            await asyncio.gather(*(client.complete(MESSAGES, "small", None, 9) for _ in range(16)))

    started = time.monotonic()
    asyncio.run(work())
    assert chat_server.busiest == 16
    assert time.monotonic() - started < 16 * 0.2


def test_a_client_holds_no_key_and_serves_again_after_its_end(chat_server: ChatServer) -> None:  # noqa: F811
    client = ChatClient(chat_server.url, retry=NEVER)

    async def work() -> str:
        async with client:
            await client.complete(MESSAGES, "small", None, 9)
            return str(vars(client))

    assert KEY not in asyncio.run(work())
    assert KEY not in asyncio.run(work())
    assert KEY not in str(vars(client))
