import asyncio
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores, read_scores
from guidedrec_core.config import ScoringConfig
from guidedrec_core.data.bundled import bundled_dataset, bundled_scores
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.llm.client import ChatClient, ChatReply
from guidedrec_core.llm.retry import NEVER
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.prompts import Listing, item_listings, messages, reply_format
from guidedrec_core.scoring.recorded import RECORDED, RecordedServer, read_listings, recorded_answers
from guidedrec_core.scoring.reply import parse_reply
from guidedrec_core.scoring.scorer import Scorer

NAN = float("nan")
SCHEMA = AttributeSchema(
    attributes=(Attribute(name="pace", low="slow", high="fast"), Attribute(name="depth", low="flat", high="deep"))
)
LISTINGS = [Listing("a", "title: Tent\nprice: 20"), Listing("b", "title: Tent"), Listing("c", "title: ‹odd› == x")]
ANSWERS = {"title: Tent\nprice: 20": {"pace": 1.0, "depth": 2.5}, "title: Tent": {"pace": 3.0}}


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def ask(url: str, request: list[dict[str, str]], reply: dict[str, Any] | None) -> ChatReply:
    async def asked() -> ChatReply:
        async with ChatClient(url, retry=NEVER) as client:
            return await client.complete(request, RECORDED, reply, max_tokens=500)

    return asyncio.run(asked())


def send(server: RecordedServer, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=5)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.parametrize("kind", ["item", "user"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_listings_are_read_out_of_a_prompt_as_they_were_put_in(kind: Any, count: int) -> None:
    prompt = messages(SCHEMA, LISTINGS[:count], kind)[-1]["content"]
    assert read_listings(prompt) == [listing.text for listing in LISTINGS[:count]]


def test_a_text_without_a_whole_fence_has_no_listings() -> None:
    prompt = messages(SCHEMA, LISTINGS, "item")[-1]["content"]
    assert read_listings("hello") == []
    assert read_listings(prompt[: prompt.index("end ===")]) == []


def test_what_is_recorded_is_found_by_the_text_of_a_listing() -> None:
    listings = [*LISTINGS, Listing("d", "title: Tent"), Listing("new", "title: Nobody scored this")]
    values = np.array([[NAN, NAN], [1, 2.5], [NAN, 7], [4, 5]], dtype=np.float32)
    answers = recorded_answers(listings, GuidedScores(values, SCHEMA), Vocabulary(["b", "a", "c", "d"], "item"))
    assert answers == {
        "title: Tent\nprice: 20": {"pace": 1.0, "depth": 2.5},
        "title: Tent": {"pace": 4.0, "depth": 5.0},
        "title: ‹odd› == x": {"depth": 7.0},
    }


def test_the_real_client_gets_the_scores_that_are_recorded_and_no_others() -> None:
    with RecordedServer(ANSWERS) as server:
        reply = ask(server.url, messages(SCHEMA, LISTINGS, "item"), reply_format(SCHEMA, 3))
    assert [entry["number"] for entry in json.loads(reply.text or "")["items"]] == [1]
    found = parse_reply(reply.text, 3, SCHEMA)
    assert found.scores == {1: (1.0, 2.5)}
    assert sorted(found.faults) == [2, 3]
    assert (reply.finish_reason, reply.refusal) == ("stop", None)
    assert reply.prompt_tokens > reply.completion_tokens > 0


def test_only_the_attributes_that_are_asked_for_are_answered() -> None:
    pace = SCHEMA.model_copy(update={"attributes": SCHEMA.attributes[:1]})
    with RecordedServer(ANSWERS) as server:
        reply = ask(server.url, messages(pace, LISTINGS, "item"), reply_format(pace, 3))
        unsaid = ask(server.url, messages(pace, LISTINGS, "item"), None)
    assert parse_reply(reply.text, 3, pace).scores == {1: (1.0,), 2: (3.0,)}
    assert json.loads(unsaid.text or "")["items"][0]["scores"] == {"pace": 1.0, "depth": 2.5}


def test_it_has_one_model_and_refuses_what_it_does_not_know() -> None:
    with RecordedServer(ANSWERS) as server:
        assert urlsplit(server.url).hostname == server.server_address[0] == "127.0.0.1"
        status, models = send(server, "GET", "/v1/models")
        assert (status, [model["id"] for model in models["data"]]) == (200, [RECORDED])
        chat = "/v1/chat/completions"
        hello = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()
        assert send(server, "GET", "/else")[0] == 404
        assert send(server, "POST", "/v1/embeddings", b"{}")[0] == 404
        for body in (b"{", b"[]", b"{}", b'{"messages": []}', b'{"messages": [1]}', hello, b"[" * 100_000):
            status, answer = send(server, "POST", chat, body)
            assert (status, set(answer)) == (400, {"error"})
        assert "no listings in the last message" in send(server, "POST", chat, hello)[1]["error"]["message"]
        assert send(server, "POST", chat, **{"Content-Length": "99999999999"})[0] == 413
        assert send(server, "POST", chat, **{"Content-Length": "-1"})[0] == 413


def test_it_stops_at_the_end_and_leaves_the_port() -> None:
    with RecordedServer({}) as server:
        port = server.server_port
    with pytest.raises(ConnectionRefusedError):
        send(server, "GET", "/v1/models")
    with RecordedServer({}, port) as again:
        assert again.server_port == port


def test_the_shop_is_scored_end_to_end_as_it_was_recorded(tmp_path: Path) -> None:
    files = bundled_scores("fernway")
    assert files is not None
    dataset, schema = bundled_dataset("fernway"), AttributeSchema.read(files.attributes)
    recorded, _ = read_scores(files.item_scores, schema, dataset.items)
    config = ScoringConfig(model=RECORDED, items_per_request=20, max_request_tokens=20_000, price=(1.0, 1.0))
    listings, _ = item_listings(dataset.catalogue, config.columns, config.max_characters)
    with (
        RecordedServer(recorded_answers(listings, recorded, dataset.items)) as server,
        ReplyCache(tmp_path / "replies.sqlite") as cache,
    ):
        result = Scorer(cache, schema, config, "item").run(listings, ChatClient(server.url))
    assert [listing.id for listing in listings] == list(dataset.items.ids)
    np.testing.assert_array_equal(result.values, recorded.values)
    assert (result.faults, result.stopped) == ({}, "")
    assert result.requests == 37  # 728 items, 20 at once
