"""Files on disk: checksums, syncing to disk, and plain words for a disk that is full or read-only."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from guidedrec_core.errors import StorageError

_STORAGE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "the folder may not be written by this user",
    errno.EPERM: "the folder may not be written by this user",
}


def sha256(path: Path) -> str:
    """Return a file's SHA-256 as 64 hex digits."""
    with path.open("rb") as file:
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
