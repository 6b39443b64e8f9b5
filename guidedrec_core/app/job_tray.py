"""The job tray in the sidebar of every page: what runs, how long it will take, Cancel; and what is done."""

import streamlit as st

from guidedrec_core.app import jobs_panel, url
from guidedrec_core.app.attributes.tables import TABS
from guidedrec_core.app.errors import escaped
from guidedrec_core.jobs.estimate import seconds_left
from guidedrec_core.jobs.record import Job

_EVERY_SECONDS = 2.0
_MOST_ENDED = 3
_SEEN, _DISMISSED = "jobs_seen", "jobs_dismissed"
_TITLES = {
    "import": "Bringing in {dataset}",
    "build": "Building {dataset}",
    "refine": "Refining {dataset} again",
    "repeat": "Training {dataset} once more",
    "discover": "Testing a name for {dataset}",
    "accept": "Adding an attribute to {dataset}",
    "evaluate": "Measuring {dataset}",
    "ablate": "Measuring the attributes of {dataset}",
    "audit": "Testing the explanations of {dataset}",
    "score": "Scoring {dataset}",
}
_EVALUATION, _ATTRIBUTES = "pages/4_Evaluation.py", "pages/5_Attributes.py"
_PAGE_OF = {
    "repeat": _EVALUATION,
    "evaluate": _EVALUATION,
    "ablate": _EVALUATION,
    "audit": _EVALUATION,
    "score": _ATTRIBUTES,
    "discover": _ATTRIBUTES,
}
"""Where the result of a task is seen; of the others, on the Overview."""
_NEW_RUN = ("build", "refine", "accept")


def tray() -> None:
    """Show the jobs under way, and those that ended while the visitor was here; nothing where there are none."""
    found = jobs_panel.jobs().list()
    active = [job for job in found if job.active]
    seen = st.session_state.setdefault(_SEEN, set())
    seen.update(job.id for job in active)
    left = seen - st.session_state.setdefault(_DISMISSED, set())
    ended = [job for job in found if job.id in left and not job.active][:_MOST_ENDED]
    if not active and not ended:
        return
    with st.sidebar:
        st.divider()
        for job in ended:
            _ended(job)
        if active:
            _running(tuple((job.id, job.stage) for job in active))


def title(job: Job) -> str:
    """Say what a job does.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> title(Job("a", "running", "refine", {"dataset": "fernway"}, datetime.now(UTC)))
    'Refining fernway again'
    """
    return _TITLES.get(job.task, "Working on {dataset}").format(dataset=job.arguments.get("dataset", "a data set"))


def time_left(job: Job, earlier: list[Job]) -> str:
    """Say how long a job will take as a whole; empty where nothing is known of it."""
    left = seconds_left(job, jobs_panel.stages_of(job), earlier)
    return "" if left is None else f"about {jobs_panel.duration(left)} left"


@st.fragment(run_every=_EVERY_SECONDS)
def _running(shown: tuple[tuple[str, str], ...]) -> None:
    """Draw the jobs under way; refresh the page when one ends, begins or enters another stage."""
    found = jobs_panel.jobs().list()
    active = [job for job in found if job.active]
    # A stage that is done may have a result that the page waits for.
    if tuple((job.id, job.stage) for job in active) != shown:
        st.rerun(scope="app")
    for job in active:
        share, words = jobs_panel.stage_words(job)
        st.markdown(f"**{escaped(title(job))}**")
        st.progress(share, text=escaped(words))
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(escaped(time_left(job, found) or "time left unknown"))
            st.button("Cancel", on_click=jobs_panel.cancel, args=(job.id,), key=f"cancel_{job.id}", type="tertiary")


def _ended(job: Job) -> None:
    """Say how a job ended, and offer what comes next."""
    words = {"done": ("Done", ":material/check_circle:"), "cancelled": ("Cancelled", ":material/cancel:")}
    word, icon = words.get(job.status, ("Stopped", ":material/error:"))
    st.markdown(f"{icon} **{word}:** {escaped(title(job)[0].lower() + title(job)[1:])}")
    if job.error:
        st.caption(escaped(job.error))
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.status == "done":
            _result(job)
        else:
            st.button("Resume", on_click=_resume, args=(job.id,), key=f"resume_{job.id}")
        st.button("Dismiss", on_click=_dismiss, args=(job.id,), key=f"dismiss_{job.id}", type="tertiary")


def _result(job: Job) -> None:
    """Link to what a job made: of a refinement from another run, to what it changed."""
    dataset, earlier = job.arguments.get("dataset"), job.arguments.get("run")
    if job.task in ("refine", "accept") and earlier not in (None, job.run_id):
        place = url.link(url.EVALUATION, dataset=dataset, run=job.run_id, compare=earlier, user=None, item=None)
        st.page_link(_EVALUATION, label="See what changed", query_params=place)
        return
    run = job.run_id if job.task in _NEW_RUN else earlier
    place = url.link(dataset=dataset, run=run, user=None, item=None)
    if job.task == "discover":
        place["part"] = TABS[-1]
    st.page_link(_PAGE_OF.get(job.task, "app.py"), label="Open it", query_params=place)


def _resume(job_id: str) -> None:
    jobs_panel.resume(job_id)
    _dismiss(job_id)


def _dismiss(job_id: str) -> None:
    st.session_state[_DISMISSED].add(job_id)
