"""A loopback web server that behaves as told, for tests that download."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

import pytest

Server = TypeVar("Server", bound=ThreadingHTTPServer)


class FileServer(ThreadingHTTPServer):
    """Serves `files` by path, with ranges, and notes every request's path, Range and If-Range."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.requests: list[tuple[str, str | None, str | None]] = []
        self.etag: str | None = '"v1"'
        self.last_modified: str | None = None
        self.ranges = True
        self.sent: list[int] = []
        """Bytes of body that each answer was to have."""
        self.cuts: list[int] = []
        """The next answers break off after so many bytes of body."""
        self.status = 200
        """Anything but 200 is answered to every request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        server.requests.append((self.path, asked, condition))
        if self.path in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[self.path])
            self.end_headers()
            return
        body = server.files.get(self.path)
        if server.status != 200 or body is None:
            self.send_error(server.status if server.status != 200 else 404)
            return
        start, stop = 0, len(body)
        if asked and server.ranges and condition in (None, server.etag, server.last_modified):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1, len(body)) if last else len(body)
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(body)}")
        else:
            self.send_response(200)
        if server.etag:
            self.send_header("ETag", server.etag)
        if server.last_modified:
            self.send_header("Last-Modified", server.last_modified)
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        server.sent.append(stop - start)
        self.wfile.write(body[start:stop][: server.cuts.pop(0) if server.cuts else None])


@contextlib.contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Let a server answer from a thread of its own, and close it at the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def file_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(FileServer()) as server:
        yield server
