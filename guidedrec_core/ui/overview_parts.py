"""Parts of the Overview."""

from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.evaluation.verdict import HIGHLIGHT_WORDS, Headline, highlight_sentence
from guidedrec_core.ui import show, url
from guidedrec_core.ui.errors import escaped

CASE_STUDY = "pages/1_Case_study.py"
_ABOUT = (
    "A recommender learns from what people did, and cannot say why it recommends. Here a base model was refined with "
    "scores of attributes that people understand, so that every recommendation is an exact sum: each attribute, the "
    "purchase patterns beyond them, and popularity. These pages show what that changed, why, and whether it is better."
)
_PAGES = (
    (CASE_STUDY, "Why is this recommended to this user?", ":material/person_search:"),
    ("pages/2_Items.py", "What is this item, to the model and to shoppers?", ":material/inventory_2:"),
    ("pages/3_Embedding_map.py", "What moved, and why?", ":material/scatter_plot:"),
    ("pages/4_Evaluation.py", "Is it really better, and for whom?", ":material/balance:"),
)
_OWN_DATA = """\
guidedrec data import --format csv --path purchases.csv --name my-shop
guidedrec build my-shop --attributes attributes.json --item-scores scores.csv"""


def about() -> None:
    """Say what this is, in three sentences."""
    st.write(escaped(_ABOUT))


def dataset_line(facts: dict[str, Any], attributes: int) -> None:
    """Show the facts of the data set in one line, and what its import found odd."""
    history = facts["history"]
    first, last = (pd.Timestamp(facts[name]) for name in ("first", "last"))
    show.note(
        f"{facts['users']:,} users · {facts['items']:,} items in {facts['categories']:,} categories · "
        f"{facts['interactions']:,} interactions, {first:%b %Y} to {last:%b %Y} · {history['min']} to {history['max']} "
        f"a user, {history['median']:g} in the middle · {attributes} attributes"
    )
    if facts["notices"]:
        with st.expander(f"{len(facts['notices'])} remarks on the import", icon=":material/info:"):
            for notice in facts["notices"]:
                st.write(escaped(notice["message"]))


def headlines(figures: list[Headline]) -> None:
    """Show the refined model's figures with their change against the base."""
    for column, figure in zip(st.columns(len(figures)), figures, strict=True):
        with column:
            st.metric(
                f"{figure.metric}, refined",
                figure.value,
                delta=f"{figure.change} against the base",
                delta_color="off" if figure.effect == "unclear" else "normal",
                help=f"{figure.metric}: {figure.meaning}",
            )
            clear = "" if figure.effect != "unclear" else "; no clear difference"
            show.note(f"95 % interval of the change: {figure.interval}{clear}")


def cards(highlights: pd.DataFrame, catalogue: pd.DataFrame) -> None:
    """Show the cases worth opening, three in a row, each a link to its case."""
    if highlights.empty:
        show.note("Base and refined rank every held-out item alike; there is nothing to point out.")
        return
    titles = catalogue.set_index(c.ITEM)[c.TITLE]
    for first in range(0, len(highlights), 3):
        for column, (_, row) in zip(st.columns(3), highlights.iloc[first : first + 3].iterrows(), strict=False):
            user, item = str(row[c.USER]), str(row[c.ITEM])
            with column.container(border=True, height="stretch"):
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
                    query_params=url.link(user=user, item=item),
                )


def next_steps() -> None:
    """Point to the other pages, and say how to bring one's own data."""
    ways, own = st.columns(2, gap="large")
    with ways:
        st.subheader("Look further", anchor=False)
        for path, question, icon in _PAGES:
            st.page_link(path, label=question, icon=icon, query_params=url.link())
    with own:
        st.subheader("Bring your own data", anchor=False)
        st.write("A table of who took what and when, and a score of each item for each attribute:")
        st.code(_OWN_DATA, language="bash")
