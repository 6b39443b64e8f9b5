"""A loopback server with a Batch API: files, batches that take some looks to end, and behaviours as told."""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from chat_server import KEY, Answer, Model, Request, failing, scorer, send
from web import serving

Line = dict[str, Any]
OVER = ("completed", "failed", "expired", "cancelled")
Hook = Callable[[], Answer | None]


@dataclass
class Behaviour:
    """What becomes of a batch."""

    looks: int = 1
    """Looks at it until it has ended."""
    status: str = "completed"
    answered: int | None = None
    """Requests that are answered, the first ones; the others end with the batch. None is all."""
    errors: tuple[dict[str, Any], ...] = ()
    """Why it is refused as a whole, with status `failed`."""
    silent: bool = False
    """Say nothing of requests that were not answered, not even in the error file."""
    order: Callable[[list[Line]], list[Line]] = list
    """Puts the answers in another order, or loses some."""


@dataclass
class Batch:
    """A batch as the server knows it."""

    id: str
    file: str
    behaviour: Behaviour
    lines: list[Line]
    looks: int = 0
    status: str = "validating"
    outputs: dict[str, str] = field(default_factory=dict)


class BatchServer(ThreadingHTTPServer):
    """Answers batches with `model`, each as the next of `behaviours` says, then as the last one; notes what happens."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.model: Model = scorer
        self.behaviours: list[Behaviour] = [Behaviour()]
        self.before: dict[str, list[Hook]] = {}
        """What happens instead of the next calls, by ``METHOD /path`` with ``*`` for names; nothing if it says so."""
        self.after: dict[str, list[Hook]] = {}
        """The same when the call is done, instead of the answer."""
        self.watch: Callable[[str], None] = lambda call: None
        """Hears of every call before it is done and after."""
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}
        self.calls: list[str] = []
        self.beside: list[int] = []
        """How many batches had not ended when each one was made."""
        self.paid: list[Request] = []
        """Requests that were answered, and so paid for."""
        self.numbers = itertools.count(1)
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that hang up."""

    def remember(self, other: "BatchServer") -> None:
        """Know what another server knew, as after a restart."""
        self.model, self.behaviours, self.paid, self.calls = other.model, other.behaviours, other.paid, other.calls
        self.files, self.batches, self.numbers = other.files, other.batches, other.numbers

    def happens(self, hooks: dict[str, list[Hook]], call: str) -> Answer | None:
        """Do what is to happen at a call."""
        return hooks[call].pop(0)() if hooks.get(call) else None

    def do(self, call: str, name: str, data: bytes) -> Answer:
        """Do what is asked."""
        with self.guard:
            self.calls.append(call)
            if call == "POST /files":
                found = re.search(rb'filename="([^"]*\.jsonl)".*?\r\n\r\n(.*)\r\n--', data, re.DOTALL)
                assert found is not None
                assert b'name="purpose"\r\n\r\nbatch' in data
                file = f"file-{next(self.numbers)}"
                self.files[file] = found[2]
                return Answer({"id": file, "object": "file", "purpose": "batch", "bytes": len(found[2])})
            if call == "POST /batches":
                return self._create(json.loads(data))
            if call == "GET /batches":
                listed = [self._state(batch) for batch in reversed(self.batches.values())]
                return Answer({"object": "list", "data": listed, "has_more": False})
            if call == "GET /files/*/content":
                return Answer(self.files[name]) if name in self.files else failing(404, f"No such file {name}")
            batch = self.batches.get(name)
            if batch is None:
                return failing(404, f"No batch found with id '{name}'")
            if call == "POST /batches/*/cancel":
                return self._cancel(batch)
            batch.looks += 1
            if batch.status not in OVER:
                batch.status = "cancelling" if batch.status == "cancelling" else "in_progress"
                if batch.looks >= batch.behaviour.looks:
                    self._finish(batch)
            return Answer(self._state(batch))

    def _create(self, asked: Request) -> Answer:
        assert (asked["endpoint"], asked["completion_window"]) == ("/v1/chat/completions", "24h")
        if asked["input_file_id"] not in self.files:
            return failing(400, "Cannot find file")
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert len({line["custom_id"] for line in lines}) == len(lines)
        assert all((line["method"], line["url"]) == ("POST", "/v1/chat/completions") for line in lines)
        batch = Batch(f"batch_{next(self.numbers)}", asked["input_file_id"], behaviour, lines)
        self.beside.append(sum(other.status not in OVER for other in self.batches.values()))
        self.batches[batch.id] = batch
        return Answer(self._state(batch))

    def _cancel(self, batch: Batch) -> Answer:
        if batch.status in OVER:
            return failing(409, "Cannot cancel a batch that has ended")
        batch.status = "cancelling"
        return Answer(self._state(batch))

    def _finish(self, batch: Batch) -> None:
        """End a batch: answer what is answered, and give reasons for the rest."""
        told = batch.behaviour
        batch.status = "cancelled" if batch.status == "cancelling" else told.status
        if batch.status == "failed":
            return
        answered: list[Line] = []
        failed: list[Line] = []
        for place, line in enumerate(batch.lines):
            if told.answered is not None and place >= told.answered:
                word = f"batch_{batch.status}"
                failed.append(
                    {"custom_id": line["custom_id"], "response": None, "error": {"code": word, "message": ""}}
                )
                continue
            answer = self.model(line["body"])
            response = {"status_code": answer.status, "request_id": f"req-{place}", "body": answer.body}
            (answered if answer.status == 200 else failed).append(
                {"id": f"batch_req_{place}", "custom_id": line["custom_id"], "response": response, "error": None}
            )
            if answer.status == 200:
                self.paid.append(line["body"])
        files = {"output_file_id": told.order(answered), "error_file_id": [] if told.silent else failed}
        for name, lines in files.items():
            if lines:
                file = f"file-{next(self.numbers)}"
                self.files[file] = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
                batch.outputs[name] = file

    def _state(self, batch: Batch) -> dict[str, Any]:
        errors = {"object": "list", "data": list(batch.behaviour.errors)} if batch.status == "failed" else None
        done = len(batch.lines) if batch.outputs else 0
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "created_at": 1,
            "input_file_id": batch.file,
            "status": batch.status,
            "errors": errors,
            "request_counts": {"total": len(batch.lines), "completed": done, "failed": 0},
            **batch.outputs,
        }

    def end_all(self) -> None:
        """Let all batches end, whether somebody looks at them or not."""
        for batch in self.batches.values():
            if batch.status not in OVER:
                self._finish(batch)

    def requests(self) -> list[Request]:
        """All requests of all batches, in order."""
        return [line["body"] for batch in self.batches.values() for line in batch.lines]


class _Handler(BaseHTTPRequestHandler):
    server: BatchServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._do("GET")

    def do_POST(self) -> None:
        self._do("POST")

    def _do(self, method: str) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0].removeprefix("/v1")
        named = re.fullmatch(r"/(files|batches)/([^/]+)(/\w+)?", path)
        call = f"{method} /{named[1]}/*{named[3] or ''}" if named else f"{method} {path}"
        self.server.watch(call)
        answer = self.server.happens(self.server.before, call)
        if answer is None:
            answer = self.server.do(call, named[2] if named else "", data)
            answer = self.server.happens(self.server.after, call) or answer
        self.server.watch(call)
        send(self, answer)


@pytest.fixture
def batch_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr("guidedrec_core.llm.retry.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("guidedrec_core.scoring.batch.scorer._FIRST_PAUSE", 0.01)
    monkeypatch.setattr("guidedrec_core.scoring.batch.scorer._LONGEST_PAUSE", 0.02)
    monkeypatch.setattr("guidedrec_core.scoring.batch.session._TICK_SECONDS", 0.01)
    with serving(BatchServer()) as server:
        yield server
