"""Restoring a backup into an empty home."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from guidedrec_core.backup.archive import ArchiveReader
from guidedrec_core.database.place import DATABASE_URL, FILE, database_url
from guidedrec_core.errors import GuidedrecError, InputError
from guidedrec_core.files import check_writable, named_storage_errors, sync
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.runs.store import RunStore

_NO_CONTENT = "lost+found"
"""In the root of a new disk."""


@dataclass(frozen=True)
class RestoreReport:
    """What was restored.

    Attributes
    ----------
    home : pathlib.Path
        Where to.
    created : datetime
        When the backup was made, UTC.
    package_version : str
        Version of guidedrec that made it.
    runs, files, bytes : int
        Runs and files restored, and the size of the files.
    unreadable : tuple of str
        A sentence for each run that is as it was written, but that this version cannot open.
    notes : tuple of str
        What else to know.
    """

    home: Path
    created: datetime
    package_version: str
    runs: int
    files: int
    bytes: int
    unreadable: tuple[str, ...]
    notes: tuple[str, ...]


def restore(path: Path, home: Path, listener: Listener = silent) -> RestoreReport:
    """Restore a backup into a home that does not exist or is empty; all of it, or nothing.

    Every file is compared with its checksum before any of them appears in the home.

    Parameters
    ----------
    path : pathlib.Path
        A file that `back_up` wrote.
    home : pathlib.Path
        The new folder of runs.
    listener : callable
        Gets the progress.

    Raises
    ------
    InputError
        The home is not empty.
    DataError
        The file is no backup, or is damaged.
    StorageError
        The home cannot be written, or has too little space.
    OSError
        The file cannot be read.
    """
    home = home.expanduser().absolute()
    found = sorted(entry.name for entry in home.iterdir() if entry.name != _NO_CONTENT) if home.exists() else []
    if found:
        raise InputError(
            f"expected a new or empty folder to restore to, found {', '.join(found[:3])} in {home}; name another one "
            "with --home, or empty this one first. Nothing is overwritten"
        )
    with ArchiveReader(path) as archive:
        entries = archive.index.files
        size = sum(entry.bytes for entry in entries.values())
        check_writable(home, size)
        scratch = home / f".restore-{os.getpid()}"
        moved: list[Path] = []
        try:
            with named_storage_errors(home):
                progress = StageProgress("restore", len(entries), listener)
                scratch.mkdir(mode=0o700)
                for name in entries:
                    archive.extract(name, scratch / name)
                    sync(scratch / name)
                    progress.step(name)
                runs, unreadable = _opened(scratch)
                for entry in sorted(scratch.iterdir()):
                    moved.append(home / entry.name)
                    entry.rename(moved[-1])
                sync(home)
        except BaseException:
            for place in moved:
                shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        about = archive.index
    unused = database_url() is not None and FILE in entries
    notes = (f"{DATABASE_URL} is set: the restored {FILE} is not used while it is",) if unused else ()
    return RestoreReport(home, about.created, about.package_version, runs, len(entries), size, unreadable, notes)


def _opened(home: Path) -> tuple[int, tuple[str, ...]]:
    """Open every run; return how many there are, and what is wrong with those that cannot be opened."""
    store, wrong = RunStore(home), []
    infos = store.list()
    for info in infos:
        try:
            store.open(info.id, info.stage)
        except GuidedrecError as error:
            wrong.append(str(error))
    return len(infos), tuple(wrong)
