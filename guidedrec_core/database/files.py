"""Take over files in which earlier versions of guidedrec kept what people wrote: each once, whole or not at all."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from guidedrec_core.database.database import Database, Write
from guidedrec_core.database.engine import may_write
from guidedrec_core.database.tables import ImportedFile
from guidedrec_core.files import named_storage_errors, read_bounded, sync

MIGRATED = ".migrated"
"""Ending of the name of a file whose content is in the database."""
_MOST_BYTES = 1 << 30


def import_file(database: Database, path: Path, who: str, insert: Callable[[Write, bytes, int], int]) -> None:
    """Write a file's content into the database, then rename the file to ``<name>.migrated``.

    What was imported before is not imported again, also after a crash between both steps; of a file that has grown
    since, the rest is.

    Parameters
    ----------
    database : Database
        Where to.
    path : pathlib.Path
        The file; nothing happens where there is none, or where it may not be written.
    who : str
        The author of the import.
    insert : callable
        Writes some content and returns how many records that were. Its arguments: the session for writing; the content
        that is new; and the number of bytes of the file before it.

    Raises
    ------
    DataError
        As `insert`; the file is left alone.
    OSError
        It cannot be read.
    """
    try:
        content = read_bounded(path, _MOST_BYTES)
    except FileNotFoundError:
        return
    with database.write(who) as write:
        known = write.session.get(ImportedFile, str(path))
        skipped = 0
        if known is not None and hashlib.sha256(content[: known.size]).hexdigest() == known.sha256:
            skipped = known.size
        if known is None or skipped < len(content):
            count = insert(write, content[skipped:], skipped)
            found = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "at": datetime.now(UTC)}
            if known is None:
                write.session.add(ImportedFile(path=str(path), records=count, **found))
            else:
                known.records += count
                known.size, known.sha256, known.at = len(content), str(found["sha256"]), datetime.now(UTC)
    if path.exists():
        with named_storage_errors(path.parent):
            path.replace(_free(path.with_name(path.name + MIGRATED)))
            sync(path.parent)


def can_import(database: Database, path: Path) -> bool:
    """Tell whether a file is there and can be taken over."""
    return path.exists() and may_write(path) and (database.file is None or may_write(database.file))


def _free(path: Path) -> Path:
    """Return a name that no file has: an earlier file of the name may have been taken over, too."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
