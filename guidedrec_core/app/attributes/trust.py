"""Part of the Attributes page: how scores are distributed, and how far they can be trusted."""

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show
from guidedrec_core.app.attributes import tables
from guidedrec_core.app.attributes.loaders import Scores
from guidedrec_core.app.errors import escaped
from guidedrec_core.figures.attributes import agreement_dots, correlation_map, histograms
from guidedrec_core.figures.theme import Palette
from guidedrec_core.reliability.trust import Trust
from guidedrec_core.reliability.trust_words import ALIKE, alike_sentence, doubt_sentence, gaps_sentence, spread_sentence
from guidedrec_core.runs.store import Run


def choose_scores(scores: Scores) -> Run:
    """Offer the newer scores, where there are some; return the run to show."""
    if scores.newer is None:
        return scores.used
    words = {"used": "Scores of this run", "newer": "Newer scores, not in use yet"}
    chosen = st.segmented_control(
        "Scores", list(words), default="used", required=True, format_func=words.__getitem__, key="which_scores"
    )
    return scores.newer if chosen == "newer" else scores.used


def distributions(trust: Trust, colours: Palette) -> None:
    """Show how the scores of each attribute spread over the scale."""
    st.subheader("How do the scores spread?", anchor=False)
    sentence = spread_sentence(trust)
    st.write(escaped(sentence))
    show.chart(histograms(trust.counts, trust.facts, trust.schema, colours), sentence, "histograms")
    scale = trust.schema.scale
    show.note(
        "Share of items at each score, on the same scale for all attributes. The most common score is marked with its "
        "share. Hover over a chart to see what both ends mean."
    )
    with st.expander(
        f"What {scale.min:g} and {scale.max:g} mean, attribute by attribute", icon=":material/straighten:"
    ):
        tables.schema_table(trust.schema)
    with st.expander("Show as table", icon=":material/table:"):
        tables.fact_table(trust)


def agreement(trust: Trust, colours: Palette) -> None:
    """Show whether another pass would agree, and which attributes overlap."""
    left, right = show.pair()
    with left:
        st.subheader("Would a second scoring agree?", anchor=False)
        if trust.agreement is None or trust.agreement["icc"].isna().all():
            st.write(
                "Unknown, because no item was scored twice. Score with two or more passes under "
                "“Score with AI” to see how well they agree."
            )
        else:
            show.note(
                "1 = every pass gives each item the same score. Colour and shape mark attributes below “good”.",
                help="Intraclass correlation (ICC) of a single score. An attribute counts as good if the lower end of "
                "its 95 % interval is at least 0.75.",
            )
            chart = agreement_dots(trust.agreement, colours)
            show.chart(chart, "Agreement between passes on each attribute, with 95 % intervals", "agreement")
            with st.expander("Attribute by attribute, in words", icon=":material/table:"):
                tables.agreement_table(trust.agreement)
    with right:
        st.subheader("Do attributes overlap?", anchor=False)
        sentence = alike_sentence(trust.pairs)
        show.note(sentence)
        show.chart(correlation_map(trust.correlations, trust.schema, ALIKE, colours), sentence, "correlations")
        with st.expander("Show as table", icon=":material/table:"):
            tables.pair_table(trust.pairs)


def items(trust: Trust, catalogue: pd.DataFrame, faults: pd.DataFrame | None) -> None:
    """Show the items whose scores need review: those that passes disagree on, and those with gaps.

    Parameters
    ----------
    trust : Trust
        The scores.
    catalogue : pandas.DataFrame
        ``item_id, title`` of all items.
    faults : pandas.DataFrame or None
        ``kind, id, reason`` of what a language model could not score.
    """
    st.subheader("Which items need review?", anchor=False)
    titles = catalogue.set_index(c.ITEM)[c.TITLE]
    left, right = show.pair()
    with left:
        st.markdown("**Passes disagree**")
        show.note(doubt_sentence(trust))
        if trust.doubtful is not None and len(trust.doubtful):
            tables.doubt_table(trust.doubtful, titles)
    with right:
        st.markdown("**Scores are missing**")
        show.note(gaps_sentence(trust))
        if len(trust.unscored):
            tables.gap_table(trust.unscored, titles, faults)
