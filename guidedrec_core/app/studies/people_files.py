"""What a test can be taken away as: report, results and answers; each is made when it is clicked."""

import json
from datetime import UTC, datetime

import streamlit as st

from guidedrec_core.app import show
from guidedrec_core.judging.analysis import results
from guidedrec_core.judging.experiment import Experiment
from guidedrec_core.judging.export import answers_csv, results_json
from guidedrec_core.judging.store import ExperimentStore


def people_files(store: ExperimentStore, test: Experiment) -> None:
    """Show the menu "Export" of a test."""

    def report() -> bytes:
        from guidedrec_core.report.html import report_html
        from guidedrec_core.report.people import people_report

        found = results(test, store.answers(test), store.judges(test.id))
        return report_html(people_report(test, found, datetime.now(UTC))).encode()

    def document() -> bytes:
        found = results(test, store.answers(test), store.judges(test.id))
        return json.dumps(results_json(test, found), ensure_ascii=False, indent=2).encode()

    def answers() -> bytes:
        return answers_csv(store.answers(test)).encode()

    stem = f"test-{test.id[:8]}"
    with st.popover("Export", icon=":material/ios_share:", key="export"):
        show.note("These hold results: they sway whoever is still to judge.")
        show.offer_file("Report (HTML)", f"{stem}.html", "text/html", report, "description")
        show.offer_file("Results (JSON)", f"{stem}.json", "application/json", document, "data_object")
        show.offer_file("Every answer (CSV)", f"{stem}-answers.csv", "text/csv", answers, "table")
