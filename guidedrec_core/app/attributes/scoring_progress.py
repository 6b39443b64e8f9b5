"""Scoring in progress on the page: progress, pause, cancel, resume; and its result."""

from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import jobs_panel, loaders, show
from guidedrec_core.app.attributes.loaders import Scores
from guidedrec_core.app.attributes.refine_again import offer_refinement
from guidedrec_core.app.attributes.scoring_words import result_sentence
from guidedrec_core.app.attributes.tables import TABS
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.jobs.record import Job

_GIVEN_UP = "score_given_up"
_EVERY_SECONDS = 1.0
_MOST = 500


def start(arguments: dict[str, Any]) -> None:
    """Start scoring as a job; usable as a button's callback."""
    jobs_panel.jobs().start("score", arguments)


def under_way(view: View) -> bool:
    """Show scoring that runs, is paused or has failed; return whether there is any."""
    job = jobs_panel.latest(view.dataset, "score")
    if job is None or job.status == "done" or st.session_state.get(_GIVEN_UP) == job.id:
        return False
    if job.active:
        _follow(job.id)
        return True
    if job.status == "cancelled":
        st.info("Scoring is paused. Answers so far are kept and not paid for twice.", icon=":material/pause_circle:")
        label = "Resume"
    else:
        st.error(escaped(job.error), title="Scoring stopped", icon=":material/error:")
        log = jobs_panel.jobs().log_tail(job.id)
        if log:
            with st.expander("Log", icon=":material/terminal:"):
                st.code(log, language=None)
        label = "Try again"
    with st.container(horizontal=True):
        st.button(label, type="primary", icon=":material/play_arrow:", on_click=_resume, args=(job.id,), key="score_on")
        st.button("Change the settings", icon=":material/tune:", on_click=_give_up, args=(job.id,), key="score_change")
    return True


def result(view: View, scores: Scores) -> None:
    """Show the latest scoring by a language model, and what failed."""
    run = next((one for one in (scores.newer, scores.given) if one is not None and "scoring" in one.config), None)
    if run is None:
        return
    st.subheader("Latest scoring", anchor=False)
    st.write(escaped(result_sentence(run.summary, view.verb)))
    faults = loaders.optional_table(run.id, "faults")
    if faults is not None and len(faults):
        _failed(view, faults)
    if run == scores.newer:
        st.button("Show these scores", icon=":material/bar_chart:", on_click=_look, key="score_look")
        offer_refinement(view, "The next refinement uses the new scores.", run)


def _failed(view: View, faults: pd.DataFrame) -> None:
    """List what could not be scored, and why."""
    titles = loaders.table(view.entry.data.id, "catalogue").set_index(c.ITEM)[c.TITLE]
    with st.expander(f"{len(faults):,} failed", icon=":material/report:"):
        if len(faults) > _MOST:
            show.note(f"{_MOST:,} of {len(faults):,} shown.")
        show.note("Their scores are missing and count as average; scoring again will retry them.")
        rows = faults.head(_MOST)
        show.table(
            rows.assign(title=rows["id"].map(titles).fillna(""))[["kind", "id", "title", "reason"]],
            hide_index=True,
            key="fault_table",
            column_config={
                "kind": st.column_config.TextColumn("Kind", width="small"),
                "id": st.column_config.TextColumn("ID", width="small"),
                "title": st.column_config.TextColumn("Title", width="medium"),
                "reason": st.column_config.TextColumn("Reason", width="large"),
            },
        )


@st.fragment(run_every=_EVERY_SECONDS)
def _follow(job_id: str) -> None:
    """Draw the progress; refresh the page when the job has ended."""
    job = jobs_panel.find(job_id)
    if job is None or not job.active:
        st.rerun(scope="app")
    share, words = jobs_panel.progress_words(job)
    st.progress(share, text=escaped(words))
    with st.container(horizontal=True):
        st.button("Pause", icon=":material/pause:", on_click=_stop, args=(job,), key="score_pause")
        st.button("Cancel", icon=":material/cancel:", on_click=_stop, args=(job, True), key="score_cancel")
    show.note("You can close the page meanwhile. Answers are kept as they arrive and are not paid for twice.")


def _stop(job: Job, give_up: bool = False) -> None:
    """End the job; a paused one can be resumed, a cancelled one cannot."""
    jobs_panel.jobs().cancel(job.id)
    if give_up:
        _give_up(job.id)


def _resume(job_id: str) -> None:
    jobs_panel.jobs().resume(job_id)


def _give_up(job_id: str) -> None:
    st.session_state[_GIVEN_UP] = job_id


def _look() -> None:
    st.session_state["which_scores"] = "newer"
    st.session_state["part"] = TABS[0]
