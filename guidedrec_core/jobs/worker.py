"""The inside of a job's process: does the task and keeps ``job.json`` up to date."""

import dataclasses
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from guidedrec_core.errors import GuidedrecError, JobCancelledError
from guidedrec_core.jobs.heartbeat import Heartbeat
from guidedrec_core.jobs.record import Job, lock, read_record, write_record
from guidedrec_core.jobs.tasks import TASKS
from guidedrec_core.progress import Listener, Progress
from guidedrec_core.runs.processes import start_time
from guidedrec_core.training.threads import wait_passively

_log = logging.getLogger(__name__)

Task = Callable[[dict[str, Any], Path, Listener], str]


class Reporter:
    """Keeps a job's file up to date while the task runs; use as a context manager.

    An event that begins or completes a stage is written at once, the others at most four times a second, and the
    file at least at every heartbeat.
    """

    def __init__(self, folder: Path, job: Job) -> None:
        self._folder = folder
        self._job = job
        self._guard = threading.Lock()
        self._unwritten = False
        self._counted = time.monotonic()
        self._heartbeat = Heartbeat(self._write, lambda: self._unwritten)
        self.cancelled = False

    def __enter__(self) -> Self:
        self._write()
        self._heartbeat.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._heartbeat.__exit__(kind, error, traceback)

    def listen(self, event: Progress) -> None:
        """Take in an event; this is the task's listener.

        Raises
        ------
        JobCancelledError
            The job is to stop.
        """
        if self.cancelled:
            raise JobCancelledError("the job was cancelled")
        with self._guard:
            self._count_seconds()
            begins = event.stage != self._job.stage
            self._job = dataclasses.replace(self._job, **dataclasses.asdict(event))
            self._unwritten = True
        if begins or (event.total and event.step >= event.total):
            self._write()

    def finish(self, **last: Any) -> None:
        """Write the last state; call it after the context has ended."""
        with self._guard:
            last = {"seconds_left": None, "seconds_left_at_least": None, "finished": datetime.now(UTC), **last}
            self._job = dataclasses.replace(self._job, **last)
        self._write()

    def _count_seconds(self) -> None:
        """Add the time since the last call to the present stage."""
        now, stage = time.monotonic(), self._job.stage
        if stage:
            spent = self._job.stage_seconds.get(stage, 0.0) + now - self._counted
            self._job = dataclasses.replace(self._job, stage_seconds={**self._job.stage_seconds, stage: spent})
        self._counted = now

    def _write(self) -> None:
        with self._guard:
            if self._job.status == "running":
                self._count_seconds()
            self._job = dataclasses.replace(self._job, heartbeat=datetime.now(UTC))
            write_record(self._folder, self._job)
            self._unwritten = False


def main(folder: Path, tasks: Mapping[str, str]) -> int:
    """Do the job in this folder; the entry point of its process.

    Parameters
    ----------
    folder : pathlib.Path
        ``<home>/jobs/<job_id>``, whose job is queued.
    tasks : mapping of str to str
        Task name to ``module:function``; see `guidedrec_core.jobs.tasks.TASKS`.

    Returns
    -------
    int
        Exit code: 0 done, 1 anything else.
    """
    wait_passively()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each request would bury everything else
    home = folder.parent.parent
    with lock(home):  # until the starter has noted this process
        job = read_record(folder)
        if job is None or job.status != "queued":
            _log.error("expected a queued job in %s; start jobs with the app or `guidedrec`", folder)
            return 1
    job = dataclasses.replace(job, status="running", pid=os.getpid(), process_started=start_time(os.getpid()))
    reporter = Reporter(folder, job)

    def stop(number: int, frame: FrameType | None) -> None:
        reporter.cancelled = True
        raise JobCancelledError("the job was cancelled")

    last: dict[str, Any]
    try:
        signal.signal(signal.SIGTERM, stop)
        with reporter:
            last = {"status": "done", "run_id": _load(tasks, job.task)(job.arguments, home, reporter.listen)}
    except Exception as error:
        last = _account_of(error, reporter.cancelled)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the last word is not to be cut off
    reporter.finish(**last)
    _log.info("%s", last["status"])
    return 0 if last["status"] == "done" else 1


def _account_of(error: Exception, cancelled: bool) -> dict[str, Any]:
    if cancelled or isinstance(error, JobCancelledError):
        return {"status": "cancelled"}
    _log.error("the task failed", exc_info=error)
    if isinstance(error, GuidedrecError):
        return {"status": "failed", "error": str(error)}
    return {"status": "failed", "error": f"Unexpected {type(error).__name__}: {error} (details in the job's log)"}


def _load(tasks: Mapping[str, str], name: str) -> Task:
    if name not in tasks:
        raise GuidedrecError(f"expected a task out of {', '.join(tasks)}; got {name!r}")
    module, function = tasks[name].split(":")
    task: Task = getattr(importlib.import_module(module), function)
    return task


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), TASKS))
