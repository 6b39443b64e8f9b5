"""Writing a backup while the app, commands and jobs go on."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import IO

from guidedrec_core import __version__
from guidedrec_core.backup.archive import FORMAT_VERSION, INDEX, ArchiveWriter, Index, is_inside
from guidedrec_core.database.place import DATABASE_URL, FILE, database_url
from guidedrec_core.database.snapshot import snapshot
from guidedrec_core.errors import InputError, NotFoundError, RunCorruptError, StorageError
from guidedrec_core.files import named_storage_errors, open_regular, sync
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.runs.manifest import MANIFEST, STAGES
from guidedrec_core.runs.store import Run, RunInfo, RunStore

LEFT_OUT = ("checkpoints", "downloads")
"""Folders that are not backed up: unfinished trainings, and public files that can be fetched again."""

DATABASES = (FILE, "replies.sqlite")
"""SQLite files, which must not be copied as they lie while something writes to them."""

_HELP_FILES = ("-wal", "-shm", "-journal", ".lock")


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    runs, files, bytes : int
        Runs and files in it, and the size of the files.
    damaged : tuple of str
        A sentence for each run that is not in it because it is damaged, or was made from such a run.
    notes : tuple of str
        What else is not in it.
    """

    path: Path
    runs: int
    files: int
    bytes: int
    damaged: tuple[str, ...]
    notes: tuple[str, ...]


def back_up(home: Path, path: Path, listener: Listener = silent) -> BackupReport:
    """Write all of a home into one file: databases, runs, jobs, uploads, pictures and attributes.

    Nothing has to stop meanwhile. Databases are copied first, each as of one moment; then runs, which never change, so
    that every run that the databases name is there. Each run is checked before it is written. Not included are
    `LEFT_OUT`, what is half written, and hidden files.

    Parameters
    ----------
    home : pathlib.Path
        The folder of runs.
    path : pathlib.Path
        A new file, outside the home. It appears when it is whole; only its owner may read it.
    listener : callable
        Gets the progress.

    Raises
    ------
    NotFoundError
        There is no such home.
    InputError
        The file exists, or would be in the home.
    StorageError
        A database or run cannot be read, or the file cannot be written.
    """
    home, path = home.expanduser().absolute(), path.expanduser().absolute()
    if not home.is_dir():
        raise NotFoundError(f"there is no folder {home}; name the folder of runs with --home")
    if path.exists():
        raise InputError(f"{path} exists; choose another name, because no backup is overwritten")
    if path.resolve().is_relative_to(home.resolve()):
        raise InputError(f"{path} is in the home {home}; keep backups elsewhere, best on another disk")
    created = datetime.now(UTC)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with named_storage_errors(path.parent), tempfile.TemporaryDirectory() as scratch:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(descriptor, "w+b") as file, ArchiveWriter(file) as writer:
                copy = _Copy(home, writer, listener)
                copy.databases(Path(scratch))
                copy.runs()
                copy.others()
                about = {"format_version": FORMAT_VERSION, "created": created, "package_version": __version__}
                writer.finish(Index(**about, files=writer.files))
            sync(partial)
            partial.rename(path)
            sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    size = sum(entry.bytes for entry in writer.files.values())
    return BackupReport(path, len(copy.done), len(writer.files), size, tuple(copy.damaged), tuple(copy.notes))


class _Copy:
    """A backup under way."""

    def __init__(self, home: Path, writer: ArchiveWriter, listener: Listener) -> None:
        self.done: set[str] = set()
        self.damaged: list[str] = []
        self.notes: list[str] = []
        self._home = home
        self._writer = writer
        self._listener = listener

    def databases(self, scratch: Path) -> None:
        """Copy the SQLite files."""
        for name in DATABASES:
            if (self._home / name).is_file():
                snapshot(self._home / name, scratch / name)
                with (scratch / name).open("rb") as file:
                    self._writer.add(name, file)
                (scratch / name).unlink()
        if database_url() is not None:
            self.notes.append(
                f"the database that {DATABASE_URL} names is not in this backup; back it up with the server's own "
                "program, e.g. pg_dump"
            )

    def runs(self) -> None:
        """Copy every sound run whose inputs are in the backup, too."""
        infos = {info.id: info for info in RunStore(self._home).list()}
        progress = StageProgress("backup", len(infos), self._listener)
        for info in _inputs_first(infos):
            self._run(self._home / info.stage / info.id)
            progress.step(f"run {info.id}")

    def others(self) -> None:
        """Copy what is neither a database nor a run."""
        left_out = [name for name in LEFT_OUT if (self._home / name).exists()]
        if left_out:
            self.notes.append(
                f"not in this backup: {' and '.join(f'{name}/' for name in left_out)}, which can be made again"
            )
        for path in self._files():
            name = path.relative_to(self._home).as_posix()
            if not is_inside(name) or name == INDEX:
                self.notes.append(f"left out {name!r}, because no backup can hold such a name")
                continue
            try:
                file = open_regular(path)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except OSError as error:
                self.notes.append(f"left out {name}: {error.strerror}")
                continue
            with file:
                self._writer.add(name, file)

    def _run(self, path: Path) -> None:
        named = f"run {path.name} (stage {path.parent.name})"
        try:
            run = RunStore(self._home).open(path.name, path.parent.name)
        except NotFoundError:
            return  # deleted meanwhile
        except RunCorruptError as error:
            if path.exists():
                self.damaged.append(str(error))
            return
        missing = sorted(set(run.inputs.values()) - self.done)
        if missing:
            # They are damaged, or were finished after the runs were listed.
            self.damaged.append(f"{named} was made from {', '.join(missing)}, which is not in this backup; repeat it")
            return
        with contextlib.ExitStack() as stack:
            try:
                # All are opened first: what is deleted from now on can still be read.
                names = (MANIFEST, *run.manifest.files)
                files = {name: stack.enter_context(open_regular(path / name)) for name in names}
            except FileNotFoundError:
                return
            self._write(run, files)
        self.done.add(run.id)

    def _write(self, run: Run, files: Mapping[str, IO[bytes]]) -> None:
        for name, file in files.items():
            entry = self._writer.add(f"{run.stage}/{run.id}/{name}", file)
            if name != MANIFEST and entry.sha256 != run.manifest.files[name].sha256:
                raise StorageError(f"{run.path / name} changed while it was read; repeat the backup")

    def _files(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self._home):
            at_top = Path(folder) == self._home
            skipped = (*STAGES, *LEFT_OUT) if at_top else ()
            for name in folders:
                if name not in skipped and (Path(folder) / name).is_symlink():
                    self.notes.append(f"left out {Path(folder) / name}, a link to a folder")
            folders[:] = sorted(name for name in folders if name not in skipped and not name.startswith("."))
            for name in sorted(files):
                help_file = at_top and name.endswith(_HELP_FILES)
                if not name.startswith(".") and not help_file and not (at_top and name in DATABASES):
                    yield Path(folder) / name


def _inputs_first(infos: Mapping[str, RunInfo]) -> list[RunInfo]:
    """Order runs so that each comes after those that it was made from, else by age."""
    ages = sorted(infos, key=lambda run_id: (infos[run_id].created, run_id))
    try:
        order = TopologicalSorter({run_id: set(infos[run_id].inputs.values()) for run_id in ages}).static_order()
        return [infos[run_id] for run_id in order if run_id in infos]
    except CycleError:  # only of forged manifests, which are found to be damaged when they are opened
        return [infos[run_id] for run_id in ages]
