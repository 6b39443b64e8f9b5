"""A job's heartbeat: its process writes ``job.json`` every two seconds, and readers tell from that when it hangs.

A process that has ended is noticed at once, by its number (see `store`). A heartbeat shows what that cannot: a process
that is there and does nothing, e.g. because the machine is suspended, swaps, or waits for a disk that does not answer.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from guidedrec_core.jobs.record import Job

_log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
SILENT_SECONDS = 60.0
"""A running job that has not written for so long hangs; thirty beats may be missed on a busy machine."""

_LOOK_SECONDS = 0.25


class Heartbeat:
    """Calls `write` at least every `EVERY_SECONDS`, and soon where something is waiting; use as a context manager.

    Parameters
    ----------
    write : callable
        Writes the record.
    waiting : callable
        Tells whether there is something new to write.
    """

    def __init__(self, write: Callable[[], None], waiting: Callable[[], bool]) -> None:
        self._write = write
        self._waiting = waiting
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(_LOOK_SECONDS):
            if self._waiting() or time.monotonic() - last >= EVERY_SECONDS:
                last = time.monotonic()
                try:
                    self._write()
                except OSError:  # e.g. the disk is full for a moment; that must not end the heartbeat
                    _log.exception("job.json could not be written")


def silent_minutes(job: Job, now: datetime | None = None) -> int:
    """Return for how many whole minutes a running job has given no sign of life; 0 where all is well.

    Parameters
    ----------
    job : Job
        As it was read.
    now : datetime, optional
        The present, UTC.
    """
    if job.status != "running" or job.heartbeat is None:
        return 0
    silent = ((now or datetime.now(UTC)) - job.heartbeat).total_seconds()
    return int(silent // 60) if silent >= SILENT_SECONDS else 0


def silence_sentence(job: Job) -> str:
    """Say that a job gives no sign of life; empty where it does."""
    minutes = silent_minutes(job)
    return f"No sign of life for {minutes:,} min; the machine may be overloaded" if minutes else ""
