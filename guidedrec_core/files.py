"""Files on disk: bounded reading, checksums, syncing to disk, plain words for a disk that is full or read-only."""

import contextlib
import errno
import hashlib
import io
import json
import math
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from guidedrec_core.errors import StorageError

_STORAGE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "the folder may not be written by this user",
    errno.EPERM: "the folder may not be written by this user",
}


_DEEPEST = 64
"""Levels of lists and objects in a JSON file of ours; what recurses over a deeper one may exhaust the stack."""


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file for reading; wait for no pipe and touch no device.

    Raises
    ------
    OSError
        There is no such file, it is a folder, pipe, socket or device, or it may not be read.
    ValueError
        The path holds a NUL character.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        raise OSError(errno.EINVAL, f"expected a regular file, it is {kind}", str(path))
    return os.fdopen(descriptor, "rb")


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Read a regular file that must not be larger than this.

    Raises
    ------
    OSError
        As `open_regular`, or it is larger.
    ValueError
        As `open_regular`.
    """
    with open_regular(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes:,} bytes", str(path))
    return content


def read_json(path: Path, most_bytes: int) -> Any:
    """Read a JSON file that whoever handles its content can rely on.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte order mark.
    most_bytes : int
        A larger file is refused.

    Returns
    -------
    Any
        At most 64 levels deep, all numbers finite, every text one that UTF-8 can hold.

    Raises
    ------
    OSError
        As `read_bounded`.
    ValueError
        It is no such JSON.
    """
    content = read_bounded(path, most_bytes).decode("utf-8-sig")
    try:
        value = json.loads(content, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level, depth = [value], 0
    while level:
        if depth > _DEEPEST:
            raise ValueError(_TOO_DEEP)
        level, depth = [inner for outer in level for inner in _checked_parts(outer)], depth + 1
    return value


_TOO_DEEP = f"it is nested more than {_DEEPEST} levels deep"


def _checked_parts(value: Any) -> list[Any]:
    """Return what a JSON value directly holds; refuse a number or text that could not be written again."""
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and not value.isascii():
        value.encode()  # a UnicodeEncodeError is a ValueError
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it holds a number that is too large")
    return []


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no JSON")


def sha256(path: Path) -> str:
    """Return a regular file's SHA-256 as 64 hex digits."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Ask the operating system to put a file or folder on disk now."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open folders; its renames are journalled
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def named_storage_errors(folder: Path) -> Iterator[None]:
    """Turn the errors of a disk that is full, read-only or closed to this user into a `StorageError`."""
    try:
        yield
    except Exception as error:
        reason = _storage_reason(error)
        if reason is None:
            raise
        message = f"cannot write to {folder}: {reason}; mend that, or choose another folder with --home"
        raise StorageError(message) from error


def check_writable(folder: Path, wanted_bytes: int = 0) -> None:
    """Make sure that a folder can be written before hours of work are put into what it is to hold.

    Parameters
    ----------
    folder : Path
        Created if need be.
    wanted_bytes : int
        Free space needed.

    Raises
    ------
    StorageError
        It cannot be written, or there is not enough space.
    """
    with named_storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{uuid.uuid4().hex[:8]}"
        probe.write_bytes(b"0")
        probe.unlink()
    free = shutil.disk_usage(folder).free
    if free < wanted_bytes:
        raise StorageError(
            f"expected {wanted_bytes / 1e6:,.0f} MB of free space in {folder}, found {free / 1e6:,.0f} MB; "
            "free some, or choose another folder with --home"
        )


def _storage_reason(error: Exception) -> str | None:
    """Say what is wrong with the disk; None where something else is wrong."""
    number = error.errno if isinstance(error, OSError) else None
    if number is None and type(error).__name__ == "SafetensorError":  # it has the system's number in its text only
        found = re.search(r"os error (\d+)", str(error))
        number = int(found[1]) if found else None
    return None if number is None else _STORAGE.get(number)
