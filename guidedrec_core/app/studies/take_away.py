"""What a study can be taken away as: report, slides, JSON; each is made when it is clicked."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.page import Frame
from guidedrec_core.report.saved_case import entry_of
from guidedrec_core.runs.library import RefinedEntry
from guidedrec_core.studies.exchange import export_study
from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import SavedCase, Study

if TYPE_CHECKING:
    from guidedrec_core.report.stored_study import StoredStudy


def take_away(
    frame: Frame, store: StudyStore, study: Study, cases: Sequence[SavedCase], entries: Sequence[RefinedEntry]
) -> None:
    """Show the menu "Export" of a study.

    Parameters
    ----------
    frame : Frame
        The page.
    store : StudyStore
        Where the study is.
    study : Study
        The study.
    cases : sequence of SavedCase
        Its cases, in order.
    entries : sequence of RefinedEntry
        The refined runs there are, newest first.
    """

    def computed() -> "StoredStudy":
        from guidedrec_core.report.stored_study import compute_study

        return compute_study(study, cases, entries, loaders.system, datetime.now(UTC), lock=loaders.MODEL_LOCK)

    def report() -> bytes:
        from guidedrec_core.report.html import report_html

        return report_html(computed().report()).encode()

    def slides() -> bytes:
        from guidedrec_core.report.html import slides_html

        found = computed()
        return slides_html(study.name, found.slides(), found.stamp).encode()

    def document() -> bytes:
        return json.dumps(export_study(store, study), ensure_ascii=False, indent=2).encode()

    nothing = all(entry_of(case, entries) is None for case in cases)
    stem = f"study-{study.id[:8]}"
    with st.popover("Export", icon=":material/ios_share:", key="export"):
        show.note("Report and slides open offline in any browser, with notes and verdicts.")
        show.offer_file("Report (HTML)", f"{stem}.html", "text/html", report, "description", nothing)
        show.offer_file("Presentation (slides)", f"{stem}-slides.html", "text/html", slides, "slideshow", nothing)
        if nothing:
            show.note("A report needs a case whose data set and run still exist.")
        show.note("To move the study to another place: Import on the list of studies reads it.")
        show.offer_file("Study (JSON)", f"{stem}.json", "application/json", document, "data_object", False)
