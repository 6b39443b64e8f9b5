"""How far a job is, in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from guidedrec_core.app.jobs_panel import progress_words
from guidedrec_core.jobs.record import Job


def job(**state: Any) -> Job:
    return Job(
        id="20260101-000000-abcdef", status="running", task="build", arguments={}, created=datetime.now(UTC), **state
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "Starting"),
        ({"stage": "data", "message": "reading the data set"}, "Step 1 of 8: Reading the data set"),
        (
            {
                "stage": "train base",
                "message": "pass 3 of at most 120",
                "metric": "validation NDCG@10 0.1",
                "seconds_left": 120,
            },
            "Step 3 of 8: Training the base model · pass 3 of at most 120 · ranking quality 0.1 · "
            "at most 2 minutes left in this step",
        ),
        (
            {"stage": "refine", "message": "pass 3", "seconds_left": 600, "seconds_left_at_least": 130},
            "Step 4 of 8: Refining it with the attributes · pass 3 · 2 to 10 minutes left in this step",
        ),
    ],
)
def test_a_job_says_how_far_it_is_and_nothing_twice(state: dict[str, Any], words: str) -> None:
    assert progress_words(job(**state))[1] == words


def test_stages_count_alike() -> None:
    assert progress_words(job(stage="train base", step=30, total=120))[0] == pytest.approx((2 + 0.25) / 8)
