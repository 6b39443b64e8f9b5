"""Tables of the pages about items; a chosen row opens the item or case."""

from pathlib import Path

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show, url
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.verbs import InteractionVerb

_MOST_USERS = 200
_NUMBER = st.column_config.NumberColumn


def near_table(near: pd.DataFrame, key: str) -> None:
    """Show similar items; choosing one opens it. The key must name the item, or the choice is kept for the next."""

    def open_item() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            url.update(item=str(near[c.ITEM].iloc[rows[0]]))

    show.note("Choose a row to open that item.")
    show.table(
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
            "similarity": _NUMBER("Similarity", format="%.2f", help="Cosine similarity of item vectors; 1 = identical"),
            "why": st.column_config.TextColumn("What makes them similar", width="medium"),
            "also": st.column_config.CheckboxColumn("In both models"),
        },
    )


def attribute_table(attributes: pd.DataFrame) -> None:
    """Show an item's scores."""
    show.table(
        attributes[["label", "score", "catalogue_score", "z", "low", "high", "missing"]],
        hide_index=True,
        column_config={
            "label": "Attribute",
            "score": _NUMBER("Score", format="%.1f"),
            "catalogue_score": _NUMBER("Catalogue average", format="%.1f"),
            "z": _NUMBER("Against average", format="%+.2f", help="In standard deviations of the catalogue (z-score)"),
            "low": st.column_config.TextColumn("Low means", width="medium"),
            "high": st.column_config.TextColumn("High means", width="medium"),
            "missing": st.column_config.CheckboxColumn("Not scored"),
        },
    )


def audience_table(audience: pd.DataFrame, item_id: str, verb: InteractionVerb) -> None:
    """Show the users who get an item recommended; a chosen user can be opened as a case."""
    with st.expander(f"{verb.users.capitalize()} who get it", icon=":material/group:"):
        some = (
            "" if len(audience) <= _MOST_USERS else f"{_MOST_USERS:,} of {len(audience):,} shown, best refined first. "
        )
        show.note(f"{some}Choose a row to open the case.")
        event = show.table(
            audience.head(_MOST_USERS),
            hide_index=True,
            height=260,
            key=f"audience_table_{item_id}",
            on_select="rerun",
            selection_mode="single-row",
            column_config={
                c.USER: verb.user.capitalize(),
                "base_rank": _NUMBER("Rank in base list", format="%d"),
                "refined_rank": _NUMBER("Rank in refined list", format="%d"),
            },
        )
        rows = event["selection"]["rows"]
        if rows and rows[0] < len(audience):
            user = str(audience[c.USER].iloc[rows[0]])
            case_link(user, item_id, verb)


def case_link(user: str, item_id: str | None, verb: InteractionVerb) -> None:
    """Link to a user's case study."""
    st.page_link(
        Path("pages/1_Case_study.py"),
        label=f"Why is it recommended to this {verb.user}?",
        icon=":material/person_search:",
        query_params=url.link(user=user, item=item_id),
    )
