"""The question "What is it made of": how the score adds up, and each contribution in words, against another item's."""

from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show, url
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.explanation.lines import AVERAGE
from guidedrec_core.explanation.words import ordinal, source_label, source_meanings
from guidedrec_core.figures import case as case_figures
from guidedrec_core.figures import counterfactuals as figures
from guidedrec_core.figures.theme import palette
from guidedrec_core.recommenders.explanation import Explanation
from guidedrec_core.refinement.sources import SOURCES

_AVERAGE, _BELOW = "", "just below"
_SCORES = ("user_score", "item_score", "catalogue_score")


def made_of(view: View, case: Case) -> None:
    """Show what each line adds to the selected item's score, compared with another item's."""
    assert case.selected is not None  # sections are shown only with an item
    selected = case.selected
    rows = zip(*(case.refined[name].tolist() for name in (c.ITEM, c.RANK, c.TITLE)), strict=True)
    labels = {_AVERAGE: "An average item", _BELOW: "The next item in the list"}
    labels |= {item: f"{ordinal(rank)}: {title}" for item, rank, title in rows if item != selected.item_id}
    if selected.seen:
        del labels[_BELOW]
    asked = url.current().get("against", _AVERAGE)
    url.follow("against", asked if asked in labels else _AVERAGE)
    chosen = st.selectbox(
        "Compared with",
        list(labels),
        format_func=lambda item: labels.get(item, item),
        key="against",
        on_change=url.keep,
        args=("against", "against"),
        width=420,
    )
    if selected.excluded_by:
        show.note(f"The rule “{selected.excluded_by}” takes the item out of all lists. Without it, this is its score:")
        selected = selected.without_exclusion()
    if chosen == _AVERAGE:
        steps = case_figures.score_steps(selected.steps, palette(view.dark))
        show.chart(steps, alt=selected.sentence, key="steps")
        contributions(selected, view.verb)
        return
    other = None if chosen == _BELOW else chosen
    comparison = case_loaders.against(case.key, other)
    if comparison is None:
        show.note("This is the last item, so there is no next one.")
        return
    show.lead(comparison.sentence)
    show.chart(figures.contrast_bars(comparison.parts, palette(view.dark)), alt=comparison.sentence, key="against_bars")
    show.note(f"Score difference: {comparison.difference:+.2f}, the exact sum of all parts.")
    show.table_twin(
        comparison.parts,
        "All parts",
        key="against_table",
        column_config={"label": "Part", "value": st.column_config.NumberColumn("Score difference", format="%+.4f")},
    )


def contributions(explanation: Explanation, verb: InteractionVerb) -> None:
    """Say each line in words, largest first, with what attributes' contributions come from; raw values on demand."""
    own = explanation.parts[["attribute", *SOURCES]].assign(kind="attribute")
    lines = explanation.lines[explanation.lines["name"] != AVERAGE]
    rows = lines.merge(own, how="left", left_on=["kind", "name"], right_on=["kind", "attribute"])
    rows = rows.assign(words=rows["text"].str.replace(r" \([^)]*\)$", "", regex=True))
    number = st.column_config.NumberColumn
    sources: dict[str, Any] = {
        name: number(source_label(name, verb), format="%+.2f", help=f"Part of the contribution: {meaning}")
        for name, meaning in zip(SOURCES, source_meanings(verb), strict=True)
    }
    show.table(
        show.plain(rows[["label", "contribution", "words"]], 3).join(show.plain(rows[[*SOURCES]], 2)),
        hide_index=True,
        height=min(38 + 35 * len(rows), 740),
        key="contributions",
        alt="Each reason's contribution to the score, in words; of attributes also what it comes from",
        placeholder="",
        column_config={
            "label": st.column_config.TextColumn("Reason", width=180),
            "contribution": number("Contribution", format="%+.3f", width=90),
            "words": st.column_config.TextColumn("In words", width=380),
            **sources,
        },
    )
    scores = {
        "user_score": number(
            f"This {verb.user}", format="%.1f", help=f"Average over past {verb.nouns}; recent ones count more"
        ),
        "item_score": number("This item", format="%.1f", help="Empty: not scored, treated as average"),
        "catalogue_score": number("Catalogue", format="%.1f", help="Average of all items"),
    }
    show.table_twin(_raw(explanation), "Scores and raw values", key="raw_parts", column_config=scores)


def _raw(explanation: Explanation) -> pd.DataFrame:
    """Return all terms of the score, unrounded."""
    values = explanation.parts[["attribute", *SOURCES, *_SCORES, "user_value", "item_value", "low", "high"]].assign(
        item_score=explanation.parts["item_score"].where(~explanation.parts["missing"])
    )
    lines = explanation.lines[["kind", "name", "label", "contribution", "ci_low", "ci_high"]]
    score = pd.DataFrame({"kind": [""], "name": ["score"], "label": ["Score"], "contribution": [explanation.score]})
    table = lines.merge(values, how="left", left_on="name", right_on="attribute").drop(columns="attribute")
    return pd.concat([table, score], ignore_index=True)
