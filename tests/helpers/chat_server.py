"""A loopback server of a chat model that speaks OpenAI's protocol and behaves as told."""

import hashlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from web import serving

from guidedrec_core.scoring.recorded import read_listings

KEY = "sk-secret-of-the-tests"


@dataclass(frozen=True)
class Answer:
    """One answer of the server; the delay comes first."""

    body: Any = None
    """Text is sent as HTML, bytes as if they were JSON, all else as JSON."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds."""
    hang_up: bool = False
    """Close the connection without a word."""
    cut: int | None = None
    """Break off after so many bytes of body."""
    drip: float = 0.0
    """Seconds between single bytes of body."""


Request = dict[str, Any]
Model = Callable[[Request], Answer]
Score = Callable[[str, str], float]


def said(
    text: str | None, finish_reason: str = "stop", refusal: str | None = None, tokens: tuple[int, int] = (100, 50)
) -> dict[str, Any]:
    """The body of an answer: what the model said, and tokens of prompt and completion."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": message}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
    }


def failing(status: int, message: str = "no", **headers: str) -> Answer:
    """An error as OpenAI words it; a header's underscores stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer({"error": {"message": message, "type": "error", "param": None, "code": None}}, status, named)


def unsupported(parameter: str) -> Answer:
    """What OpenAI answers to a field that a model does not take."""
    message = f"Unsupported parameter: '{parameter}' is not supported with this model."
    return Answer({"error": {"message": message, "param": parameter, "code": "unsupported_parameter"}}, 400)


_ATTRIBUTE = re.compile(r"^- (\w+): ", re.MULTILINE)


def texts_in(request: Request) -> list[str]:
    """The listings in a request for scores, as the model reads them."""
    return read_listings(request["messages"][1]["content"])


def attributes_in(request: Request) -> list[str]:
    """The attributes that a request for scores asks for."""
    return _ATTRIBUTE.findall(request["messages"][0]["content"].partition("\n\nAttributes, each")[2].split("\n\n")[0])


def score_of(text: str, attribute: str) -> float:
    """The score this server gives: a whole number from 0 to 10 that depends on both words alone."""
    return hashlib.sha256(f"{attribute} of {text}".encode()).digest()[0] % 11


def scores(request: Request, score: Score = score_of) -> dict[str, Any]:
    """A right answer to a request for scores."""
    names = attributes_in(request)
    rows = [
        {"number": number, "scores": {name: score(text, name) for name in names}}
        for number, text in enumerate(texts_in(request), start=1)
    ]
    return {"items": rows}


def scorer(request: Request) -> Answer:
    """A model that scores as it should."""
    prompt = sum(len(message["content"]) for message in request["messages"]) // 4
    text = json.dumps(scores(request))
    return Answer(said(text, tokens=(prompt, len(text) // 3)))


class ChatServer(ThreadingHTTPServer):
    """Answers with the answers in `queue`, in order, then as `model` does; notes what was asked for."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model: Model = lambda request: Answer(said("hello"))
        self.queue: list[Answer | Model] = []
        self.asked: list[Request] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        """When each request came, in seconds of `time.monotonic`."""
        self.busy = 0
        self.busiest = 0
        """The most requests that were being answered at once."""
        self.guard = threading.Lock()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that hang up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, request: Request, headers: dict[str, str]) -> Answer:
        with self.guard:
            self.asked.append(request)
            self.headers.append(headers)
            self.times.append(time.monotonic())
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
            queued = self.queue.pop(0) if self.queue else None
        try:
            answer = queued if isinstance(queued, Answer) else (queued or self.model)(request)
            time.sleep(answer.delay)
        finally:
            with self.guard:
                self.busy -= 1
        return answer


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer waits for the client to confirm its head

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        send(self, self.server.answer({"path": self.path, **request}, headers))


def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Send an answer, or hang up, as it says."""
    if answer.hang_up:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
        return
    body = answer.body
    data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    handler.send_response(answer.status)
    handler.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
    handler.send_header("Content-Length", str(len(data)))
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    if answer.drip:
        for byte in data:
            handler.wfile.write(bytes([byte]))
            time.sleep(answer.drip)
        return
    handler.wfile.write(data[: answer.cut])
    if answer.cut is not None:
        handler.close_connection = True


@pytest.fixture
def chat_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    # The pause after a failure, in seconds, which a test need not sit out.
    monkeypatch.setattr("guidedrec_core.llm.retry.FIRST_PAUSE", 0.01)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Each client reads all certificates of the machine, which takes a tenth of a second; none is needed here.
    monkeypatch.setattr("httpx2._transports.default.create_ssl_context", lambda **_: context)
    with serving(ChatServer()) as server:
        yield server
