"""Jobs: long work in a process of its own, which outlives the page or terminal that asked for it.

``<home>/jobs/<job_id>/job.json`` is the job's whole state, replaced atomically, so a reader sees it at any moment and
never half; ``log.txt`` beside it is what the process printed. Nobody guesses: the state is a field, and a job whose
process has gone without a last word is "interrupted". `job_worker` is the other side, inside the process.
"""

import builtins
import contextlib
import dataclasses
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import filelock
import psutil
from pydantic import TypeAdapter, ValidationError

from guidedrec_core.errors import InputError, NotFoundError
from guidedrec_core.runs.manifest import ID, new_id, plain_json
from guidedrec_core.runs.processes import start_time

TASKS: Mapping[str, str] = {
    "build": "guidedrec_core.stages:build_task",
    "refine": "guidedrec_core.stages:refine_task",
    "evaluate": "guidedrec_core.stages:evaluate_task",
    "ablate": "guidedrec_core.stages:ablate_task",
    "audit": "guidedrec_core.stages:audit_task",
    "score": "guidedrec_core.stages:score_task",
}
"""Task name to ``module:function``, with ``function(arguments: dict, home: Path, listener: Listener) -> run id``.

A job's file holds only the name; what code a name stands for is decided here and never read from disk.
"""

Status = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]

_RECORD = "job.json"
_LOG = "log.txt"
_LOCK_SECONDS = 60.0
# Start times are derived from a boot time that moves a little when the clock is adjusted.
_SAME_START_SECONDS = 2.0
_SPAWN_SECONDS = 30.0
_TERMINATE_SECONDS = 10.0
_TAIL_BYTES = 256 * 1024
_INTERRUPTED = (
    "The process ended without a result: it was killed, ran out of memory, or the machine was restarted. "
    "Resume the job; finished stages are kept."
)


@dataclass(frozen=True)
class Job:
    """The state of a job at one moment; exactly what ``job.json`` holds.

    Attributes
    ----------
    id : str
        Like a run id.
    status : str
        ``queued``, ``running``, ``done``, ``failed``, ``cancelled``, or ``interrupted`` (its process is gone).
    task, arguments : str, dict
        What was asked for.
    created, finished : datetime
        UTC; `finished` is None before the end.
    stage, step, total, message, metric, seconds_left, seconds_left_at_least
        The last progress event; see `guidedrec_core.progress.Progress`.
    heartbeat : datetime or None
        When the process last wrote, UTC.
    pid, process_started : int or None, float or None
        The process and when it started (Unix seconds), so that another one with the same number is told apart.
    error : str
        What to tell the user; empty unless failed or interrupted.
    run_id : str or None
        The result, when done.
    """

    id: str
    status: Status
    task: str
    arguments: dict[str, Any]
    created: datetime
    stage: str = ""
    step: int = 0
    total: int = 0
    message: str = ""
    metric: str = ""
    seconds_left: float | None = None
    seconds_left_at_least: float | None = None
    heartbeat: datetime | None = None
    pid: int | None = None
    process_started: float | None = None
    error: str = ""
    run_id: str | None = None
    finished: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self.status in ("queued", "running")


_ADAPTER = TypeAdapter(Job)


class JobStore:
    """All jobs under one folder; the other processes' view of them.

    Parameters
    ----------
    home : pathlib.Path
        The folder that holds the runs, too.
    tasks : mapping of str to str, optional
        What may be asked for; the worker module must know the same names.
    worker : str, optional
        The module run as the job's process, with the job's folder as its argument.
    """

    def __init__(self, home: Path, tasks: Mapping[str, str] = TASKS, worker: str = "guidedrec_core.jobs.jobs") -> None:
        self.home = home.expanduser().absolute()
        self.tasks = tasks
        self.worker = worker

    def start(self, task: str, arguments: Mapping[str, Any]) -> Job:
        """Start a process for the task and return at once.

        Parameters
        ----------
        task : str
            A key of `TASKS`.
        arguments : dict
            Its arguments; must be JSON.

        Returns
        -------
        Job
            The new job; or the active one with the same task and arguments, when there is one.

        Raises
        ------
        InputError
            Unknown task, or arguments that are not JSON.
        """
        if task not in self.tasks:
            raise InputError(f"expected a task out of {', '.join(self.tasks)}; got {task!r}")
        plain = plain_json(dict(arguments), "arguments")
        with lock(self.home):
            for job in self.list():
                if job.active and (job.task, job.arguments) == (task, plain):
                    return job
            created = datetime.now(UTC)
            job = Job(id=new_id(created), status="queued", task=task, arguments=plain, created=created)
            folder = self._folder(job.id)
            folder.mkdir(parents=True)
            write_record(folder, job)
            pid = self._spawn(folder)
            # The worker waits for the lock before it writes, so this cannot overwrite what it says.
            job = dataclasses.replace(job, pid=pid, process_started=start_time(pid))
            write_record(folder, job)
        return job

    def get(self, job_id: str) -> Job:
        """Return a job's present state.

        Raises
        ------
        NotFoundError
            No such job.
        """
        if ID.fullmatch(job_id):
            job = read_record(self._folder(job_id))
            if job is not None:
                return _as_it_is(job)
        raise NotFoundError(f"there is no job {job_id!r} in {self.home}; `guidedrec jobs list` shows what there is")

    def list(self) -> builtins.list[Job]:
        """List all jobs, newest first."""
        folder = self.home / "jobs"
        found = [path for path in folder.iterdir() if ID.fullmatch(path.name)] if folder.is_dir() else []
        jobs = [_as_it_is(job) for path in found if (job := read_record(path)) is not None]
        return sorted(jobs, key=lambda job: (job.created, job.id), reverse=True)

    def cancel(self, job_id: str) -> Job:
        """Stop a job's process and everything it started; return once they are gone.

        A job that has ended already is returned as it is.

        Raises
        ------
        NotFoundError
            No such job.
        """
        with lock(self.home):  # a job that is just being started has its process number afterwards
            job = self.get(job_id)
        if job.active:
            if job.pid is not None:
                _stop(job.pid)
            with lock(self.home):
                job = self.get(job_id)
                if job.status in ("queued", "running", "interrupted"):
                    job = dataclasses.replace(job, status="cancelled", error="", finished=datetime.now(UTC))
                    write_record(self._folder(job_id), job)
        return job

    def resume(self, job_id: str) -> Job:
        """Ask for the same again, as a new job; what the stages have finished is found and not made twice.

        Raises
        ------
        NotFoundError
            No such job.
        """
        job = self.get(job_id)
        return self.start(job.task, job.arguments)

    def log_tail(self, job_id: str, lines: int = 50) -> str:
        """Return the last lines of a job's log; empty when it has printed nothing.

        Raises
        ------
        NotFoundError
            No such job.
        """
        self.get(job_id)
        try:
            with (self._folder(job_id) / _LOG).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                text = file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""

    def _folder(self, job_id: str) -> Path:
        return self.home / "jobs" / job_id

    def _spawn(self, folder: Path) -> int:
        with (folder / _LOG).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", self.worker, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        # Somebody must collect the ended child, or it stays as a zombie while this process lives.
        threading.Thread(target=process.wait, daemon=True).start()
        return process.pid


@contextlib.contextmanager
def lock(home: Path) -> Iterator[None]:
    """Keep other processes and threads from starting or ending jobs under this home."""
    (home / "jobs").mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(home / "jobs" / ".lock", timeout=_LOCK_SECONDS):
        yield


def write_record(folder: Path, job: Job) -> None:
    """Replace a job's ``job.json`` atomically."""
    temporary = folder / f".{_RECORD}-{secrets.token_hex(4)}"
    temporary.write_bytes(_ADAPTER.dump_json(job, indent=2))
    temporary.replace(folder / _RECORD)


def read_record(folder: Path) -> Job | None:
    """Read a job's ``job.json`` as it was written.

    Returns
    -------
    Job or None
        None when there is no file. A damaged file gives a failed job that says so, so that listings go on.
    """
    try:
        content = (folder / _RECORD).read_bytes()
        job = _ADAPTER.validate_json(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        problem = f"{folder / _RECORD} is damaged ({type(error).__name__}); delete the folder and start again"
        changed = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        return Job(id=folder.name, status="failed", task="", arguments={}, created=changed, error=problem)
    return job


def _as_it_is(job: Job) -> Job:
    """Compare what the file says with what the system knows about the process."""
    if not job.active or _alive(job):
        return job
    return dataclasses.replace(
        job, status="interrupted", error=_INTERRUPTED, seconds_left=None, seconds_left_at_least=None
    )


def _alive(job: Job) -> bool:
    if job.pid is None:
        return datetime.now(UTC) - job.created < timedelta(seconds=_SPAWN_SECONDS)
    started = start_time(job.pid)
    if started is None or job.process_started is None:
        return False
    return abs(started - job.process_started) < _SAME_START_SECONDS


def _stop(pid: int) -> None:
    """End a process gently, then its descendants, then what is left by force."""
    try:
        process = psutil.Process(pid)
        descendants = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return
    # The worker first and alone, so that it does not take the death of a helper for a failure.
    for group, seconds in (([process], _TERMINATE_SECONDS), (descendants, 1.0)):
        for each in group:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.terminate()
        for each in _left_after(group, seconds):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        _left_after(group, seconds)


def _left_after(processes: Iterable[psutil.Process], seconds: float) -> builtins.list[psutil.Process]:
    """Wait until the processes have ended; return those that have not in time."""
    deadline = time.monotonic() + seconds
    while True:
        left = [each for each in processes if each.is_running() and start_time(each.pid) is not None]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


if __name__ == "__main__":
    from guidedrec_core.jobs.worker import main

    sys.exit(main(Path(sys.argv[1]), TASKS))
