"""Section of the Case study: steer the list by sliders, words and changes of the history; save it as a scenario."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.case_study.saved_scenarios import kept
from guidedrec_core.app.case_study.wish import wish
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.explanation.steering.steer import MOST_PULL, Steering
from guidedrec_core.explanation.steering.words import steered_move, steering_words
from guidedrec_core.figures.steering import mix_change
from guidedrec_core.figures.theme import palette

if TYPE_CHECKING:
    from guidedrec_core.cases.steering import SteeredCase

_STATE = "steer"
_FIRST = 6
_STEP = 0.5
_NARROWEST = 250  # pixels of a slider
_FOUND = 20


@dataclass
class Start:
    """Starting values of one user's widgets; a new version makes new widgets.

    Attributes
    ----------
    about : tuple of (str, str, str)
        Run, user and the part of the history shown.
    pulls : dict of str to float
        Attribute name to steps.
    removed, added : tuple of str
        Item ids.
    version : int
        Part of the widgets' keys.
    """

    about: tuple[str, str, str]
    pulls: dict[str, float] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    version: int = 0


def steer_section(view: View, case: Case) -> None:
    """Show the section."""
    begin = _begin(case)
    answer = st.container()
    wish(view, lambda pulls: _set(begin, pulls={**_pulls(case, begin), **pulls}))
    pulls = _sliders(view, case, begin)
    removed, added = _history(view, case, begin)
    system = loaders.system(case.run_id, case.shown)
    items = system.data.dataset.items
    steering = Steering(
        tuple(pulls.get(name, 0.0) for name in system.steerable.names),
        tuple(items.index(item) for item in removed),
        tuple(items.index(item) for item in added),
    )
    shown = case_loaders.steered(case.key, steering)
    active = any(steering.pulls) or bool(removed or added)
    with answer:
        _answer(view, begin, shown, steering if active else None)
    kept(view, case.user_id, steering, active, lambda **start: _set(begin, **start))


def _begin(case: Case) -> Start:
    """Return the widgets' starting values; another user or run starts from zero."""
    begin: Start | None = st.session_state.get(_STATE)
    if begin is None or begin.about != (case.run_id, case.user_id, case.shown):
        version = 0 if begin is None else begin.version + 1
        begin = st.session_state[_STATE] = Start((case.run_id, case.user_id, case.shown), version=version)
    return begin


def _set(
    begin: Start, pulls: dict[str, float], removed: tuple[str, ...] | None = None, added: tuple[str, ...] | None = None
) -> None:
    """Restart with other values; the changes of the history are kept unless given."""
    if removed is None:
        removed = tuple(st.session_state.get(f"steer_removed_{begin.version}", begin.removed))
    if added is None:
        added = tuple(st.session_state.get(f"steer_added_{begin.version}", begin.added))
    st.session_state[_STATE] = Start(begin.about, pulls, removed, added, begin.version + 1)


def _pulls(case: Case, begin: Start) -> dict[str, float]:
    """Return the sliders' values."""
    return {
        name: float(st.session_state.get(f"steer_{name}_{begin.version}", begin.pulls.get(name, 0.0)))
        for name in loaders.system(case.run_id).steerable.names
    }


def _sliders(view: View, case: Case, begin: Start) -> dict[str, float]:
    """Show one slider per attribute, those that matter most to this user first, then facts that are numbers."""
    profile = case.profile
    matters = (profile["user_value"] * profile["weight"]).abs().sort_values(ascending=False, kind="stable").index
    rows = profile.loc[matters].to_dict("records")
    show.note(f"Change this {view.verb.user}'s taste: 1 = typical difference; maximum {MOST_PULL:g}.")
    pulls = _grid(rows[:_FIRST], begin)
    if rows[_FIRST:]:
        with st.expander(f"{len(rows) - _FIRST} more attributes", icon=":material/tune:"):
            pulls |= _grid(rows[_FIRST:], begin)
    system = loaders.system(case.run_id)
    facts = system.steerable.attributes[len(system.schema) :]
    if facts:
        with st.expander("Price, season and other facts", icon=":material/sell:"):
            pulls |= _grid(
                [{"attribute": f.name, "label": f.label, "low": f.low, "high": f.high} for f in facts], begin
            )
    return pulls


def _grid(rows: list[dict[Any, Any]], begin: Start) -> dict[str, float]:
    grid = st.grid(3, min_column_width=_NARROWEST, gap="medium")
    return {
        str(row["attribute"]): grid.cell().slider(
            escaped(str(row["label"])),
            -MOST_PULL,
            MOST_PULL,
            min(max(begin.pulls.get(str(row["attribute"]), 0.0), -MOST_PULL), MOST_PULL),
            _STEP,
            format="%+g",
            key=f"steer_{row['attribute']}_{begin.version}",
            persist_state="session",
            help=escaped(f"Down: {row['low']}. Up: {row['high']}."),
        )
        for row in rows
    }


def _history(view: View, case: Case, begin: Start) -> tuple[list[str], list[str]]:
    """Offer to remove past items, and to add others."""
    index, verb = item_loaders.index(view.entry.data.id), view.verb
    past = dict(zip(case.history[c.ITEM], case.history[c.TITLE], strict=True))
    out, into = show.pair()
    with out:
        removed = st.multiselect(
            f"Remove past {verb.nouns}",
            list(past),
            [item for item in begin.removed if item in past],
            format_func=lambda item: past.get(item, item),
            key=f"steer_removed_{begin.version}",
            persist_state="session",
            placeholder=f"Past {verb.nouns}",
        )
    with into:
        query = st.text_input(
            "Find an item to add", key="steer_find", icon=":material/search:", placeholder="Title or ID"
        )
        key = f"steer_added_{begin.version}"
        chosen = list(st.session_state.get(key, begin.added))
        found = index.search(query, _FOUND).items if query.strip() else pd.DataFrame({c.ITEM: []})
        options = [*chosen, *(item for item in found[c.ITEM] if item not in past and item not in chosen)]
        added = st.multiselect(
            f"Add as latest {verb.noun}",
            options,
            [item for item in begin.added if item in options],
            format_func=index.title,
            key=key,
            persist_state="session",
            placeholder="Items found" if query.strip() else "Search first",
        )
    return removed, added


def _answer(view: View, begin: Start, shown: "SteeredCase", steering: Steering | None) -> None:
    """Show the changed list, marked as a what-if."""
    if steering is None:
        show.lead(f"What would be recommended if this {view.verb.user}'s taste or history were different?")
        return
    system = loaders.system(view.entry.run.id)
    schema = system.schema
    pulls = dict(zip((attribute.label for attribute in system.steerable.attributes), steering.pulls, strict=True))
    what = escaped(steering_words(pulls, len(steering.removed), len(steering.added)))
    st.info(
        f"This is a what-if ({what}). Not saved; the lists above are unchanged.",
        icon=":material/science:",
    )
    st.button("Reset", icon=":material/undo:", key="steer_reset", on_click=_set, args=(begin, {}, (), ()))
    show.lead(shown.sentence)
    left, right = show.pair()
    for place, table, title, gone in ((left, shown.before, "Now", True), (right, shown.after, "What if", False)):
        with place:
            st.markdown(f"**{title}**")
            _list(table, gone)
    st.markdown("**Average scores of the list**")
    scale = (schema.scale.min, schema.scale.max)
    show.chart(mix_change(shown.mix, scale, palette(view.dark)), alt=shown.sentence, key="steer_mix")
    show.table_twin(
        shown.mix.drop(columns="attribute"),
        "Average scores of both lists",
        key="steer_mix_table",
        column_config={
            "label": "Attribute",
            "low": f"{scale[0]:g} means",
            "high": f"{scale[1]:g} means",
            "before": st.column_config.NumberColumn("Now", format="%.2f"),
            "after": st.column_config.NumberColumn("What if", format="%.2f"),
        },
    )


def _list(table: pd.DataFrame, gone: bool) -> None:
    """Show one of the two lists with its changes."""
    moves = [
        steered_move(status, rank, gone) for status, rank in zip(table["status"], table["other_rank"], strict=True)
    ]
    show.table(
        pd.DataFrame({"rank": table[c.RANK], "title": table[c.TITLE], "change": moves}),
        hide_index=True,
        key=f"steer_list_{'before' if gone else 'after'}",
        alt="The current list" if gone else "The what-if list, with its changes",
        height=38 + 35 * max(len(table), 1),
        column_config={
            "rank": st.column_config.NumberColumn("#", width=40),
            "title": st.column_config.TextColumn("Item"),
            "change": st.column_config.TextColumn("In the what-if" if gone else "Change", width=180),
        },
    )
