"""Offering to refine again, from newer scores or scores set by hand, or with doubtful ones counting less."""

from pathlib import Path
from typing import Any

import streamlit as st

from guidedrec_core.app import jobs_panel, show, url
from guidedrec_core.app.attributes import loaders as attributes_loaders
from guidedrec_core.app.page import View
from guidedrec_core.jobs.record import Job
from guidedrec_core.runs.store import Run


def offer_doubt(view: View, scores: Run) -> None:
    """Offer to let doubtful scores count less; nothing where no item was scored twice.

    Parameters
    ----------
    view : View
        The data set and run under study.
    scores : Run
        What the next refinement starts from.
    """
    if _scored_twice(scores):
        offer_refinement(view, "Scores on which passes disagree can count less than others.", scores)


def offer_refinement(view: View, why: str, scores: Run) -> None:
    """Offer to refine again with the settings of the run under study; say how an earlier job ended.

    Parameters
    ----------
    view : View
        The data set and run under study.
    why : str
        What the new refinement would use.
    scores : Run
        What it starts from, overridden or not.
    """
    job = jobs_panel.latest(view.dataset, "refine")
    about_this = job is not None and job.arguments.get("run") == view.entry.run.id
    if job is not None and about_this and job.status in ("failed", "interrupted", "cancelled"):
        jobs_panel.show_ended(job)
        return
    busy = view.job is not None and view.job.active
    show.note(
        f"{why} Refining again makes a new run from the same base model and settings; existing runs stay unchanged."
        f"{' Another job is running; its progress is in the sidebar.' if busy else ''}",
        help="To compare, this run is also trained once more with another seed, which tells effect from chance.",
    )
    changes = _doubt(view) if _scored_twice(scores) else {}
    with st.container(horizontal=True):
        st.button(
            "Refine and compare",
            icon=":material/compare_arrows:",
            type="primary",
            on_click=_start,
            args=(view.dataset, view.entry.run.id, {**changes, "repeat": True}),
            disabled=busy,
            key="refine_and_compare",
        )
        st.button(
            "Refine again",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(view.dataset, view.entry.run.id, changes),
            disabled=busy,
            key="refine_again",
        )
    if job is not None and about_this and job.status == "done":
        link_to_changes(job)


def link_to_changes(job: Job, key: str = "open_refined") -> None:
    """Link to what a finished refinement changed, or say that it changed nothing."""
    earlier = str(job.arguments["run"])
    if job.run_id == earlier:
        show.note("The last refinement found the same scores and settings, so it made no other run.")
        return
    with st.container(horizontal=True):
        st.page_link(
            Path("pages/4_Evaluation.py"),
            label="See what changed",
            icon=":material/compare_arrows:",
            query_params=url.link(url.EVALUATION, run=job.run_id, compare=earlier),
        )
        st.button(
            "Open the newest run",
            icon=":material/arrow_forward:",
            on_click=url.update,
            kwargs={"run": job.run_id},
            key=key,
        )


def _doubt(view: View) -> dict[str, Any]:
    """Let the visitor choose whether doubtful scores count less; return the job's arguments."""
    shrink = st.toggle(
        "Doubtful scores count less",
        value=view.entry.shrinks_doubtful,
        key="refine_doubt",
        help="The more the passes disagree on a score, the more it is treated as average",
    )
    return {"doubt": "shrink" if shrink else "ignore"}


def _scored_twice(scores: Run) -> bool:
    return attributes_loaders.trust(scores.id).report is not None


def _start(dataset: str, run_id: str, changes: dict[str, Any]) -> None:
    jobs_panel.start("refine", dataset, run_id, **changes)
