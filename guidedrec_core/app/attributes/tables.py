"""Tables of the Attributes page; a chosen item can be opened or corrected."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import show, url
from guidedrec_core.app.errors import escaped
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.reliability.trust import Trust

TABS = ("Scores", "Attributes", "Set by hand", "Score with AI", "Not named yet")
"""Tabs of the page; the value of ``part`` in its URL."""

_MOST_GAPS = 200
_NUMBER = st.column_config.NumberColumn


def schema_table(schema: AttributeSchema) -> None:
    """Show all attributes with what their ends mean, and the levels between where there are any."""
    low, high = schema.scale.min, schema.scale.max
    names = {
        "label": "Attribute",
        "low": f"{low:g} means",
        "high": f"{high:g} means",
        "definition": "What is judged",
        "levels": "In between",
    }
    rows = [
        {
            "label": attribute.label,
            "low": attribute.low,
            "high": attribute.high,
            "definition": attribute.definition,
            "levels": "; ".join(f"{value}: {text}" for value, text in attribute.levels.items()),
        }
        for attribute in schema.attributes
    ]
    said = [name for name in names if any(row[name] for row in rows)]
    table = pd.DataFrame([{names[name]: escaped(row[name]) for name in said} for row in rows])
    st.table(table, hide_index=True)  # unlike a data frame it shows long texts in full


def fact_table(trust: Trust) -> None:
    """Show each attribute's scores in numbers."""
    show.table(
        trust.facts[["label", "mean", "spread", "commonest", "bunching", "missing"]],
        hide_index=True,
        height="content",
        key="fact_table",
        column_config={
            "label": "Attribute",
            "mean": _NUMBER("Average", format="%.1f"),
            "spread": _NUMBER("Spread", format="%.1f", help="Standard deviation over items"),
            "commonest": _NUMBER("Most common score", format="%g"),
            "bunching": _NUMBER("Items with that score", format="percent"),
            "missing": _NUMBER("Not scored", format="%d"),
        },
    )


def agreement_table(agreement: pd.DataFrame) -> None:
    """Show in words how well another pass would agree."""
    show.table(
        agreement[["label", "sentence", "icc", "low", "high", "difference"]],
        hide_index=True,
        height="content",
        key="agreement_table",
        column_config={
            "label": "Attribute",
            "sentence": st.column_config.TextColumn("How far to trust it", width="large"),
            "icc": _NUMBER(
                "Agreement",
                format="%.2f",
                help="Intraclass correlation (ICC): share of the variance of a single score that is due to the item",
            ),
            "low": _NUMBER("95 % from", format="%.2f"),
            "high": _NUMBER("to", format="%.2f"),
            "difference": _NUMBER("Points apart", format="%.1f", help="Average difference of two passes on one item"),
        },
    )


def pair_table(pairs: pd.DataFrame) -> None:
    """Show how far each two attributes overlap."""
    show.table(
        pairs,
        hide_index=True,
        height=260,
        key="pair_table",
        column_config={
            "first": "Attribute",
            "second": "and",
            "correlation": _NUMBER("Correlation", format="%+.2f", help="1 = identical, -1 = opposite, 0 = unrelated"),
        },
    )


def doubt_table(doubtful: pd.DataFrame, titles: pd.Series) -> None:
    """Show the scores that passes disagree on most."""
    rows = doubtful.assign(title=doubtful[c.ITEM].map(titles))
    _item_table(
        rows,
        ["title", "label", "passes", "spread"],
        "doubt_table",
        {
            "title": st.column_config.TextColumn("Item", width=170),
            "label": st.column_config.TextColumn("Attribute", width=120),
            "passes": st.column_config.TextColumn("Scores", width=60, help="Lowest to highest over the passes"),
            "spread": _NUMBER("Spread", format="%.2f", width=60, help="Standard deviation over the passes, in points"),
        },
    )


def gap_table(unscored: pd.DataFrame, titles: pd.Series, faults: pd.DataFrame | None) -> None:
    """Show the items that lack scores, with the reason where a language model could not score them."""
    rows = unscored.head(_MOST_GAPS).assign(title=lambda table: table[c.ITEM].map(titles))
    shown = ["title", "attributes"]
    if faults is not None and len(faults):
        reasons = faults[faults["kind"] == "item"].set_index("id")["reason"]
        rows["reason"] = rows[c.ITEM].map(reasons).fillna("")
        shown.append("reason")
    if len(unscored) > len(rows):
        show.note(f"{len(rows):,} of {len(unscored):,} shown, most gaps first.")
    _item_table(
        rows,
        shown,
        "gap_table",
        {
            "title": st.column_config.TextColumn("Item", width="medium"),
            "attributes": st.column_config.TextColumn("Missing", width="medium"),
            "reason": st.column_config.TextColumn("Reason", width="medium"),
        },
    )


def item_links(item_id: str, title: str, key: str) -> None:
    """Link from an item to its page, and to setting one of its scores by hand."""
    with st.container(horizontal=True, key=key):
        st.page_link(
            Path("pages/2_Items.py"),
            label=f"Open {escaped(title)}",
            icon=":material/inventory_2:",
            query_params=url.link(item=item_id),
        )
        st.button(
            "Set a score by hand", icon=":material/edit:", key=f"{key}_set", on_click=_open_overrides, args=(item_id,)
        )


def _open_overrides(item_id: str) -> None:
    url.update(item=item_id)
    st.session_state["part"] = TABS[2]


def _item_table(rows: pd.DataFrame, shown: list[str], key: str, config: dict[str, Any]) -> None:
    """Show a table of items; the chosen one can be opened or corrected."""
    show.note("Choose a row to open or correct the item.")
    event = show.table(
        rows[shown],
        hide_index=True,
        height=min(300, 38 + 35 * len(rows)),
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config=config,
    )
    chosen = event["selection"]["rows"]
    if chosen and chosen[0] < len(rows):
        row = rows.iloc[chosen[0]]
        item_links(str(row[c.ITEM]), str(row["title"]), f"{key}_links")
