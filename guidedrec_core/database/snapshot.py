"""Copies of SQLite files as of one moment, whoever writes to them meanwhile; loads no database library."""

import contextlib
import sqlite3
from pathlib import Path

from guidedrec_core.errors import StorageError

_BUSY_SECONDS = 60.0


def open_read_only(file: Path) -> sqlite3.Connection:
    """Open a file for reading only, also on a disk that cannot be written, where WAL mode needs its help files.

    Raises
    ------
    StorageError
        It cannot be read as a database.
    """
    error: sqlite3.Error | None = None
    for options in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?{options}", uri=True, timeout=_BUSY_SECONDS)
        try:
            connection.execute("SELECT name FROM sqlite_master").fetchall()
        except sqlite3.Error as failed:
            connection.close()
            error = failed
            if "locked" in str(failed):
                break  # somebody writes, so the file may not be read as if nobody did
        else:
            return connection
    raise StorageError(f"cannot read the database {file}: {error}; restore it from a backup, or move it away")


def snapshot(file: Path, target: Path) -> None:
    """Copy a database to a new file, as of one moment, and look for damage.

    Raises
    ------
    StorageError
        It cannot be read, or is damaged.
    """
    with contextlib.closing(open_read_only(file)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        try:
            source.backup(copy)
            found = [str(row[0]) for row in copy.execute("PRAGMA integrity_check")]
        except sqlite3.Error as error:
            found = [str(error)]
        if found != ["ok"]:
            raise StorageError(
                f"the database {file} is damaged ({found[0]}); restore it from a backup, or move it away"
            )
