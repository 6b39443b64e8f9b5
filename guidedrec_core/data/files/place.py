"""Where a file or folder lies: on this machine, or anywhere fsspec reaches (``s3://``, ``https://``, ...)."""

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import urlsplit, urlunsplit

from guidedrec_core.errors import DataError

_SHOWN = 200


class Place(Protocol):
    """A file, a folder, or nothing, at a path or an address; ``str(place)`` names it in messages, without secrets."""

    @property
    def name(self) -> str:
        """Last part of the path."""

    @property
    def origin(self) -> str:
        """The name to remember a source by: links and ``..`` resolved."""

    @property
    def read_errors(self) -> tuple[type[Exception], ...]:
        """What reading an opened file may raise when the place, not the program, is at fault."""

    def exists(self) -> bool:
        """Whether a file or folder is there."""

    def is_folder(self) -> bool:
        """Whether a folder is there."""

    def open(self) -> BinaryIO:
        """Open the file for reading.

        Raises
        ------
        DataError
            It cannot be opened.
        """

    def files(self, depth: int) -> dict[str, "Place"]:
        """List the files of a folder, at most so many folders deep, by their path in it.

        Runs of digits count as numbers in the order, so that ``part-10`` comes after ``part-9``.
        """


def place_of(path: Path | str) -> Place:
    """Tell a local path from an address.

    Parameters
    ----------
    path : Path or str
        A local path, or an address with ``://`` that fsspec knows.

    Raises
    ------
    DataError
        The protocol is unknown, or needs a package that is not installed (it is named).
    """
    if "\0" in str(path):
        raise DataError("expected a path without NUL characters; check the path")
    if isinstance(path, str) and "://" in path:
        return _Remote.at(path)
    return _Local(Path(path))


@dataclass(frozen=True)
class _Local:
    """A path on this machine."""

    path: Path

    read_errors: tuple[type[Exception], ...] = (OSError,)

    def __str__(self) -> str:
        return _short(str(self.path))

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def origin(self) -> str:
        return self.path.resolve().name

    def exists(self) -> bool:
        return self._mode() is not None

    def is_folder(self) -> bool:
        return stat.S_ISDIR(self._mode() or 0)

    def open(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from error

    def files(self, depth: int) -> dict[str, Place]:
        try:
            found = _walk(self.path, depth)
        except OSError as error:
            raise self._unreadable(error) from error
        return _sorted({path.relative_to(self.path).as_posix(): _Local(path) for path in found})

    def _mode(self) -> int | None:
        try:
            return self.path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> DataError:
        return DataError(f"cannot read {self}: {error.strerror or error}; check the path and its permissions")


def _walk(folder: Path, depth: int) -> list[Path]:
    inner = [path for path in folder.iterdir() if not path.name.startswith(".")]
    deeper = [file for path in inner if depth > 0 and path.is_dir() for file in _walk(path, depth - 1)]
    return [*(path for path in inner if path.is_file()), *deeper]


@dataclass(frozen=True)
class _Remote:
    """A path in a file system of fsspec."""

    system: Any
    path: str
    url: str

    # Each file system passes on the errors of its own client library, which have no base in common.
    read_errors: tuple[type[Exception], ...] = (Exception,)

    @classmethod
    def at(cls, url: str) -> "_Remote":
        import fsspec

        try:
            system, path = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise DataError(
                f"cannot read {_public(url)}: a package for {_protocol(url)}:// is missing ({error}); install it with "
                "pip, or copy the file to this machine"
            ) from error
        except Exception as error:
            raise DataError(f"cannot read {_public(url)} ({reason_of(error)}); check the address") from error
        return cls(system, str(path), url)

    def __str__(self) -> str:
        return _public(self.url)

    @property
    def name(self) -> str:
        return urlsplit(self.url).path.rstrip("/").rpartition("/")[2] or urlsplit(self.url).netloc

    @property
    def origin(self) -> str:
        return self.name

    def exists(self) -> bool:
        return self._info() is not None

    def is_folder(self) -> bool:
        info = self._info()
        return info is not None and info.get("type") == "directory"

    def open(self) -> BinaryIO:
        try:
            return cast(BinaryIO, self.system.open(self.path, "rb"))
        except Exception as error:
            raise self._unreadable(error) from error

    def files(self, depth: int) -> dict[str, Place]:
        try:
            found = self.system.find(self.path, maxdepth=depth + 1)
        except Exception as error:
            raise self._unreadable(error) from error
        start = len(self.path.rstrip("/")) + 1
        inner = [path for path in found if not re.search(r"(^|/)\.", path[start:])]
        return _sorted(
            {path[start:]: _Remote(self.system, path, f"{self.url.rstrip('/')}/{path[start:]}") for path in inner}
        )

    def _info(self) -> dict[str, Any] | None:
        try:
            return cast("dict[str, Any]", self.system.info(self.path))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> DataError:
        return DataError(f"cannot read {self} ({reason_of(error)}); check the address, the connection and the rights")


def _protocol(url: str) -> str:
    return url.partition("://")[0]


def _public(url: str) -> str:
    """Leave out of an address what may be a secret: user, password, query."""
    parts = urlsplit(url)
    return _short(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))


def reason_of(error: Exception) -> str:
    """Return the first line of what an error of another library says, not too long."""
    return _short((str(error).strip() or type(error).__name__).splitlines()[0])


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _sorted(places: dict[str, Place]) -> dict[str, Place]:
    def natural(path: str) -> list[tuple[int, int, str]]:
        parts = re.findall(r"\d+|\D+", path)
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]

    return {path: places[path] for path in sorted(places, key=natural)}
