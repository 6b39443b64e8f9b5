"""Segments of users: whether there are any, what refinement does for each, and how far they tell reasons apart."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders, show
from guidedrec_core.app.audience import loaders as audience_loaders
from guidedrec_core.app.audience.group import ask
from guidedrec_core.app.audience.percent import PERCENT, in_percent
from guidedrec_core.app.audience.saving import save_segment
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.audience import segment_words
from guidedrec_core.audience.segment_report import BIAS, REMAINDER
from guidedrec_core.conditions.condition import Definition, Segment
from guidedrec_core.evaluation.verdict import metric_label, metric_meaning
from guidedrec_core.figures.audience.segments import explained_bars, segment_forest, stability_lines
from guidedrec_core.figures.theme import Palette
from guidedrec_core.runs.store import RunInfo
from guidedrec_core.studies.study import LONGEST_NAME

if TYPE_CHECKING:
    from guidedrec_core.audience.segment_report import SegmentReport

METRICS = ("NDCG@10", "Recall@10", "MRR")
TABS = ("Who gets it", "Segments", "Shelves")
"""Tabs of the page; the value of ``part`` in its URL."""
_NUMBER = st.column_config.NumberColumn


def segments(view: View, run: RunInfo, colours: Palette) -> None:
    """Show the segments found."""
    lead = st.container()
    metric = st.segmented_control(
        "Measure", METRICS, default=METRICS[0], required=True, format_func=metric_label, key="measure",
        bind="query-params",
    )  # fmt: skip
    report = audience_loaders.segments(view.entry.run.id, run.id, metric or METRICS[0])
    with lead:
        show.lead(segment_words.segments_sentence(report, view.verb))
        if report.segments.stable:
            st.write(escaped(segment_words.gain_sentence(report)))
            st.write(escaped(segment_words.stability_sentence(report, view.verb)))
    if not report.segments.stable:
        _stability(report, colours, view)
        return
    left, right = show.pair()
    with left:
        st.markdown("**What refinement does for each**", help=escaped(metric_meaning(report.metric, view.verb)))
        show.chart(segment_forest(report.gains, colours), segment_words.gain_sentence(report), "segment_gains")
    with right:
        st.markdown("**How different the reasons are**")
        if report.explained is not None:
            schema = loaders.schema(view.entry.run.inputs["scores"])
            labels = {attribute.name: attribute.label for attribute in schema.attributes}
            labels |= {REMAINDER: view.verb.patterns.capitalize(), BIAS: "Popularity and the item itself"}
            said = segment_words.explained_sentence(report.explained, view.verb)
            show.chart(explained_bars(report.explained.parts, labels, colours), said, "explained")
            show.note(said, help="Parts of the mean score of each refined list; share of variance between segments.")
    _table(report, view)
    with st.expander("How sure are these segments?", icon=":material/help:"):
        _stability(report, colours, view)


def _table(report: "SegmentReport", view: View) -> None:
    """Show the segments; one of them can be taken as the group of the first tab."""
    verb = view.verb
    st.subheader("The segments", anchor=False)
    show.note(f"Choose a row to ask what its {verb.users} are shown, or to save it.")
    table = report.table.merge(report.gains[["segment", "n_cases", "gain", "over_placebo"]], on="segment")
    table["titles"] = [", ".join(titles) for titles in table["titles"]]
    table = in_percent(table, "share", "changed")
    event = show.table(
        table[["segment", "name", "users", "share", "gain", "over_placebo", "changed", "titles", "past", "n_cases"]],
        hide_index=True,
        height="content",
        key="segment_table",
        alt="Segments with their size, gain and typical recommendations",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "segment": _NUMBER("#", width=40),
            "name": st.column_config.TextColumn("Segment", width=420),
            "users": _NUMBER(verb.users.capitalize(), format="%d"),
            "share": _NUMBER("Share", format=PERCENT),
            "past": _NUMBER(f"Past {verb.nouns}", format="%.0f", help="Median"),
            "gain": _NUMBER("Gain over base", format="%+.4f"),
            "over_placebo": _NUMBER("Over shuffled scores", format="%+.4f"),
            "n_cases": _NUMBER("Test cases", format="%d"),
            "changed": _NUMBER("List changed", format=PERCENT, help="Share of the refined list not in the base list"),
            "titles": st.column_config.TextColumn("Typical recommendations", width=380),
        },
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(table):
        number = int(table["segment"].iloc[rows[0]])
        name = str(table["name"].iloc[rows[0]])
        place = st.container(horizontal=True)
        with place:
            st.button(
                f"Who gets what in segment {number}?",
                icon=":material/groups:",
                on_click=_take,
                args=(number,),
                key="take_segment",
            )
        definition = Definition.of(Segment(number=number, name=name), f"segment {number}")
        save_segment(view, place, "save_found", definition, name[:LONGEST_NAME])


def _take(number: int) -> None:
    """Ask about a segment on the first tab."""
    ask(users=f"segment {number}")
    st.session_state["part"] = TABS[0]


def _stability(report: "SegmentReport", colours: Palette, view: View) -> None:
    """Show what was tried."""
    table = report.segments.stability
    if table.empty:
        return
    alt = "Agreement of two halves of the users for each number of segments, against users without groups"
    show.chart(stability_lines(table, colours), alt, "stability")
    show.note(
        f"The {view.verb.users} are halved ten times and grouped by the direction of their taste. Halves of a random "
        "cloud with the same correlations agree by chance (dashed); a number of segments counts from 0.75 on, if it is "
        "0.15 above that.",
        help="k-means; adjusted Rand index of both halves' groups, over everybody.",
    )
    show.table_twin(
        table,
        "Show as table",
        "stability_table",
        column_config={
            "k": "Segments",
            "agreement": _NUMBER("Agreement", format="%.2f"),
            "chance": _NUMBER("Without groups", format="%.2f"),
            "passed": st.column_config.CheckboxColumn("Stable"),
        },
    )
