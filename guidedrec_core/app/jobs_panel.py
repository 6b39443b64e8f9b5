"""A job on a page: stage, progress, time left, cancel; and what to do when it failed."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import NotFoundError
from guidedrec_core.jobs.heartbeat import silence_sentence
from guidedrec_core.jobs.record import Job
from guidedrec_core.jobs.store import JobStore
from guidedrec_core.progress import EVALUATION_STAGES, STAGES
from guidedrec_core.runs import library

STAGE_WORDS = {
    "data": "Reading the data set",
    "scores": "Reading the attribute scores",
    "train base": "Training the base model",
    "refine": "Refining it with the attributes",
    "repeat": "Training the earlier run once more, to see what chance changes",
    "second training": "Retraining without attributes, for comparison",
    "placebo": "Training with shuffled scores, for comparison",
    "random vectors": "Training with random numbers, for comparison",
    "categories": "Training with categories instead of scores, for comparison",
    "guided only": "Training with scores only, for comparison",
    "discover": "Looking for patterns without a name",
    "evaluate": "Measuring all models",
    "project": "Drawing the maps",
    "ablation": "Refining with fewer attributes",
    "audit": "Testing the explanations",
}
_TASK_STAGES = {
    "import": STAGES,
    "build": STAGES,
    "refine": ("refine", *EVALUATION_STAGES),
    "repeat": ("repeat",),
    "discover": ("discover", "scores"),
    "accept": ("scores", "refine", *EVALUATION_STAGES),
    "evaluate": EVALUATION_STAGES,
    "ablate": ("ablation",),
    "audit": ("audit",),
    "score": ("scores",),
}
_ON_MODELS = ("build", "refine", "repeat", "discover", "accept", "evaluate", "ablate", "audit")
_ASKS_A_MODEL = ("score", "discover", "accept")
_SCORING = "Scoring with the language model"
_WATCHED = ("validation NDCG@10", "ranking quality")
"""The measure that training monitors: its technical name, and the name on screen."""

_EVERY_SECONDS = 1.0


def jobs() -> JobStore:
    """Return the jobs stored next to the runs."""
    return JobStore(loaders.store().home)


def latest(dataset: str, task: str | None = None) -> Job | None:
    """Return the newest job of a data set in any state: of one task, or of any work on models."""
    for job in jobs().list():
        if job.task in (_ON_MODELS if task is None else (task,)) and job.arguments.get("dataset") == dataset:
            return job
    return None


def find(job_id: str) -> Job | None:
    """Return a job's state; None when its folder was deleted meanwhile."""
    try:
        return jobs().get(job_id)
    except NotFoundError:
        return None


def start(task: str, dataset: str, run_id: str, **arguments: Any) -> Job:
    """Start work on a refined run in its own process, or return the same under way; fit for a button's callback."""
    return jobs().start(task, {"dataset": dataset, "run": run_id, **arguments})


def start_build(dataset: str) -> Job:
    """Start a build in its own process, or return the one under way; fit for a button's callback."""
    return jobs().start("build", {"dataset": dataset})


def build_again(dataset: str) -> Job:
    """Start a build that makes every model again, or return the work under way; fit for a button's callback."""
    under_way = latest(dataset)
    if under_way is not None and under_way.active:
        return under_way
    # The time is an argument, so that the same job, when resumed, reuses what it has finished itself.
    return jobs().start("build", {"dataset": dataset, "again_since": datetime.now(UTC).isoformat(timespec="seconds")})


def progress_words(job: Job) -> tuple[float, str]:
    """Describe the progress of a job.

    Returns
    -------
    tuple of (float, str)
        Share of all stages done, 0..1 (all stages count the same, though some take longer), and the words.
    """
    share, words = stage_words(job)
    if job.stage not in stages_of(job):
        return share, words
    # Some stages have a single message, which repeats their name.
    message = "" if words.lower().endswith(job.message.lower()) else job.message
    parts = [words, message, job.metric.replace(*_WATCHED)]
    if job.seconds_left is not None:
        parts.append(f"{_time_left(job.seconds_left_at_least, job.seconds_left)} left in this step")
    parts.append(silence_sentence(job))
    return share, " · ".join(part for part in parts if part)


def stage_words(job: Job) -> tuple[float, str]:
    """Return the share of all stages done, 0..1, and which stage a job is in; see `progress_words`."""
    stages = stages_of(job)
    if job.stage not in stages:
        return 0.0, "Starting"
    number = stages.index(job.stage)
    within = min(job.step / job.total, 1.0) if job.total else 0.0
    step = f"Step {number + 1} of {len(stages)}: " if len(stages) > 1 else ""
    words = _SCORING if job.task in _ASKS_A_MODEL and job.stage == "scores" else STAGE_WORDS[job.stage]
    return (number + within) / len(stages), f"{step}{words}"


def stages_of(job: Job) -> tuple[str, ...]:
    """Return the stages of a job, in order."""
    stages = _TASK_STAGES.get(job.task, STAGES)
    if "refine" in stages and job.arguments.get("repeat"):
        place = stages.index("refine")
        return (*stages[:place], "repeat", *stages[place:])
    return stages


def show_first_build(job: Job, dataset: str, verb: InteractionVerb) -> None:
    """Show the build a page waits for, until there is a refined run to look at."""
    if not job.active:
        show_ended(job)
        return
    st.markdown(
        f"Building **{escaped(dataset)}** for the first time. The first pages open as soon as the refined model is "
        "ready. This happens only once, and you can close the page meanwhile."
    )
    _follow(job.id, dataset)
    show.about(verb)


def show_ended(job: Job) -> None:
    """Say how a job ended without a result, and offer to resume it."""
    if job.status == "cancelled":
        what = "build" if job.task == "build" else "work"
        st.info(f"The {what} was cancelled. Finished steps are kept.", icon=":material/info:")
        label = "Resume building" if job.task == "build" else "Resume"
    else:
        stage = STAGE_WORDS.get(job.stage, "Starting")
        st.error(escaped(job.error), title=f"Stopped at: {stage}", icon=":material/error:")
        label = "Try again"
    st.button(label, icon=":material/refresh:", type="primary", on_click=resume, args=(job.id,), key="resume")
    log = jobs().log_tail(job.id)
    if log:
        with st.expander("Log", icon=":material/terminal:"):
            st.code(log, language=None)


@st.fragment(run_every=_EVERY_SECONDS)
def _follow(job_id: str, dataset: str) -> None:
    """Draw the progress; continue with the page when there is something to see."""
    job = find(job_id)
    if job is None:
        show.note("This build was deleted.")
        return
    if not job.active or library.refined_entries(loaders.store(), dataset):
        st.rerun(scope="app")
    share, words = progress_words(job)
    st.progress(share, text=escaped(words))
    st.button("Cancel", icon=":material/cancel:", on_click=cancel, args=(job_id,), key="cancel_job")


def cancel(job_id: str) -> None:
    """Stop a job; fit for a button's callback."""
    jobs().cancel(job_id)


def resume(job_id: str) -> None:
    """Start the same again; fit for a button's callback."""
    jobs().resume(job_id)


def _time_left(least: float | None, most: float) -> str:
    """Return the bounds of a remaining time in words.

    Examples
    --------
    >>> _time_left(None, 200), _time_left(100, 200), _time_left(38, 200), _time_left(190, 200)
    ('at most 3 minutes', '2 to 3 minutes', '40 seconds to 3 minutes', '3 minutes')
    """
    longest = duration(most)
    if least is None:
        return f"at most {longest}"
    shortest = duration(least)
    if shortest == longest:
        return longest
    (number, unit), unit_of_longest = shortest.split(), longest.split()[1]
    return f"{number if unit == unit_of_longest else shortest} to {longest}"


def duration(seconds: float) -> str:
    """Return a remaining time, rounded to the precision of the estimate.

    Examples
    --------
    >>> duration(38.2), duration(200)
    ('40 seconds', '3 minutes')
    """
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    return f"{round(seconds / 60)} minutes"
