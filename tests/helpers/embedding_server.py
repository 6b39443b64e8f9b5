"""A loopback server of embeddings that speaks OpenAI's protocol and behaves as told."""

import hashlib
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from web import serving

KEY = "sk-secret-of-the-tests"


def vector(text: str) -> list[float]:
    """The vector this server gives a text: four numbers that float32 holds exactly."""
    return [float(byte) for byte in hashlib.sha256(text.encode()).digest()[:4]]


def embeddings(texts: list[str]) -> dict[str, Any]:
    """A right answer, its rows in another order than the texts."""
    rows = [{"object": "embedding", "index": place, "embedding": vector(text)} for place, text in enumerate(texts)]
    return {"object": "list", "data": rows[::-1], "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}


class EmbeddingServer(ThreadingHTTPServer):
    """Answers with `reply`, after the answers in `queue`; notes what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.queue: list[tuple[int, Any]] = []
        """Status and body of the next answers: text is sent as HTML, bytes as if they were JSON."""
        self.reply: Callable[[list[str]], Any] = embeddings

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that hang up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: EmbeddingServer

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({"path": self.path, **body})
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        status, answer = self.server.queue.pop(0) if self.server.queue else (200, self.server.reply(body["input"]))
        data = answer if isinstance(answer, bytes) else answer.encode() if isinstance(answer, str) else _json(answer)
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _json(answer: Any) -> bytes:
    return json.dumps(answer).encode()


@pytest.fixture
def embedding_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr("guidedrec_core.llm.retry.FIRST_PAUSE", 0.01)
    with serving(EmbeddingServer()) as server:
        yield server
