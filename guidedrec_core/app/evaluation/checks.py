"""The part of the Evaluation page that runs the checks which come with guidedrec, also against an earlier run."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.runs.library import refined_entries

_ALONE = "no other run"
_SIGNS = {"passed": "✓ passed", "failed": "✗ failed", "skipped": "– not compared"}


def checks(view: View) -> None:
    """Offer the checks, and show their outcomes once they ran."""
    st.subheader("Do the lists pass their checks?", anchor=False)
    others = [entry for entry in refined_entries(view.store, view.dataset) if entry.run.id != view.entry.run.id]
    names = {_ALONE: "Nothing"} | {entry.run.id: f"{entry.run.id} ({entry.details})" for entry in others}
    against = st.selectbox("Compare with", list(names), format_func=names.__getitem__, key="check_against")
    key = (view.entry.run.id, view.shown, against)
    if st.button("Check the lists", key="run_checks", icon=":material/rule:"):
        st.session_state["checked"] = key
    if st.session_state.get("checked") != key:
        show.note("Takes some seconds. The same checks run in a pipeline with the command guidedrec check.")
        return
    table = _outcomes(str(view.store.home), view.entry.run.id, view.shown, None if against == _ALONE else against)
    failed = int((table["Outcome"] == _SIGNS["failed"]).sum())
    passed = int((table["Outcome"] == _SIGNS["passed"]).sum())
    st.write(escaped(f"{passed} passed, {failed} failed, {len(table) - passed - failed} not compared."))
    show.table(table, hide_index=True)


@st.cache_data(max_entries=8, show_spinner="Checking the lists")
def _outcomes(home: str, run_id: str, shown: str, against: str | None) -> pd.DataFrame:
    """Return one row a check."""
    from guidedrec_core.checks.check import read_checks
    from guidedrec_core.checks.outcome import run_checks

    assert home
    run = loaders.system(run_id, shown)  # type: ignore[arg-type]
    other = None if against is None else loaders.system(against, shown)  # type: ignore[arg-type]
    with loaders.MODEL_LOCK:
        found = run_checks(read_checks(), run, other)
    rows = [
        (
            _SIGNS[one.status],
            one.check.name,
            "" if one.value is None else f"{one.value:.3g}",
            one.check.bounds,
            one.about,
        )
        for one in found
    ]
    return pd.DataFrame(rows, columns=["Outcome", "Check", "Measured", "Expected", "Where"])
