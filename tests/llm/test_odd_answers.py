"""Whatever a server answers is read or refused in one line: right answers with parts changed, by chance from a seed."""

import asyncio
import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from batch_server import BatchServer, batch_server  # noqa: F401
from chat_server import Answer, ChatServer, chat_server, said  # noqa: F401
from embedding_server import EmbeddingServer, embedding_server, embeddings  # noqa: F401

from guidedrec_core.errors import GuidedrecError
from guidedrec_core.llm.client import BatchClient, ChatClient, LlmClient
from guidedrec_core.llm.retry import NEVER

CASES = 60  # of each kind

BATCH = {
    "id": "batch_1",
    "status": "completed",
    "request_counts": {"total": 1, "completed": 1, "failed": 0},
    "errors": {"object": "list", "data": [{"code": "x", "message": "y"}]},
    "output_file_id": "file-2",
    "input_file_id": "file-1",
}
ODD = (None, True, 0, -1, 10**30, 10**400, 1.5, float("nan"), float("inf"), "", "x", "9" * 50, [], {}, [[1]], {"a": []})


def changed(draw: random.Random, right: Any) -> Any:
    """An answer of which some parts are others, or are missing; at times nothing like it."""
    if draw.random() < 0.1:
        return draw.choice(ODD)
    if isinstance(right, dict):
        return {key: changed(draw, value) for key, value in right.items() if draw.random() > 0.05}
    return [changed(draw, value) for value in right] if isinstance(right, list) else right


def answer(draw: random.Random, right: Any) -> Answer:
    body = changed(draw, json.loads(json.dumps(right)))
    status = draw.choice([200, 200, 200, 200, 400, 404, 409, 422, 429, 500])
    return Answer(json.dumps(body).encode(), status)


def refusal(ask: Callable[[], object]) -> str:
    """What an error says; empty when there was none."""
    try:
        ask()
    except GuidedrecError as error:
        return str(error)
    return ""


def check(refusals: list[str]) -> None:
    """Some answers were read, and others refused in one line."""
    said_ = [one for one in refusals if one]
    assert 0 < len(said_) < len(refusals)
    assert not [one for one in said_ if "\n" in one or len(one) > 1000]


def test_odd_vectors(embedding_server: EmbeddingServer) -> None:  # noqa: F811
    draw, client = random.Random(1), LlmClient(embedding_server.url, NEVER)
    found = []
    for _ in range(CASES):
        odd = answer(draw, embeddings(["a", "b"]))
        embedding_server.queue = [(odd.status, odd.body)]
        found.append(refusal(lambda: client.embed(["a", "b"], "m")))
    check(found)


def test_odd_chat(chat_server: ChatServer) -> None:  # noqa: F811
    draw = random.Random(2)

    async def ask(client: ChatClient) -> str:
        try:
            reply = await client.complete([{"role": "user", "content": "x"}], "m", {"type": "x"}, 9)
        except GuidedrecError as error:
            return str(error)
        assert 0 <= reply.prompt_tokens <= 10**9
        return ""

    async def work() -> list[str]:
        found = []
        async with ChatClient(chat_server.url, NEVER) as client:
            for _ in range(CASES):
                chat_server.queue = [answer(draw, said("hi"))] * 4
                found.append(await ask(client))
        return found

    check(asyncio.run(work()))


@pytest.mark.parametrize("call", ["GET /batches/*", "GET /batches", "POST /batches", "POST /files"])
def test_odd_batches(call: str, batch_server: BatchServer) -> None:  # noqa: F811
    draw, client = random.Random(3), BatchClient(batch_server.url, NEVER)
    asks: dict[str, Callable[[], object]] = {
        "GET /batches/*": lambda: client.look("batch_1"),
        "GET /batches": lambda: client.find("file-1"),
        "POST /batches": lambda: client.create("file-1"),
        "POST /files": lambda: client.upload(io.BytesIO(b"{}\n")),
    }
    right = {"data": [BATCH], "has_more": False} if call == "GET /batches" else BATCH
    found = []
    for _ in range(CASES):
        batch_server.before[call] = [lambda: answer(draw, right)]
        found.append(refusal(asks[call]))
    check(found)
