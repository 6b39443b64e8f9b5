"""The part of the Evaluation page that says for whom refinement helps, against the strict control."""

import pandas as pd
import streamlit as st

from guidedrec_core.app import show, url
from guidedrec_core.app.audience import loaders as audience_loaders
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.evaluation.tables import slice_table
from guidedrec_core.app.page import View
from guidedrec_core.audience.saved import SegmentStore
from guidedrec_core.evaluation.gain_parts import CONTROL_WORDS
from guidedrec_core.evaluation.slice_words import SEGMENT, slice_gains, slice_sentence
from guidedrec_core.figures.evaluation import slice_forest
from guidedrec_core.figures.theme import Palette
from guidedrec_core.runs.store import RunInfo

_AUDIENCE = "pages/6_Audience.py"


def for_whom(
    view: View, run: RunInfo, slices: pd.DataFrame, metric: str, control: str | None, colours: Palette
) -> None:
    """Show the gain by item popularity, by history length, and for saved segments.

    Parameters
    ----------
    view : View
        The page.
    run : RunInfo
        The evaluation.
    slices : pandas.DataFrame
        Its slices.
    metric : str
        The measure to judge by.
    control : str or None
        The strict control.
    colours : Palette
        For the charts.
    """
    st.subheader("For whom?", anchor=False)
    if control is not None:
        show.note(
            f"Judged against {CONTROL_WORDS[control]}, the strict control: of the measured controls the one that comes "
            "closest to the refined model."
        )
    for column, slice_by in zip(show.pair(), ("item popularity", "history length"), strict=True):
        with column:
            _slices(view, slices, slice_by, metric, control, colours)
    st.markdown("**By saved segment**")
    segments = SegmentStore(view.store.home).list(view.dataset)
    if not segments:
        show.note(f"Save a group of {view.verb.users} on the page Audience, and what refinement brings it stands here.")
    else:
        samples, cutoffs = int(run.config["bootstrap_samples"]), tuple(run.config["cutoffs"])
        gains = audience_loaders.saved_gains(view.entry.run.id, run.id, segments, cutoffs, samples)
        if len(gains.slices):
            _slices(view, gains.slices, SEGMENT, metric, control, colours)
        for sentence in gains.left_out:
            show.note(sentence)
    st.page_link(_AUDIENCE, label="Choose and save segments", icon=":material/groups:", query_params=url.link())


def _slices(
    view: View, slices: pd.DataFrame, slice_by: str, metric: str, control: str | None, colours: Palette
) -> None:
    """Show the gain in each slice: a sentence, a chart, a table."""
    verb = view.verb
    sentence = slice_sentence(slices, slice_by, metric, verb, control)
    st.write(escaped(sentence))
    show.chart(slice_forest(slices, slice_by, metric, colours, verb), sentence, f"slices_{slice_by}")
    with st.expander("Show as table", icon=":material/table:"):
        slice_table(slice_gains(slices, slice_by, metric, control), slice_by, verb, control)
