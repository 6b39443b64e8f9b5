"""Offering to refine anew, from newer scores or scores set by hand."""

import streamlit as st

from guidedrec_core.ui import jobs_panel, show, url
from guidedrec_core.ui.page import View


def offer_refinement(view: View, why: str) -> None:
    """Offer to refine anew with the settings of the run under study; say how an earlier offer ended.

    Parameters
    ----------
    view : View
        The data set and run under study.
    why : str
        What the new refinement would know.
    """
    job = jobs_panel.latest(view.dataset, "refine")
    about_this = job is not None and job.arguments.get("run") == view.entry.run.id
    if job is not None and about_this and job.status in ("failed", "interrupted", "cancelled"):
        jobs_panel.show_ended(job)
        return
    busy = view.job is not None and view.job.active
    show.note(
        f"{why} Stored runs stay as they are; a new one is made over the same base model, with the same settings."
        f"{' Something is under way already; its progress is at the top.' if busy else ''}"
    )
    with st.container(horizontal=True):
        st.button(
            "Refine anew",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(view.dataset, view.entry.run.id),
            disabled=busy,
            key="refine_again",
        )
        if job is not None and about_this and job.status == "done":
            st.button(
                "Open the run that was made last",
                icon=":material/arrow_forward:",
                on_click=url.update,
                kwargs={"run": job.run_id},
                key="open_refined",
            )


def _start(dataset: str, run_id: str) -> None:
    jobs_panel.start("refine", dataset, run_id)
