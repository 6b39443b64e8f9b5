"""A file on a web server as a file one can seek in: a few members of a large archive without all of its bytes."""

import http.client
import io
import re
import urllib.error
import urllib.request
from collections.abc import Callable

from guidedrec_core import __version__
from guidedrec_core.errors import DownloadError

_TIMEOUT_SECONDS = 30.0
_BLOCK = 1 << 20


class NoRangesError(DownloadError):
    """The server sends whole files only."""


class RangedFile(io.RawIOBase):
    """Reads parts of a file over HTTP, each with a request of its own; wrap it with `open_ranged`.

    Parameters
    ----------
    url : str
        An http or https address; redirects are followed.
    on_bytes : callable, optional
        Called with the number of bytes that each request brought.

    Raises
    ------
    NoRangesError
        The server does not send parts of files.
    DownloadError
        It cannot be reached, or refuses.
    """

    def __init__(self, url: str, on_bytes: Callable[[int], None] | None = None) -> None:
        super().__init__()
        self._url, self._on_bytes = url, on_bytes
        self._place, self.size = 0, 0
        self._request(0, 1)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from any place."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place; nothing is transferred."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        """Fill a buffer from the present place on; return how many bytes there were."""
        count = min(len(buffer), self.size - self._place)
        if count <= 0:
            return 0
        data = self._request(self._place, count)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def _request(self, start: int, count: int) -> bytes:
        """Return bytes from a place on; sets `size`."""
        asked = {"User-Agent": f"guidedrec/{__version__}", "Range": f"bytes={start}-{start + count - 1}"}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self._url, headers=asked), timeout=_TIMEOUT_SECONDS
            ) as response:
                span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", "").strip())
                if response.status != http.HTTPStatus.PARTIAL_CONTENT or span is None or int(span[1]) != start:
                    raise NoRangesError(f"cannot read parts of {self._url}: the server sends whole files only")
                data: bytes = response.read(count)
        except urllib.error.HTTPError as error:
            error.close()
            raise DownloadError(
                f"cannot download {self._url} (the server answered {error.code} {error.reason})"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise DownloadError(f"cannot download {self._url} ({str(reason) or type(reason).__name__})") from error
        if len(data) < count:
            raise DownloadError(f"cannot download {self._url} (the connection was cut)")
        self.size = int(span[2])
        if self._on_bytes is not None:
            self._on_bytes(len(data))
        return data


def open_ranged(url: str, on_bytes: Callable[[int], None] | None = None) -> io.BufferedReader:
    """Open a file on a web server for reading and seeking, a megabyte at a time; see `RangedFile`."""
    return io.BufferedReader(RangedFile(url, on_bytes), _BLOCK)
