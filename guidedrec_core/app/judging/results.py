"""What a test has found: the answer, its figures, and how many more answers are needed."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import show
from guidedrec_core.app.errors import escaped
from guidedrec_core.figures.judging.results import group_intervals
from guidedrec_core.figures.theme import Palette, palette
from guidedrec_core.judging.analysis import ACCURACY, BRIER, Results, results
from guidedrec_core.judging.experiment import Experiment
from guidedrec_core.judging.store import ExperimentStore


def show_results(store: ExperimentStore, experiment: Experiment) -> Results:
    """Show the results of a test; return them."""
    found = results(experiment, store.answers(experiment), store.judges(experiment.id))
    show.lead(found.sentence)
    st.write(escaped(found.power))
    colours = palette(show.dark())
    if found.answers:
        if experiment.kind == "taste_test":
            second = experiment.content.compared[1].name
            show.chart(
                group_intervals(found.estimates, "preference", colours, f"prefer the list of {second}"),
                alt=f"Share of answers that prefer the list of {second}, with 95 % intervals; one half is neither",
                key="preference",
            )
        else:
            _predictions(found, colours)
    for sentence in found.further:
        st.write(escaped(sentence))
    if found.answers:
        show.note(found.method)
        show.table_twin(_table(found), "Show as a table", key="test_estimates", column_config=_COLUMNS)
    return found


def _predictions(found: Results, colours: Palette) -> None:
    left, right = show.pair()
    with left:
        show.chart(
            group_intervals(found.estimates, ACCURACY, colours),
            alt="Share of right answers in each arm, with 95 % intervals; one half is guessing",
            key="accuracy",
        )
    with right:
        show.chart(
            group_intervals(found.estimates, BRIER, colours),
            alt="Brier score of each arm, with 95 % intervals; lower is better, 0.25 is knowing nothing",
            key="brier",
        )


_COLUMNS = {
    "label": st.column_config.TextColumn("Answers", width="medium"),
    "measure": "Measure",
    "value": st.column_config.NumberColumn("Value", format="%.3f"),
    "low": st.column_config.NumberColumn("95 % from", format="%.3f"),
    "high": st.column_config.NumberColumn("to", format="%.3f"),
    "n": "Number",
    "judges": "Judges",
    "cases": "Cases",
}


def _table(found: Results) -> pd.DataFrame:
    both = [part for part in (found.estimates, found.differences) if len(part)]
    return show.plain(pd.concat(both, ignore_index=True)[list(_COLUMNS)], 3)
