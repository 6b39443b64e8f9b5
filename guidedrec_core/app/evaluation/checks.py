"""The part of the Evaluation page that runs the checks which come with guidedrec, also against an earlier run."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import loaders, show, url
from guidedrec_core.app.page import View
from guidedrec_core.runs.library import refined_entries
from guidedrec_core.runs.titles import run_titles

_ALONE = "alone"
"""Value of ``checks`` in the address: the lists were checked without another run."""
_SIGNS = {"failed": "✗ failed", "passed": "✓ passed", "skipped": "– not compared"}


def checks(view: View) -> None:
    """Offer the checks, and show their outcomes once they are asked for; the address says which run they compare."""
    st.subheader("Do the lists pass their checks?", anchor=False)
    lead = st.container()
    titles = run_titles([view.entry, *refined_entries(view.store, view.dataset)])
    names = {_ALONE: "No other run"} | {run: title for run, title in titles.items() if run != view.entry.run.id}
    asked = url.current().get("checks")
    checked = asked in names
    url.follow("check_against", asked if checked else st.session_state.get("check_against", _ALONE))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        against = st.selectbox(
            "Compare with",
            list(names),
            format_func=lambda run: names.get(run, run),
            key="check_against",
            on_change=_ask if checked else None,
            help="Eight checks ask whether the lists are about what another run's were, e.g. before a retraining.",
            width=360,
        )
        if not checked:
            st.button("Check the lists", key="run_checks", icon=":material/rule:", on_click=_ask)
    if not checked:
        show.note("Takes some seconds. The same checks run in a pipeline with the command guidedrec check.")
        return
    table = _outcomes(str(view.store.home), view.entry.run.id, view.shown, None if against == _ALONE else against)
    with lead:
        show.lead(_sentence(table["Outcome"]))
    text = st.column_config.TextColumn
    show.table(
        table,
        hide_index=True,
        height="content",
        key="checks_table",
        alt="Every check with its outcome",
        column_config={
            "Outcome": text(width=120),
            "Check": text(width=370),
            "Measured": text(width=90),
            "Expected": text(width=190),
            "Where": text("Most so", width=210),
        },
    )


def _ask() -> None:
    url.update(checks=st.session_state["check_against"])


def _sentence(outcomes: pd.Series) -> str:
    """Say what came of the checks."""
    passed, failed, skipped = (int((outcomes == _SIGNS[status]).sum()) for status in ("passed", "failed", "skipped"))
    made = passed + failed
    said = f"{failed} of {made} checks failed." if failed else f"All {made} checks passed."
    return f"{said} {skipped} more compare with another run." if skipped else said


@st.cache_data(max_entries=8, show_spinner="Checking the lists")
def _outcomes(home: str, run_id: str, shown: str, against: str | None) -> pd.DataFrame:
    """Return one row a check, what failed first."""
    from guidedrec_core.checks.check import read_checks
    from guidedrec_core.checks.outcome import run_checks

    assert home
    run = loaders.system(run_id, shown)  # type: ignore[arg-type]
    other = None if against is None else loaders.system(against, shown)  # type: ignore[arg-type]
    with loaders.MODEL_LOCK:
        found = run_checks(read_checks(), run, other)
    found.sort(key=lambda one: list(_SIGNS).index(one.status))
    rows = [
        (
            _SIGNS[one.status],
            one.check.name,
            "" if one.value is None else one.check.words(one.value),
            one.check.bounds_in_words,
            one.about if one.value else "",  # where nothing was found, nothing is "most so"
        )
        for one in found
    ]
    return pd.DataFrame(rows, columns=["Outcome", "Check", "Measured", "Expected", "Where"])
