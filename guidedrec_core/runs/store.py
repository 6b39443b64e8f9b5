"""Runs: the results of one stage in an immutable folder, with everything needed to trace and check them.

``<home>/<stage>/<run_id>/manifest.json`` says what was made, from what, with which seed, and carries the checksum of
every data file next to it. A run is written to a temporary folder, synced and renamed, so it exists whole or not at
all, and never changes afterwards: a run id names its content. Data files are JSON, Parquet, safetensors and npy;
nothing is ever unpickled. `manifest` knows the manifest, `files` the data files.
"""

import builtins
import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import filelock

from guidedrec_core.errors import GuidedrecError, InputError, NotFoundError, RunCorruptError
from guidedrec_core.files import named_storage_errors, sha256, sync
from guidedrec_core.runs.files import Run, RunInfo, RunWriter
from guidedrec_core.runs.manifest import (
    FORMAT_VERSION,
    ID,
    MANIFEST,
    STAGES,
    InputRecord,
    Manifest,
    check_content,
    new_id,
    plain_json,
    read_manifest,
)
from guidedrec_core.runs.processes import start_time

__all__ = ["FORMAT_VERSION", "STAGES", "Manifest", "Run", "RunInfo", "RunStore", "RunWriter"]

_TEMPORARY = re.compile(rf"\.tmp-{ID.pattern}-([0-9]+)")
_LOCK_SECONDS = 60.0
# A process's start time is derived from a boot time that moves when the clock is adjusted.
_CLOCK_SLACK_SECONDS = 60.0
_HOW_TO_LIST = "`guidedrec runs list` shows what there is"


class RunStore:
    """All runs under one folder. Any number of processes may read and write at once.

    Parameters
    ----------
    home : pathlib.Path
        Made at the first write.
    reuse_since : datetime, optional
        `find` passes over runs made before this moment, so that stages make them again.

    Examples
    --------
    >>> import tempfile
    >>> store = RunStore(Path(tempfile.mkdtemp()))
    >>> with store.create("data", config={"name": "tiny"}) as writer:
    ...     writer.write_json("facts", {"users": 3})
    ...     writer.summary.update(users=3)
    >>> store.open(writer.run.id).read_json("facts")
    {'users': 3}
    >>> store.find("data", config={"name": "tiny"}) == writer.run
    True
    """

    def __init__(self, home: Path, reuse_since: datetime | None = None) -> None:
        self.home = home.expanduser().absolute()
        self.reuse_since = reuse_since

    @classmethod
    def default(cls) -> Self:
        """Return the store in ``$GUIDEDREC_HOME``, or ``./runs`` when that is not set."""
        return cls(Path(os.environ.get("GUIDEDREC_HOME") or "runs"))

    @contextlib.contextmanager
    def create(
        self,
        stage: str,
        config: Mapping[str, Any],
        inputs: Mapping[str, Run] | None = None,
        seed: int | None = None,
    ) -> Iterator[RunWriter]:
        """Make a new run; it appears when the ``with`` block ends, and not at all when that raises.

        Parameters
        ----------
        stage : str
            One of `STAGES`.
        config : dict
            The stage's full configuration; must be JSON.
        inputs : dict of str to Run, optional
            The runs it is made from, by role. They must still be in this store at the end.
        seed : int, optional
            The seed all random choices descend from.

        Yields
        ------
        RunWriter
            Its `run` is the finished run after the block.

        Raises
        ------
        InputError
            Unknown stage, or a config that is not JSON.
        NotFoundError
            An input was deleted before the run was finished.
        """
        _check_stage(stage)
        plain_config = plain_json(dict(config), "config")
        records = {
            role: InputRecord(run_id=run.id, stage=run.stage, checksum=_input_checksum(run.path, run.id, run.stage))
            for role, run in (inputs or {}).items()
        }
        created = datetime.now(UTC)
        run_id = new_id(created)
        final = self.home / stage / run_id
        folder = _temporary(final)
        with named_storage_errors(self.home):
            folder.mkdir(parents=True)
        writer = RunWriter(run_id, stage, folder)
        try:
            with named_storage_errors(self.home):
                yield writer
                manifest = writer.finish(plain_config, seed, records, created)
                with self._lock():  # so that no input is deleted between its check and the rename
                    for record in records.values():
                        self._check_input(record, NotFoundError, f"the new run {run_id} (stage {stage})")
                    folder.rename(final)
                    sync(final.parent)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        writer.published(Run(final, manifest))

    def open(self, run_id: str, stage: str | None = None, verify: bool = True) -> Run:
        """Open a run after checking it.

        Parameters
        ----------
        run_id : str
            May come from anywhere: only a well-formed id is looked up.
        stage : str, optional
            The stage it must be of.
        verify : bool, default True
            Read every data file and compare checksums. Format, file sizes and inputs are checked in any case.

        Raises
        ------
        NotFoundError
            No such run (of that stage).
        RunCorruptError
            Another format, a missing or changed file, or an input that is missing or changed.
        """
        path = self._locate(run_id, stage)
        manifest = read_manifest(path)
        if verify:
            check_content(path, manifest)
        for source in manifest.inputs.values():
            self._check_input(source, RunCorruptError, f"run {run_id} (stage {path.parent.name})")
        return Run(path, manifest)

    def list(self, stage: str | None = None) -> builtins.list[RunInfo]:
        """List runs, newest first; a damaged one carries its `problem`.

        Raises
        ------
        InputError
            Unknown stage.
        """
        if stage is not None:
            _check_stage(stage)
        infos = map(_info, self._folders(STAGES if stage is None else (stage,)))
        return sorted(
            (info for info in infos if info is not None), key=lambda info: (info.created, info.id), reverse=True
        )

    def find(
        self,
        stage: str,
        config: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
        seed: int | None = None,
        revision: int | None = None,
    ) -> Run | None:
        """Return the newest sound run of a stage that matches everything given and may be reused.

        Parameters
        ----------
        stage : str
            One of `STAGES`.
        config : dict, optional
            The run's configuration must be equal.
        inputs : dict of str to str, optional
            Role to run id; the run must have been made from these (and may have other inputs besides).
        seed : int, optional
            The run's seed must be equal.
        revision : int, optional
            The revision of the stage's algorithm must be equal.

        Returns
        -------
        Run or None
            Verified; damaged runs are passed over.
        """
        wanted = None if config is None else plain_json(dict(config), "config")
        for info in self.list(stage):
            young = self.reuse_since is None or info.created >= self.reuse_since
            if young and _matches(info, wanted, inputs or {}, seed, revision):
                with contextlib.suppress(RunCorruptError, NotFoundError):
                    return self.open(info.id, stage)
        return None

    def copy_missing(self, source: "RunStore") -> tuple[str, ...]:
        """Copy the runs of another store that are missing here, as they are, under their own ids.

        Runs appear before what they were made from. So a listing meanwhile, which leaves out a refined run whose inputs
        are missing, shows one only when everything made from it is there, too. Any number of processes may do this at
        once; the first copies, the others find nothing missing.

        Parameters
        ----------
        source : RunStore
            Complete in itself: what its runs were made from is in it, or here.

        Returns
        -------
        tuple of str
            The ids of the runs copied.

        Raises
        ------
        RunCorruptError
            A run of the other store is damaged or of another format; nothing is copied.
        StorageError
            The disk is full or read-only.
        """
        copies: builtins.list[Path] = []
        try:
            with named_storage_errors(self.home), self._lock():
                for path in source._folders(STAGES):
                    final = self.home / path.parent.name / path.name
                    if not final.is_dir():
                        copies.append(_temporary(final))
                        _copy(path, copies[-1])
                copies.sort(key=lambda copy: STAGES.index(copy.parent.name), reverse=True)
                return tuple(_publish(copy) for copy in copies)
        finally:
            for copy in copies:
                shutil.rmtree(copy, ignore_errors=True)  # gone already, unless something went wrong

    def delete(self, run_id: str, cascade: bool = False) -> tuple[str, ...]:
        """Delete a run, damaged or not.

        Parameters
        ----------
        run_id : str
            The run.
        cascade : bool, default False
            Delete the runs made from it, too.

        Returns
        -------
        tuple of str
            The deleted run ids, users before what they were made from.

        Raises
        ------
        NotFoundError
            No such run.
        InputError
            Other runs were made from it, and `cascade` is off.
        """
        with self._lock():
            self._locate(run_id)
            infos = self.list()
            doomed = list(_users_first(run_id, infos))
            if len(doomed) > 1 and not cascade:
                stages = {info.id: info.stage for info in infos}
                users = ", ".join(f"{user} (stage {stages[user]})" for user in doomed[:-1])
                raise InputError(f"run {run_id} is used by {users}; delete those first, or all of them with --cascade")
            hidden = []
            for doomed_id in doomed:
                path = self._locate(doomed_id)
                hidden.append(path.rename(_temporary(path)))
        for folder in hidden:
            shutil.rmtree(folder, ignore_errors=True)  # what stays, `sweep` removes
        return tuple(doomed)

    def sweep(self) -> int:
        """Remove what killed processes have left half written or half deleted; return how many folders."""
        removed = 0
        for stage in STAGES:
            for folder in (self.home / stage).glob(".tmp-*"):
                match = _TEMPORARY.fullmatch(folder.name)
                if match and not _owner_alive(int(match[1]), folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    removed += not folder.exists()
        return removed

    def _lock(self) -> filelock.BaseFileLock:
        self.home.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(self.home / ".lock", timeout=_LOCK_SECONDS)

    def _folders(self, stages: tuple[str, ...]) -> Iterator[Path]:
        for stage in stages:
            if (self.home / stage).is_dir():
                yield from (path for path in (self.home / stage).iterdir() if ID.fullmatch(path.name))

    def _locate(self, run_id: str, stage: str | None = None) -> Path:
        if not ID.fullmatch(run_id):
            raise NotFoundError(f"expected a run id like 20261120-141503-3fa9c1, got {run_id!r}; {_HOW_TO_LIST}")
        if stage is not None:
            _check_stage(stage)
        for candidate in STAGES:
            path = self.home / candidate / run_id
            if path.is_dir():
                if stage not in (None, candidate):
                    raise NotFoundError(f"expected a run of stage {stage}, but {run_id} is of stage {candidate}")
                return path
        raise NotFoundError(f"there is no run {run_id} in {self.home}; {_HOW_TO_LIST}")

    def _check_input(self, source: InputRecord, error: type[GuidedrecError], user: str) -> None:
        named = f"run {source.run_id} (stage {source.stage})"
        try:
            found = sha256(self.home / source.stage / source.run_id / MANIFEST)
        except OSError as cause:
            raise error(f"{user} was made from {named}, which is missing in {self.home}; build again") from cause
        if found != source.checksum:
            raise error(f"{user} was made from {named}, which has changed since; delete both and build again")


def _check_stage(stage: str) -> None:
    if stage not in STAGES:
        raise InputError(f"expected a stage out of {', '.join(STAGES)}; got {stage!r}")


def _matches(
    info: RunInfo, config: Mapping[str, Any] | None, inputs: Mapping[str, str], seed: int | None, revision: int | None
) -> bool:
    """Tell whether a run is sound and was made so; see `RunStore.find`."""
    return (
        info.problem is None
        and config in (None, info.config)
        and seed in (None, info.seed)
        and revision in (None, info.revision)
        and all(info.inputs.get(role) == run_id for role, run_id in inputs.items())
    )


def _temporary(final: Path) -> Path:
    return final.parent / f".tmp-{final.name}-{os.getpid()}"


def _copy(path: Path, temporary: Path) -> None:
    """Copy a sound run's files to a temporary folder, and sync them to disk."""
    manifest = read_manifest(path)
    check_content(path, manifest)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for name in (*manifest.files, MANIFEST):
        # The content alone: the files of an installed package may be read-only.
        shutil.copyfile(path / name, temporary / name)
        sync(temporary / name)
    sync(temporary)


def _publish(temporary: Path) -> str:
    """Give a temporary folder its run's name; return the run id."""
    match = ID.search(temporary.name)
    assert match is not None  # `_temporary` has named it
    temporary.rename(temporary.parent / match[0])
    sync(temporary.parent)
    return match[0]


def _owner_alive(pid: int, folder: Path) -> bool:
    started = start_time(pid)
    try:
        touched = folder.stat().st_ctime
    except FileNotFoundError:
        return False
    # A process younger than the folder's last change has got a dead owner's number.
    return started is not None and started <= touched + _CLOCK_SLACK_SECONDS


def _input_checksum(path: Path, run_id: str, stage: str) -> str:
    try:
        return sha256(path / MANIFEST)
    except FileNotFoundError as error:
        raise NotFoundError(f"the input run {run_id} (stage {stage}) was deleted; {_HOW_TO_LIST}") from error


def _info(path: Path) -> RunInfo | None:
    """Describe a run folder; None when it is deleted at this moment."""
    try:
        manifest = read_manifest(path)
    except RunCorruptError as error:
        try:
            changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
        except FileNotFoundError:
            return None
        return RunInfo(path.name, path.parent.name, changed, problem=str(error))
    run = Run(path, manifest)
    return RunInfo(run.id, run.stage, run.created, run.config, run.seed, run.inputs, run.summary, manifest.revision)


def _users_first(run_id: str, infos: list[RunInfo]) -> Iterator[str]:
    """Yield all runs made from this one, directly or not, each before its inputs; this one last."""
    done: set[str] = set()

    def visit(current: str) -> Iterator[str]:
        done.add(current)
        for info in infos:
            if current in info.inputs.values() and info.id not in done:
                yield from visit(info.id)
        yield current

    return visit(run_id)
