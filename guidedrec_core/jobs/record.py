"""A job's record on disk: ``job.json``, replaced atomically, so that a reader sees it at any moment and never half."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import filelock
from pydantic import TypeAdapter, ValidationError

from guidedrec_core.files import read_bounded

Status = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]

_RECORD = "job.json"
_LOCK_SECONDS = 60.0
_MOST_BYTES = 16 << 20


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
    stage_seconds : dict of str to float
        Seconds spent so far in each stage reached, the present one included.
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
    stage_seconds: dict[str, float] = field(default_factory=dict)
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
        return _parsed(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        changed = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        problem = f"{_damaged(folder, error)}; delete the folder and start again"
        return Job(id=folder.name, status="failed", task="", arguments={}, created=changed, error=problem)


def problem_of(folder: Path) -> str:
    """Return what is wrong with a job's folder; empty when it holds a record as it was written."""
    try:
        _parsed(folder)
    except (FileNotFoundError, NotADirectoryError):
        return f"{folder} has no {_RECORD}"
    except (OSError, ValueError) as error:
        return _damaged(folder, error)
    return ""


def _parsed(folder: Path) -> Job:
    """Read a record, strictly.

    Raises
    ------
    OSError
        There is none, or it is no file that can be read.
    ValueError
        It is no record of this job.
    """
    job = _ADAPTER.validate_json(read_bounded(folder / _RECORD, _MOST_BYTES))
    if job.id != folder.name:
        raise ValueError(f"it is that of job {job.id[:40]}")
    if any(moment is not None and moment.tzinfo is None for moment in (job.created, job.heartbeat, job.finished)):
        raise ValueError("a time lacks its zone")
    return job


def _damaged(folder: Path, error: Exception) -> str:
    """Say that a record is damaged, and why."""
    if isinstance(error, ValidationError):
        reason = f"{error.error_count()} wrong fields"
    else:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return f"{folder / _RECORD} is damaged ({reason})"
