"""Time left of a whole job: from earlier jobs, at this job's pace, within what the stage itself knows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from guidedrec_core.jobs.estimate import seconds_left
from guidedrec_core.jobs.record import Job

STAGES = ("refine", "placebo", "evaluate")


def job(number: int = 0, **state: Any) -> Job:
    whole = {"status": "done", "task": "refine", "arguments": {"dataset": "shop"}, **state}
    return Job(id=f"job-{number}", created=datetime.now(UTC), **whole)


BEFORE = job(1, stage_seconds={"refine": 100.0, "placebo": 80.0, "evaluate": 20.0})


def running(**state: Any) -> Job:
    return job(9, status="running", **state)


def test_stages_to_come_take_what_they_took() -> None:
    assert seconds_left(running(stage="refine", stage_seconds={"refine": 30.0}), STAGES, [BEFORE]) == 70 + 80 + 20


def test_a_slow_machine_is_noticed_by_the_stages_that_are_done() -> None:
    slow = running(stage="placebo", stage_seconds={"refine": 200.0, "placebo": 40.0})
    assert seconds_left(slow, STAGES, [BEFORE]) == (2 * 80 - 40) + 2 * 20


def test_a_stage_that_was_found_and_not_made_counts_for_nothing() -> None:
    reused = job(2, stage_seconds={"refine": 0.1, "placebo": 0.1, "evaluate": 15.0})
    now = running(stage="placebo", stage_seconds={"refine": 0.1, "placebo": 10.0})
    assert seconds_left(now, STAGES, [reused, BEFORE]) == 70 + 20


def test_the_stage_itself_knows_better() -> None:
    now = running(stage="evaluate", stage_seconds={"evaluate": 1.0}, seconds_left=5.0)
    assert seconds_left(now, STAGES, [BEFORE]) == 5
    late = running(stage="evaluate", stage_seconds={"evaluate": 30.0}, seconds_left=9.0, seconds_left_at_least=4.0)
    assert seconds_left(late, STAGES, [BEFORE]) == 4


@pytest.mark.parametrize(
    "earlier",
    [
        [],
        [job(2, status="failed", stage_seconds={"refine": 9.0})],
        [job(2, task="build", stage_seconds={"refine": 9.0})],
        [job(2, stage_seconds={"evaluate": 0.0})],
    ],
)
def test_without_a_finished_job_of_its_kind_nothing_is_said(earlier: list[Job]) -> None:
    assert seconds_left(running(stage="refine"), STAGES, earlier) is None
    assert seconds_left(running(stage=""), STAGES, [BEFORE]) is None


def test_jobs_on_the_same_data_set_come_first() -> None:
    other = job(2, arguments={"dataset": "films"}, stage_seconds={"refine": 1.0, "placebo": 1.0, "evaluate": 1.0})
    now = running(stage="refine", stage_seconds={"refine": 0.0})
    assert seconds_left(now, STAGES, [other, BEFORE]) == 200
    assert seconds_left(now, STAGES, [other]) == 3
