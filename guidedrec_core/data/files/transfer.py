"""Download one file over HTTP into a partial file that a later try can go on with."""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from guidedrec_core import __version__
from guidedrec_core.errors import DownloadError
from guidedrec_core.progress import Listener, StageProgress

_CHUNK = 1 << 18
_TIMEOUT_SECONDS = 30.0
_PAUSE_SECONDS = 0.5
_MEGABYTE = 1_000_000


def download(url: str, part: Path, stage: str, listener: Listener) -> bool:
    """Download a file, going on where an earlier try broke off.

    A cut connection is taken up again at once, as long as each try gets further. Bytes of an older version of the
    file are not used where the server tells versions apart (ETag or Last-Modified, sent back as If-Range).

    Parameters
    ----------
    url : str
        An http or https address; redirects are followed.
    part : pathlib.Path
        The partial file; complete when this returns. Until then ``<part>.json`` next to it says what it is a part of.
    stage : str
        Named in progress events.
    listener : Listener
        Receives bytes done and in all.

    Returns
    -------
    bool
        Whether bytes from an earlier call are part of the file.

    Raises
    ------
    DownloadError
        The server cannot be reached, refuses, or stops sending. What came so far is kept.
    OSError
        The disk refuses.
    """
    reused, furthest = True, _Part.open(part, url).size
    while True:
        state = _Part.open(part, url)
        reused = reused and state.size > 0
        outcome = _attempt(url, state, stage, listener)
        reused = reused and not outcome.anew
        if outcome.problem is None:
            state.note.unlink(missing_ok=True)
            return reused
        size = part.stat().st_size if part.exists() else 0
        if outcome.stale and furthest:
            furthest = 0  # nothing of what was there could be used: once more, from the start
        elif size <= furthest:
            kept = f"; {size:,} bytes are kept and the next try goes on from there" if size else ""
            raise DownloadError(f"cannot download {url} ({outcome.problem}){kept}")
        else:
            furthest = size
            time.sleep(_PAUSE_SECONDS)


@dataclass(frozen=True)
class _Outcome:
    """How one request ended: `anew` means it began at byte 0, `stale` that the partial file had to go."""

    problem: str | None = None
    anew: bool = False
    stale: bool = False


@dataclass(frozen=True)
class _Part:
    """A partial file: how much of it is there, and what the server said names its version."""

    path: Path
    size: int
    validator: str | None

    @property
    def note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @classmethod
    def open(cls, path: Path, url: str) -> "_Part":
        """Look at what is there; bytes from another address, or of unknown origin, count as none."""
        nothing = cls(path, 0, None)
        try:
            noted = json.loads(nothing.note.read_text(encoding="utf-8"))
            if noted["url"] == url:
                return cls(path, path.stat().st_size, noted["validator"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass
        return nothing

    def begin(self, url: str, headers: Message) -> None:
        """Start from byte 0, noting the version that the server names."""
        etag = headers.get("ETag")
        strong = etag if etag and not etag.startswith("W/") else None
        self.path.write_bytes(b"")
        noted = {"url": url, "validator": strong or headers.get("Last-Modified")}
        self.note.write_text(json.dumps(noted), encoding="utf-8")

    def discard(self) -> None:
        self.note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _attempt(url: str, part: _Part, stage: str, listener: Listener) -> _Outcome:
    """Make one request and take in what it brings."""
    request = urllib.request.Request(url, headers={"User-Agent": f"guidedrec/{__version__}"})
    if part.size:
        request.add_header("Range", f"bytes={part.size}-")
        if part.validator:
            request.add_header("If-Range", part.validator)
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not part.size:
            raise DownloadError(f"cannot download {url} (the server answered {error.code} {error.reason})") from error
        if error.headers.get("Content-Range", "").strip() == f"bytes */{part.size}":
            return _Outcome()  # the earlier call had all of it, and was stopped at the very end
        part.discard()
        return _Outcome("the server does not offer the rest of the file", stale=True)
    except (OSError, http.client.HTTPException) as error:
        return _Outcome(_reason(error))
    with response:
        if response.status == http.HTTPStatus.PARTIAL_CONTENT:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
            if span is None or int(span[1]) != part.size:
                part.discard()
                return _Outcome("the server does not offer the rest of the file", stale=True)
            total = None if span[2] == "*" else int(span[2])
            return _Outcome(_take(response, part.path, part.size, total, stage, listener))
        if response.status != http.HTTPStatus.OK:
            raise DownloadError(f"cannot download {url} (the server answered {response.status} {response.reason})")
        part.begin(url, response.headers)
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        return _Outcome(_take(response, part.path, 0, total, stage, listener), anew=True)


def _take(
    response: http.client.HTTPResponse, path: Path, done: int, total: int | None, stage: str, listener: Listener
) -> str | None:
    """Append the body to the file; return why it is not all there, or None."""
    progress = StageProgress(stage, total or 0, listener, done)
    of_all = f" of {total / _MEGABYTE:.1f}" if total else ""
    with path.open("ab") as file:
        while True:
            try:
                chunk = response.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                return _reason(error)
            if not chunk:
                return None if total in (None, progress.done) else "the connection was cut"
            file.write(chunk)
            progress.done += len(chunk)
            progress.say(f"{progress.done / _MEGABYTE:.1f}{of_all} MB")


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", error)
    return str(inner) or type(inner).__name__
