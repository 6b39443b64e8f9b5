"""Parts of the Overview."""

from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import page, show, url
from guidedrec_core.app.errors import escaped
from guidedrec_core.cases.key import HELD_OUT
from guidedrec_core.evaluation.verdict import HIGHLIGHT_WORDS, MODEL_WORDS, Headline, highlight_sentence

CASE_STUDY = "pages/1_Case_study.py"
_OWN_DATA = """\
guidedrec data import --name my-shop \\
    --format csv --path purchases.csv
guidedrec build my-shop \\
    --attributes attributes.json \\
    --item-scores scores.csv"""


def dataset_line(facts: dict[str, Any], attributes: int) -> None:
    """Show the facts of the data set in one line, and what its import found odd."""
    history = facts["history"]
    first, last = (pd.Timestamp(facts[name]) for name in ("first", "last"))
    show.note(
        f"{facts['users']:,} users · {facts['items']:,} items in {facts['categories']:,} categories · "
        f"{facts['interactions']:,} interactions, {first:%b %Y} to {last:%b %Y} · "
        f"{history['min']:,} to {history['max']:,} a user, {history['median']:g} in the middle · "
        f"{attributes} attributes"
    )
    if facts["notices"]:
        count = len(facts["notices"])
        with st.expander(f"{count} remark{'s' if count > 1 else ''} on the import", icon=":material/info:"):
            for notice in facts["notices"]:
                st.write(escaped(notice["message"]))


def headlines(figures: list[Headline]) -> None:
    """Show the refined model's figures with their change against the base."""
    grid = st.grid(len(figures), min_column_width=230)
    for figure in figures:
        with grid.cell():
            st.metric(
                figure.metric,
                figure.value,
                delta=f"{figure.change} against base",
                delta_color="off" if figure.effect == "unclear" else "normal",
                help=f"{figure.metric} of the refined model: {figure.meaning}. Below: its change against the base "
                "model with the 95 % interval of that change.",
            )
            clear = "" if figure.effect != "unclear" else ", no clear change"
            show.note(f"95 %: {figure.interval}{clear}")
            for control in figure.controls:
                show.note(control)


def metrics_table(metrics: pd.DataFrame) -> None:
    """Offer the figures of all models as a table."""
    number = st.column_config.NumberColumn
    show.table_twin(
        metrics.assign(model=metrics["model"].map(MODEL_WORDS)),
        "The same as a table, with popularity and similar items",
        key="metrics",
        column_config={
            "model": "Model",
            "metric": "Metric",
            "value": number("Value", format="%.4f"),
            "ci_low": number("95 % interval from", format="%.4f"),
            "ci_high": number("to", format="%.4f"),
        },
    )


def cards(highlights: pd.DataFrame, catalogue: pd.DataFrame) -> None:
    """Show the cases worth opening, three in a row, each a link to its case."""
    if highlights.empty:
        show.note("Base and refined rank every held-out item alike; there is nothing to point out.")
        return
    titles = catalogue.set_index(c.ITEM)[c.TITLE]
    grid = st.grid(3, min_column_width=260)
    for _, row in highlights.iterrows():
        user, item = str(row[c.USER]), str(row[c.ITEM])
        with grid.cell().container(border=True, height="stretch"):
            st.markdown(f"**{HIGHLIGHT_WORDS[row['kind']]}**")
            st.write(escaped(highlight_sentence(titles[item], row["base_rank"], row["refined_rank"])))
            show.note(
                f"User {user}, {row['history_length']} in the history; item taken {row['item_interactions']:,} "
                "times in training"
            )
            st.page_link(
                CASE_STUDY,
                label="Open this case",
                icon=":material/arrow_forward:",
                query_params=url.link(user=user, item=item, history=HELD_OUT),
            )


def next_steps() -> None:
    """Point to the other pages, and say how to bring one's own data."""
    ways, own = show.pair()
    with ways:
        st.subheader("Look further", anchor=False)
        for path, _, question, icon in page.PAGES[1:]:
            st.page_link(path, label=question, icon=icon, query_params=url.link())
    with own:
        st.subheader("Bring your own data", anchor=False)
        st.write("A table of who took what and when, and a score of each item for each attribute:")
        st.code(_OWN_DATA, language="bash")
