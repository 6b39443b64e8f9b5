"""The client against a real server on this machine, through the real SDK: answers, errors, and the key kept secret."""

import socket
import time
from typing import Any

import numpy as np
import pytest
from embedding_server import KEY, EmbeddingServer, embedding_server, embeddings, vector  # noqa: F401

from guidedrec_core.errors import ConfigError, GuidedrecError, ServiceError
from guidedrec_core.llm.address import OPENAI_URL
from guidedrec_core.llm.client import LlmClient
from guidedrec_core.llm.retry import NEVER, RetryPolicy

TEXTS = ["a tent", "Zoë 🏕", "a stove"]


def embed(server: EmbeddingServer, retries: int = 0, texts: list[str] = TEXTS) -> np.ndarray:
    return LlmClient(server.url, retry=RetryPolicy(retries=retries)).embed(texts, "small")


def test_vectors_come_in_the_order_of_the_texts(embedding_server: EmbeddingServer) -> None:  # noqa: F811
    found = embed(embedding_server)
    assert found.dtype == np.float32
    assert found.tolist() == [vector(text) for text in TEXTS]
    (asked,) = embedding_server.asked
    assert asked == {"path": "/v1/embeddings", "input": TEXTS, "model": "small", "encoding_format": "float"}
    assert embedding_server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_a_server_that_numbers_no_rows_is_taken_at_its_order(embedding_server: EmbeddingServer) -> None:  # noqa: F811
    def unnumbered(texts: list[str]) -> Any:
        return {"object": "list", "data": [{"embedding": vector(text)} for text in texts]}

    embedding_server.reply = unnumbered
    assert embed(embedding_server).tolist() == [vector(text) for text in TEXTS]


def test_passing_failures_are_tried_again(embedding_server: EmbeddingServer) -> None:  # noqa: F811
    embedding_server.queue = [(503, {"error": {"message": "busy"}}), (429, {"error": {"message": "slow down"}})]
    assert embed(embedding_server, retries=2).shape == (3, 4)
    assert len(embedding_server.asked) == 3
    assert {headers["x-stainless-retry-count"] for headers in embedding_server.headers} == {"0"}
    embedding_server.queue = [(503, {"error": {"message": "busy"}})] * 9
    with pytest.raises(ServiceError, match=r"503: busy\) \(3 attempts failed\)$"):
        embed(embedding_server, retries=2)
    assert len(embedding_server.asked) == 6


def failure(server: EmbeddingServer, kind: type[GuidedrecError], retries: int = 0) -> str:
    with pytest.raises(kind) as caught:
        embed(server, retries)
    message = str(caught.value)
    assert server.url in message
    assert "\n" not in message
    assert KEY not in message
    return message


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, ConfigError, "refused the key (401: no: ***); set OPENAI_API_KEY to one that may use small"),
        (403, ConfigError, "refused the key (403: no: ***)"),
        (
            404,
            ConfigError,
            "knows no model 'small', or no such request (404: no: ***); check --model, and that",
        ),
        (400, ServiceError, "answered with an error (400: no: ***)"),
        (429, ServiceError, "allows no more requests at present (429: no: ***); wait, or raise"),
        (500, ServiceError, "answered with an error (500: no: ***)"),
    ],
)
def test_errors_of_the_server_are_explained_without_the_key(
    status: int,
    kind: type[GuidedrecError],
    said: str,
    embedding_server: EmbeddingServer,  # noqa: F811
) -> None:
    embedding_server.queue = [(status, {"error": {"message": f"no: {KEY}"}})]
    assert said in failure(embedding_server, kind)


def test_long_reasons_are_cut(embedding_server: EmbeddingServer) -> None:  # noqa: F811
    embedding_server.queue = [(400, {"error": {"message": "x" * 5000}})]
    assert len(failure(embedding_server, ServiceError)) < 500


def changed(**fields: Any) -> Any:
    """An answer whose rows all have other fields."""

    def reply(texts: list[str]) -> Any:
        right = embeddings(texts)
        return right | {"data": [row | fields for row in right["data"]]}

    return reply


def shorter_second(texts: list[str]) -> Any:
    right = embeddings(texts)
    right["data"][1]["embedding"] = [1.0]
    return right


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (lambda texts: embeddings(texts[1:]), "expected 3 vectors for 3 texts from .*, got 2; .*smaller --batch-size"),
        (lambda texts: embeddings([*texts, "x"]), "expected 3 vectors for 3 texts from .*, got 4"),
        (lambda texts: {"data": []}, "expected 3 vectors for 3 texts from .*, got 0"),
        (lambda texts: {"choices": []}, "expected vectors from .*, got something else; is it a server of embeddings"),
        (lambda texts: "<html>Welcome</html>", "gave an answer that cannot be read .*usually in /v1"),
        (lambda texts: [1], "expected vectors from .*, got something else; .*usually in /v1"),
        (changed(index="first"), r"expected vectors numbered 0 to 2 from .*, got \['first', 'first', 'first'\]"),
        (changed(index=0), r"expected vectors numbered 0 to 2 from .*, got \[0, 0, 0\]"),
        (changed(embedding=[]), "vectors of one length with finite numbers from .*, got others; is the model one for"),
        (changed(embedding=[1.0, float("nan")]), "vectors of one length with finite numbers"),
        (changed(embedding=[1.0, 10**400]), "vectors of one length with finite numbers"),
        (changed(embedding=None), "vectors of one length with finite numbers"),
        (changed(embedding="AAAA"), "vectors of one length with finite numbers"),
        (shorter_second, "vectors of one length with finite numbers"),
    ],
)
def test_answers_that_cannot_be_used_are_refused(
    reply: Any,
    said: str,
    embedding_server: EmbeddingServer,  # noqa: F811
) -> None:
    embedding_server.reply = reply
    with pytest.raises(ServiceError, match=said):
        embed(embedding_server)


def test_an_answer_that_is_no_json_though_it_says_so_is_refused(embedding_server: EmbeddingServer) -> None:  # noqa: F811
    embedding_server.queue = [(200, b'{"data": [')]
    assert "gave an answer that cannot be read" in failure(embedding_server, ServiceError)


def test_an_answer_of_any_size_or_depth_is_not_read(
    embedding_server: EmbeddingServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embedding_server.queue = [(200, b"[" * 100_000)]
    assert "gave an answer that cannot be read" in failure(embedding_server, ServiceError)
    monkeypatch.setattr(LlmClient, "_most_bytes", 100)
    assert "expected an answer of at most 0 MiB from" in failure(embedding_server, ServiceError, retries=2)


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ServiceError, match=rf"{url} cannot be reached \(.*refused.*\); is the server running"):
        LlmClient(url, retry=NEVER).embed(TEXTS, "small")


def test_a_server_that_does_not_answer_is_given_up(embedding_server: EmbeddingServer) -> None:  # noqa: F811
    def slow(texts: list[str]) -> Any:
        time.sleep(0.5)
        return embeddings(texts)

    embedding_server.reply = slow
    with pytest.raises(ServiceError, match=r"gave no answer within 0\.1 s; try again later"):
        LlmClient(embedding_server.url, retry=NEVER, timeout_seconds=0.1).embed(TEXTS, "small")


def test_openai_needs_a_key_and_a_server_of_ones_own_does_not(
    embedding_server: EmbeddingServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for blank in ("", "  "):
        monkeypatch.setenv("OPENAI_API_KEY", blank)
        with pytest.raises(ConfigError, match=rf"expected a key for {OPENAI_URL} in .* OPENAI_API_KEY; set it"):
            LlmClient()
    assert embed(embedding_server).shape == (3, 4)
    assert embedding_server.headers[0]["authorization"] == "Bearer none"


def test_the_address_comes_from_the_argument_else_the_environment_else_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert LlmClient().base_url == OPENAI_URL
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.org/v1/")
    assert LlmClient().base_url == "https://example.org/v1"
    assert LlmClient("http://localhost:1/v1").base_url == "http://localhost:1/v1"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://", "http://x:port/v1", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected a base URL such as http://localhost:8000/v1, got '"):
        LlmClient(url)


@pytest.mark.parametrize(
    "url", ["https://me:secret@x.org/v1", "https://secret@x.org/v1", "https://x.org/v1?key=secret"]
)
def test_secrets_in_an_address_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="without user, password and query; put the key into OPENAI_API_KEY") as error:
        LlmClient(url)
    assert "secret" not in str(error.value)


def test_a_client_holds_no_key(embedding_server: EmbeddingServer) -> None:  # noqa: F811
    client = LlmClient(embedding_server.url)
    assert KEY not in str(vars(client))
