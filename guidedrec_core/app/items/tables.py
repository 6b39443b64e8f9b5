"""Tables of the pages about items; a row that is chosen leads on."""

from pathlib import Path

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show, url
from guidedrec_core.data.catalogue import category_words

_MOST_USERS = 200
_NUMBER = st.column_config.NumberColumn


def near_table(near: pd.DataFrame, key: str) -> None:
    """Show nearest items; choosing one opens it. The key must name the item, or the choice is kept for the next."""

    def open_item() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            url.update(item=str(near[c.ITEM].iloc[rows[0]]))

    show.note("Choose a row to look at that item.")
    st.dataframe(
        near.assign(category=near[c.CATEGORY].map(category_words))[
            [c.RANK, c.TITLE, c.CATEGORY, "similarity", "why", "also"]
        ],
        hide_index=True,
        key=key,
        on_select=open_item,
        selection_mode="single-row",
        column_config={
            c.RANK: _NUMBER("Rank", width="small"),
            c.TITLE: "Item",
            c.CATEGORY: "Category",
            "similarity": _NUMBER("Similarity", format="%.2f", help="Cosine similarity in that space; 1 = the same"),
            "why": st.column_config.TextColumn("What makes them near", width="medium"),
            "also": st.column_config.CheckboxColumn("Near in both spaces"),
        },
    )


def attribute_table(attributes: pd.DataFrame) -> None:
    """Show an item's scores."""
    st.dataframe(
        attributes[["label", "score", "catalogue_score", "z", "low", "high", "missing"]],
        hide_index=True,
        column_config={
            "label": "Attribute",
            "score": _NUMBER("Score", format="%.1f"),
            "catalogue_score": _NUMBER("Catalogue mean", format="%.1f"),
            "z": _NUMBER("z", format="%+.2f", help="Distance from the catalogue's mean in standard deviations"),
            "low": st.column_config.TextColumn("Low end means", width="medium"),
            "high": st.column_config.TextColumn("High end means", width="medium"),
            "missing": st.column_config.CheckboxColumn("Not scored"),
        },
    )


def audience_table(audience: pd.DataFrame, item_id: str) -> None:
    """Show who is recommended an item; a user chosen there can be opened as a case."""
    with st.expander("Users with it in a list", icon=":material/group:"):
        if len(audience) > _MOST_USERS:
            show.note(f"{_MOST_USERS:,} of {len(audience):,} shown, best refined rank first. Choose a row to go on.")
        else:
            show.note("Choose a row to go on.")
        event = st.dataframe(
            audience.head(_MOST_USERS),
            hide_index=True,
            height=260,
            key=f"audience_table_{item_id}",
            on_select="rerun",
            selection_mode="single-row",
            column_config={
                c.USER: "User",
                "base_rank": _NUMBER("Place in base list", format="%d"),
                "refined_rank": _NUMBER("Place in refined list", format="%d"),
            },
        )
        rows = event["selection"]["rows"]
        if rows and rows[0] < len(audience):
            user = str(audience[c.USER].iloc[rows[0]])
            case_link(user, item_id)


def case_link(user: str, item_id: str | None) -> None:
    """Link to a user's case study."""
    st.page_link(
        Path("pages/1_Case_study.py"),
        label="Why is it recommended to this user?",
        icon=":material/person_search:",
        query_params=url.link(user=user, item=item_id),
    )
