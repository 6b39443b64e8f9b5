"""The question "Steer": another taste or history on the left, the list it would bring on the right."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show, url
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

_FIRST = 6
_STEP = 0.5
_FOUND = 20
_ROW, _HEADER = 28, 37
_HEAD = 150  # pixels for the answer in words, whatever it says, so that the list below never moves


def steer_section(view: View, case: Case) -> None:
    """Show the section; its state is in the address alone."""
    show.centred_sliders("steering", MOST_PULL, _STEP, view.dark)
    controls, answer = st.columns([5, 6], gap="large")
    with controls, st.container(key="steering"):
        pulls = _sliders(view, case)
        removed, added = _history(view, case)
        wish(view, lambda wanted: _steer(pulls={**pulls, **wanted}))
        system = loaders.system(case.run_id, case.shown)
        items = system.data.dataset.items
        steering = Steering(
            tuple(pulls.get(name, 0.0) for name in system.steerable.names),
            tuple(items.index(item) for item in removed),
            tuple(items.index(item) for item in added),
        )
        active = any(steering.pulls) or bool(removed or added)
        kept(view, case.user_id, steering, active, _steer)
    show.sticky_side("steered")
    with answer, st.container(key="steered"):
        _answer(view, case_loaders.steered(case.key, steering), steering if active else None)


def _steer(
    pulls: dict[str, float], removed: tuple[str, ...] | None = None, added: tuple[str, ...] | None = None
) -> None:
    """Put a steering into the address; what is changed of the history is kept unless it is given."""
    changes = {"pull": url.many(pulls)}
    if removed is not None:
        changes["without"] = url.many(removed)
    if added is not None:
        changes["with"] = url.many(added)
    url.update(**changes)


def _pulls(case: Case) -> dict[str, float]:
    """Return the steps in the address, of attributes and facts that this run has."""
    asked = url.numbers(url.current().get("pull"))
    return {
        name: min(max(asked.get(name, 0.0), -MOST_PULL), MOST_PULL)
        for name in loaders.system(case.run_id).steerable.names
    }


def _sliders(view: View, case: Case) -> dict[str, float]:
    """Show one slider per attribute, those that matter most to this user first, then facts that are numbers."""
    profile, pulls = case.profile, _pulls(case)
    matters = (profile["user_value"] * profile["weight"]).abs().sort_values(ascending=False, kind="stable").index
    rows = profile.loc[matters].to_dict("records")
    show.note(f"Change this {view.verb.user}'s taste: 1 = typical difference; maximum {MOST_PULL:g}.")
    _grid(rows[:_FIRST], pulls)
    if rows[_FIRST:]:
        moved = any(pulls[str(row["attribute"])] for row in rows[_FIRST:])
        with st.expander(f"{len(rows) - _FIRST} more attributes", icon=":material/tune:", expanded=moved):
            _grid(rows[_FIRST:], pulls)
    system = loaders.system(case.run_id)
    facts = system.steerable.attributes[len(system.schema) :]
    if facts:
        with st.expander(
            "Price, season and other facts", icon=":material/sell:", expanded=any(pulls[f.name] for f in facts)
        ):
            _grid([{"attribute": f.name, "label": f.label, "low": f.low, "high": f.high} for f in facts], pulls)
    return pulls


def _grid(rows: list[dict[Any, Any]], pulls: dict[str, float]) -> None:
    with st.container(gap="xxsmall"):
        for row in rows:
            name = str(row["attribute"])
            url.follow(f"steer_{name}", pulls[name])
            st.slider(
                escaped(str(row["label"])),
                -MOST_PULL,
                MOST_PULL,
                step=_STEP,
                format="%+g",
                key=f"steer_{name}",
                on_change=_moved,
                args=(name, pulls),
                help=escaped(f"Down: {row['low']}. Up: {row['high']}."),
            )


def _moved(name: str, pulls: dict[str, float]) -> None:
    _steer({**pulls, name: float(st.session_state[f"steer_{name}"])})


def _history(view: View, case: Case) -> tuple[list[str], list[str]]:
    """Offer to remove past items, and to add others."""
    index, verb, place = item_loaders.index(view.entry.data.id), view.verb, url.current()
    past = dict(zip(case.history[c.ITEM], case.history[c.TITLE], strict=True))
    url.follow("steer_removed", [item for item in url.ids(place.get("without")) if item in past])
    removed = st.multiselect(
        f"Remove past {verb.nouns}",
        list(past),
        format_func=lambda item: past.get(item, item),
        key="steer_removed",
        on_change=_keep_ids,
        args=("without", "steer_removed"),
        placeholder=f"Past {verb.nouns}",
    )
    find, add = st.columns(2, gap="small")
    url.follow("steer_find", place.get("add_find", ""))
    query = find.text_input(
        "Find an item to add", key="steer_find", icon=":material/search:", placeholder="Title or ID",
        on_change=url.keep, args=("add_find", "steer_find"),
    )  # fmt: skip
    chosen = [item for item in url.ids(place.get("with")) if item in index]
    found = index.search(query, _FOUND).items if query.strip() else pd.DataFrame({c.ITEM: []})
    url.follow("steer_added", chosen)
    added = add.multiselect(
        f"Add as latest {verb.noun}",
        [*chosen, *(item for item in found[c.ITEM] if item not in past and item not in chosen)],
        format_func=index.title,
        key="steer_added",
        on_change=_keep_ids,
        args=("with", "steer_added"),
        placeholder="Items found" if query.strip() else "Search first",
    )
    return removed, added


def _keep_ids(name: str, key: str) -> None:
    url.update(**{name: url.many(tuple(st.session_state[key]))})


def _answer(view: View, shown: "SteeredCase", steering: Steering | None) -> None:
    """Show the changed list, marked as a what-if; every part has its place, changed or not."""
    system = loaders.system(view.entry.run.id)
    with st.container(height=_HEAD, border=False, gap="xsmall"):
        if steering is None:
            show.lead(f"What would be recommended if this {view.verb.user}'s taste or history were different?")
            show.note("Move a slider: the list follows at once.")
        else:
            labels = (attribute.label for attribute in system.steerable.attributes)
            pulls = dict(zip(labels, steering.pulls, strict=True))
            what = steering_words(pulls, len(steering.removed), len(steering.added))
            show.lead(shown.sentence)
            show.note(f"This is a what-if ({what}). Not saved; the lists above are unchanged.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Recommended**" if steering is None else "**Recommended in this what-if**")
        st.button(
            "Reset", icon=":material/undo:", key="steer_reset", disabled=steering is None,
            on_click=_steer, args=({}, (), ()),
        )  # fmt: skip
    _list(shown.after, False)
    with st.expander("Compared with the current list", icon=":material/compare_arrows:"):
        _list(shown.before, True)
        schema = system.schema
        scale = (schema.scale.min, schema.scale.max)
        st.markdown("**Average scores of the list**")
        show.chart(mix_change(shown.mix, scale, palette(view.dark)), alt=shown.sentence, key="steer_mix")
        show.table(
            shown.mix.drop(columns="attribute"),
            hide_index=True,
            key="steer_mix_table",
            alt="Average scores of both lists",
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
        steered_move(status, rank, gone, short=True)
        for status, rank in zip(table["status"], table["other_rank"], strict=True)
    ]
    show.table(
        pd.DataFrame({"rank": table[c.RANK], "title": table[c.TITLE], "change": moves}),
        hide_index=True,
        key=f"steer_list_{'before' if gone else 'after'}",
        alt="The current list" if gone else "The what-if list, with its changes",
        height=_HEADER + _ROW * max(len(table), 1),
        row_height=_ROW,
        column_config={
            "rank": st.column_config.NumberColumn("#", width=36),
            "title": st.column_config.TextColumn("Item"),
            "change": st.column_config.TextColumn(
                "What if" if gone else "Was", width=72, help=f"Place in the {'what-if' if gone else 'current list'}"
            ),
        },
    )
