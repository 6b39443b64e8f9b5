"""Jobs as other processes see them: started, listed, cancelled and resumed.

``<home>/jobs/<job_id>/job.json`` is a job's whole state (see `record`); ``log.txt`` next to it is what the process
printed. The state is a field and never guessed from the log: a job whose process has gone without a last record is
"interrupted". `worker` is the other side, inside the process.
"""

import builtins
import contextlib
import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from guidedrec_core.errors import InputError, NotFoundError
from guidedrec_core.jobs.record import Job, lock, read_record, write_record
from guidedrec_core.jobs.tasks import TASKS
from guidedrec_core.runs.manifest import ID, new_id, plain_json
from guidedrec_core.runs.processes import start_time

_LOG = "log.txt"
# Start times are derived from a boot time that moves a little when the clock is adjusted.
_SAME_START_SECONDS = 2.0
_SPAWN_SECONDS = 30.0
_TERMINATE_SECONDS = 10.0
_TAIL_BYTES = 256 * 1024
_INTERRUPTED = (
    "The process ended without a result: it was killed, ran out of memory, or the machine was restarted. "
    "Resume the job; finished stages are kept."
)


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

    def __init__(
        self, home: Path, tasks: Mapping[str, str] = TASKS, worker: str = "guidedrec_core.jobs.worker"
    ) -> None:
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
