"""The answer of the Case study above the fold: both lists, and why the chosen item stands where it stands."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show, url
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.explanation.words import lower_first, move_words, ordinal
from guidedrec_core.figures import case as figures
from guidedrec_core.figures.theme import palette
from guidedrec_core.rules.words import RULED

_HELD_OUT = "◎"
_ROW, _HEADER = 26, 37
_CHART = 180
_PAIRS = 5


def lists(case: Case, view: View) -> None:
    """Show base and refined list side by side; a click on a row explains its item."""
    with st.container(gap="xsmall"):
        _both(case, view)


def _both(case: Case, view: View) -> None:
    verb = view.verb
    for column, table, name, other in zip(
        st.columns(2, gap="small"), (case.base, case.refined), ("base", "refined"), ("now", "was"), strict=True
    ):
        with column, st.container(gap="xsmall"):
            st.markdown(
                f"**{escaped(name.capitalize())} top {len(table)}**",
                help=f"Click an item to see why the {verb.user} gets it.",
            )
            _list(table, name, other, case, view.dark)
    for item, title, base, refined in _columns(case.held_out, c.ITEM, c.TITLE, "base_rank", "refined_rank"):
        if case.selected is not None and case.selected.item_id == item:
            continue  # the sentence below is about it
        places = f"{ordinal(base)} in the base model, {ordinal(refined)} in the refined"
        said = f"{_HELD_OUT} {verb.next.capitalize()}: {title}, {places}"
        st.button(
            escaped(said), key=f"next_{item}", type="tertiary", on_click=url.update, kwargs={"item": item},
            help=f"What this {verb.user} {verb.past} next; neither model knew it.",
        )  # fmt: skip


def why(case: Case, view: View) -> None:
    """Say why the item under study stands where it stands, the largest part first."""
    chosen = case.selected
    assert chosen is not None  # shown only with an item
    show.lead(chosen.sentence)
    if chosen.seen or chosen.excluded_by:
        return
    strongest = case_loaders.strongest_item(case.key)
    if strongest is not None:
        # Places in this sentence are the model's own, which rules may have changed.
        st.write(escaped(f"Without rules, {lower_first(strongest)}" if case.rules else strongest))


def charts(case: Case, view: View) -> None:
    """Draw why the item under study stands where it stands; nothing for one that is never recommended."""
    chosen = case.selected
    if chosen is None or chosen.seen or chosen.excluded_by:
        return
    colours = palette(view.dark)
    scale = loaders.schema(view.entry.run.inputs["scores"]).scale
    left, right = show.pair(360)
    with left:
        figure = figures.reason_shares(chosen.shares, colours, height=_CHART)
        show.chart(figure, alt=chosen.sentence, key="shares")
    with right:
        show.chart(
            figures.pairs(chosen.parts, (scale.min, scale.max), colours, view.verb, most=_PAIRS, height=_CHART),
            alt=f"The {view.verb.user}'s and the item's score on each attribute that matters here",
            key="pairs",
        )
    show.note(" · ".join(part for part in (category_words(chosen.category), chosen.description) if part))


def _list(table: pd.DataFrame, name: str, other: str, case: Case, dark: bool) -> None:
    """Show one list; selecting any cell makes its item the one under study."""
    ruled = table["rules"] if "rules" in table else [""] * len(table)
    shown = pd.DataFrame(
        {
            "rank": table[c.RANK],
            "title": [
                f"{f'{RULED} ' if rules else ''}{f'{_HELD_OUT} ' if held else ''}{title}"
                for (title, held), rules in zip(_columns(table, c.TITLE, "held_out"), ruled, strict=True)
            ],
            "change": [
                move_words(status, rank, other, short=True) for status, rank in _columns(table, "status", "other_rank")
            ],
        }
    )
    selected = None if case.selected is None else case.selected.item_id
    # The selected item is part of the key, so that no old cell stays marked.
    key = f"{name}_list_{case.user_id}_{selected}"
    show.table(
        shown,
        marked=table.index[table[c.ITEM] == selected].tolist(),
        dark=dark,
        hide_index=True,
        key=key,
        alt=f"The {name} model's recommendations, with what changed",
        height=_HEADER + _ROW * max(len(shown), 1),
        row_height=_ROW,
        on_select=partial(_go_to_row, key, table[c.ITEM].tolist()),
        selection_mode="single-cell",
        column_config={
            "rank": st.column_config.NumberColumn("#", width=36),
            "title": st.column_config.TextColumn("Item"),
            "change": st.column_config.TextColumn(
                other.capitalize(), width=72, help=f"Place in the {'base' if name == 'refined' else 'refined'} model"
            ),
        },
    )


def _columns(table: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Return some columns row by row, as plain values."""
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def _go_to_row(key: str, items: list[str]) -> None:
    """Explain the item of the selected cell; clearing the selection changes nothing."""
    cells = st.session_state[key]["selection"]["cells"]
    if cells:
        url.update(item=items[cells[0][0]])
