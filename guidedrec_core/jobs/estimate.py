"""How long a job will still take as a whole, from how long its stages took in earlier jobs."""

from collections.abc import Iterable, Sequence

from guidedrec_core.jobs.record import Job

_EARLIER = 5  # jobs looked at, the newest first
_MEASURABLE = 1.0  # seconds; shorter stages say nothing about this machine's pace
_LARGEST_PACE = 4.0


def seconds_left(job: Job, stages: Sequence[str], earlier: Iterable[Job]) -> float | None:
    """Estimate the seconds until a running job is done.

    A stage is expected to take as long as the longest of the same stage in the newest finished jobs of the same task,
    on the same data set where there are any: a stage whose result was found and not made again took no time there. The
    sum is scaled by how much slower or faster the finished stages of this job were.

    Parameters
    ----------
    job : Job
        Running.
    stages : sequence of str
        Its stages in order.
    earlier : iterable of Job
        Other jobs, the newest first.

    Returns
    -------
    float or None
        None where no earlier job says how long the stages to come take, or the job is in none of its stages yet.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> now = datetime.now(UTC)
    >>> before = Job("a", "done", "refine", {}, now, stage_seconds={"refine": 30.0, "evaluate": 60.0})
    >>> job = Job("b", "running", "refine", {}, now, stage="refine", stage_seconds={"refine": 10.0})
    >>> seconds_left(job, ("refine", "evaluate"), [before])
    80.0
    """
    if job.stage not in stages:
        return None
    done = [one for one in earlier if one.status == "done" and one.task == job.task and one.id != job.id]
    same_data = [one for one in done if one.arguments.get("dataset") == job.arguments.get("dataset")]
    known = (same_data or done)[:_EARLIER]
    expected = {stage: max((one.stage_seconds.get(stage, 0.0) for one in known), default=0.0) for stage in stages}
    place = stages.index(job.stage)
    if not any(expected[stage] for stage in stages[place:]):
        return None
    pace = _pace(job, stages[:place], expected)
    here = max(pace * expected[job.stage] - job.stage_seconds.get(job.stage, 0.0), 0.0)
    # The stage itself knows better where it counts its steps.
    here = max(here, job.seconds_left_at_least or 0.0)
    here = here if job.seconds_left is None else min(here, job.seconds_left)
    return here + pace * sum(expected[stage] for stage in stages[place + 1 :])


def _pace(job: Job, finished: Sequence[str], expected: dict[str, float]) -> float:
    """Return the time that finished stages took, relative to what was expected; 1 where nothing can be told."""
    measured = [stage for stage in finished if min(job.stage_seconds.get(stage, 0.0), expected[stage]) >= _MEASURABLE]
    if not measured:
        return 1.0
    pace = sum(job.stage_seconds[stage] for stage in measured) / sum(expected[stage] for stage in measured)
    return min(max(pace, 1 / _LARGEST_PACE), _LARGEST_PACE)
