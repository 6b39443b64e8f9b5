"""Parts of the Case study: choosing a user and an item, both lists, each contribution in words."""

import secrets
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show, url
from guidedrec_core.app.page import View
from guidedrec_core.cases.case import Case
from guidedrec_core.cases.key import HELD_OUT, CaseKey
from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.verdict import HIGHLIGHT_WORDS
from guidedrec_core.explanation.lines import AVERAGE
from guidedrec_core.explanation.words import move_words, ordinal, source_label, source_meanings
from guidedrec_core.recommenders.explanation import Explanation
from guidedrec_core.refinement.sources import SOURCES
from guidedrec_core.runs.library import RefinedEntry

_MATCHES = 50
_HELD_OUT = "◎"
_SCORES = ("user_score", "item_score", "catalogue_score")


def suggestions(entry: RefinedEntry) -> pd.DataFrame | None:
    """Return the cases the evaluation suggests; None before there is one."""
    return None if entry.evaluation is None else loaders.table(entry.evaluation.id, "highlights")


def start(view: View, dataset: Dataset, suggested: pd.DataFrame | None) -> CaseKey:
    """Return the user and item to show: those in the URL, else the first suggested case, else the first user."""
    run_id = view.entry.run.id
    if view.user is not None:
        return CaseKey(run_id, view.user, view.item, view.shown)
    if view.item is None and suggested is not None and len(suggested):
        first = suggested.iloc[0]
        return CaseKey(run_id, str(first[c.USER]), str(first[c.ITEM]), HELD_OUT)
    return CaseKey(run_id, dataset.users.id(0), view.item, view.shown)


def choose_history(key: CaseKey, verb: InteractionVerb) -> None:
    """Let the visitor choose which part of the history the lists start from."""
    labels = {
        "full": f"All {verb.nouns} (today)",
        HELD_OUT: f"All but the last {verb.noun} (as in the evaluation)",
    }
    if key.shown not in labels:
        labels[key.shown] = "The training data"
    _follow("history_shown", key.shown)
    st.segmented_control(
        "Recommendations based on",
        list(labels),
        format_func=labels.__getitem__,
        required=True,
        key="history_shown",
        on_change=lambda: url.update(user=key.user_id, history=st.session_state["history_shown"]),
        help=f"All {verb.nouns} give today's lists. Without the last, they can be compared with what was {verb.next}.",
    )


def choose_user(dataset: Dataset, suggested: pd.DataFrame | None, user: str, verb: InteractionVerb) -> None:
    """Offer users by search, at random and as suggested by the evaluation.

    The search runs on the server and returns a bounded list; the browser never gets all ids.
    """
    grid = st.grid(4, min_column_width=220, vertical_alignment="bottom")
    find, pick, worth, chance = (grid.cell() for _ in range(4))
    text = find.text_input(
        f"Find a {verb.user}",
        key="find_user",
        placeholder=f"{verb.user.capitalize()} ID",
        type="search",
        live="300ms",
        icon=":material/search:",
    )
    found, total = dataset.users.search(text, _MATCHES)
    shown = f"{min(total, _MATCHES):,} of {total:,} shown" if total > _MATCHES else f"{total:,} found"
    options = [user, *(each for each in found if each != user)]
    _follow("pick_user", user)
    pick.selectbox(f"{verb.user.capitalize()} ({shown})", options, key="pick_user", on_change=_go_to_picked)
    if suggested is not None and len(suggested):
        labels = [
            f"{HIGHLIGHT_WORDS[kind]}: {verb.user} {each}"
            for kind, each in zip(suggested["kind"], suggested[c.USER], strict=True)
        ]
        worth.selectbox(
            "Suggested cases",
            range(len(labels)),
            index=None,
            placeholder="Choose a case",
            format_func=labels.__getitem__,
            key="suggested",
            on_change=_go_to_suggested,
            args=(suggested,),
        )
    chance.button(
        f"Random {verb.user}",
        icon=":material/casino:",
        key="random_user",
        on_click=_go_to_any,
        args=(dataset,),
        width="stretch",
    )


def lists(case: Case, verb: InteractionVerb) -> None:
    """Show base and refined list side by side; a selected row is explained."""
    for column, table, name, other in zip(
        show.pair(), (case.base, case.refined), ("base", "refined"), ("now", "was"), strict=True
    ):
        with column:
            st.markdown(f"**{name.capitalize()} model**")
            _list(table, name, other, case)
    for title, base, refined in zip(
        case.held_out[c.TITLE], case.held_out["base_rank"], case.held_out["refined_rank"], strict=True
    ):
        show.note(
            f"{_HELD_OUT} {verb.next.capitalize()}, unknown to both models: {title}. The base model ranks it "
            f"{ordinal(base)}, the refined model {ordinal(refined)}."
        )


def choose_item(case: Case, verb: InteractionVerb) -> None:
    """Offer the items of both lists and the held-out ones for explanation."""
    assert case.selected is not None  # the page shows this only with an item
    labels = {
        case.selected.item_id: f"{ordinal(case.selected.rank)}: {case.selected.title}",
        **{i: f"{ordinal(r)}: {t}" for i, r, t in _columns(case.refined, c.ITEM, c.RANK, c.TITLE)},
        **{
            i: f"{ordinal(r)}, dropped from the list: {t}"
            for i, r, t, status in _columns(case.base, c.ITEM, "other_rank", c.TITLE, "status")
            if status == "gone"
        },
    }
    for item, title, rank in _columns(case.held_out, c.ITEM, c.TITLE, "refined_rank"):
        labels[item] = f"{ordinal(rank)}, {verb.next}: {title}"
    _follow("explain_item", case.selected.item_id)
    st.selectbox(
        "Explain",
        list(labels),
        format_func=lambda item: labels.get(item, item),
        key="explain_item",
        on_change=lambda: url.update(item=st.session_state["explain_item"]),
        help="Or select a row in either list.",
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
        rows[["label", "contribution", "words", *sources]],
        hide_index=True,
        height=min(38 + 35 * len(rows), 740),
        key="contributions",
        alt="Each reason's contribution to the score, in words; of attributes also what it comes from",
        placeholder="",
        column_config={
            "label": st.column_config.TextColumn("Reason", width=140),
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


def history_table(case: Case, attributes: dict[str, str], verb: InteractionVerb) -> None:
    """Show the history, newest first, with what is distinctive; every item's facts and scores on demand."""
    table = case.history.assign(**{c.CATEGORY: case.history[c.CATEGORY].map(category_words)})
    named = {
        c.DATETIME: st.column_config.DateColumn("Date", format="D MMM YYYY", width=90),
        c.TITLE: st.column_config.TextColumn("Item", width=190),
        c.CATEGORY: st.column_config.TextColumn("Category", width=95),
        c.PRICE: st.column_config.NumberColumn("Price", format="%.2f", width=60),
        "strongest": st.column_config.TextColumn(
            "Most distinctive", width="large", help="Attributes on which the item differs most from the catalogue"
        ),
    }
    show.table(
        table[[name for name in named if name in table]],
        hide_index=True,
        key="history",
        height=min(38 + 35 * len(table), 248),
        alt=f"{verb.nouns.capitalize()}, newest first",
        column_config=named,
    )
    dull = [c.WEIGHT] if table[c.WEIGHT].nunique() == 1 else []
    show.table_twin(
        table.drop(columns=dull),
        f"Details and scores of all {verb.count(len(table))}",
        key="history_facts",
        column_config={
            **named,
            "position": "Number",
            c.ITEM: "Item ID",
            c.WEIGHT: "Weight",
            **{name: st.column_config.NumberColumn(label, format="%.1f") for name, label in attributes.items()},
        },
    )


def _list(table: pd.DataFrame, name: str, other: str, case: Case) -> None:
    """Show one list; selecting a row makes it the item under study."""
    shown = pd.DataFrame(
        {
            "rank": table[c.RANK],
            "title": [
                f"{_HELD_OUT} {title}" if held else title for title, held in _columns(table, c.TITLE, "held_out")
            ],
            "change": [move_words(status, rank, other) for status, rank in _columns(table, "status", "other_rank")],
        }
    )
    selected = None if case.selected is None else case.selected.item_id
    rows = table.index[table[c.ITEM] == selected].tolist()
    # The selected item is part of the key, so that the mark moves when the item is chosen elsewhere.
    key = f"{name}_list_{case.user_id}_{selected}"
    show.table(
        shown,
        hide_index=True,
        key=key,
        alt=f"The {name} model's recommendations, with what changed",
        height=38 + 35 * max(len(shown), 1),
        on_select=partial(_go_to_row, key, table[c.ITEM].tolist()),
        selection_mode="single-row",
        selection_default={"selection": {"rows": rows}},
        column_config={
            "rank": st.column_config.NumberColumn("#", width=40),
            "title": st.column_config.TextColumn("Item"),
            "change": st.column_config.TextColumn("Change from base" if name == "refined" else "In refined", width=140),
        },
    )


def _raw(explanation: Explanation) -> pd.DataFrame:
    """Return all terms of the score, unrounded."""
    values = explanation.parts[["attribute", *SOURCES, *_SCORES, "user_value", "item_value", "low", "high"]].assign(
        item_score=explanation.parts["item_score"].where(~explanation.parts["missing"])
    )
    lines = explanation.lines[["kind", "name", "label", "contribution", "ci_low", "ci_high"]]
    score = pd.DataFrame({"kind": [""], "name": ["score"], "label": ["Score"], "contribution": [explanation.score]})
    table = lines.merge(values, how="left", left_on="name", right_on="attribute").drop(columns="attribute")
    return pd.concat([table, score], ignore_index=True)


def _columns(table: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Return some columns row by row, as plain values."""
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def _follow(key: str, value: str) -> None:
    """Let a widget show what the URL says, also when that was changed elsewhere."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _go_to_picked() -> None:
    url.update(user=st.session_state["pick_user"])


def _go_to_row(key: str, items: list[str]) -> None:
    """Explain the item of the selected row; clearing the selection changes nothing."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        url.update(item=items[rows[0]])


def _go_to_any(dataset: Dataset) -> None:
    url.update(user=dataset.users.id(secrets.randbelow(len(dataset.users))))


def _go_to_suggested(suggested: pd.DataFrame) -> None:
    """Open a suggested case; the choice itself is cleared, since the page then shows it."""
    row = suggested.iloc[st.session_state["suggested"]]
    st.session_state["suggested"] = None
    url.update(user=str(row[c.USER]), item=str(row[c.ITEM]), history=HELD_OUT)
