"""A job's heartbeat: written while it works, and read by those who look."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guidedrec_core.jobs import heartbeat
from guidedrec_core.jobs.heartbeat import Heartbeat, silence_sentence, silent_minutes
from guidedrec_core.jobs.record import Job, read_record
from guidedrec_core.jobs.worker import Reporter
from guidedrec_core.progress import Progress

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
JOB = Job(id="20260102-030405-abcdef", status="running", task="build", arguments={}, created=NOW, heartbeat=NOW)


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (59, 0), (60, 1), (179, 2), (7200, 120)])
def test_a_running_job_that_does_not_write_hangs(seconds: int, minutes: int) -> None:
    assert silent_minutes(JOB, NOW + timedelta(seconds=seconds)) == minutes
    for status in ("queued", "done", "failed", "cancelled", "interrupted"):
        assert silent_minutes(replace(JOB, status=status), NOW + timedelta(hours=3)) == 0  # type: ignore[arg-type]


def test_what_people_read() -> None:
    assert silence_sentence(replace(JOB, heartbeat=datetime.now(UTC))) == ""
    long_ago = datetime.now(UTC) - timedelta(minutes=3, seconds=5)
    assert silence_sentence(replace(JOB, heartbeat=long_ago)).startswith("No sign of life for 3 min")


def test_a_record_is_written_while_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(heartbeat, "_LOOK_SECONDS", 0.01)
    folder = tmp_path / JOB.id
    folder.mkdir()
    with Reporter(folder, JOB) as reporter:
        reporter.listen(Progress("train base", 1, 9))
        first = read_record(folder)
        assert first is not None
        deadline = datetime.now(UTC) + timedelta(seconds=20)
        while (later := read_record(folder)) is None or later.heartbeat == first.heartbeat:
            assert datetime.now(UTC) < deadline
    assert later.stage == "train base"


def test_a_disk_that_fails_for_a_moment_does_not_end_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(heartbeat, "_LOOK_SECONDS", 0.01)
    beats, went_on = [0], threading.Event()

    def write() -> None:
        beats[0] += 1
        if beats[0] == 1:
            raise OSError("the disk is full")
        went_on.set()

    with Heartbeat(write, lambda: False):
        assert went_on.wait(20)
