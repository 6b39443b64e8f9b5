"""The top of the Case study: one search box, suggested cases, a random user, and what the lists are based on."""

import secrets
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders, show, url
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.errors import escaped
from guidedrec_core.app.page import View
from guidedrec_core.cases.key import HELD_OUT, CaseKey
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.verdict import HIGHLIGHT_WORDS
from guidedrec_core.runs.library import RefinedEntry

if TYPE_CHECKING:
    from guidedrec_core.cases.finding import Found

_HELP = (
    "Press Enter. An ID or a whole title opens it at once. A condition lists who fits, with the last item of each "
    "history left out, as in the evaluation: “bought jackets and seeks warmth”, “lost by refinement”. Anything else is "
    "looked up in IDs and titles."
)


def suggestions(entry: RefinedEntry) -> pd.DataFrame | None:
    """Return the cases the evaluation suggests; None before there is one."""
    return None if entry.evaluation is None else loaders.table(entry.evaluation.id, "highlights")


def start(view: View, dataset: Dataset, suggested: pd.DataFrame | None) -> CaseKey:
    """Return the user and item to show: those in the address, else the first suggested case, else the first user."""
    run_id = view.entry.run.id
    if view.user is not None:
        return CaseKey(run_id, view.user, view.item, view.shown)
    if view.item is None and suggested is not None and len(suggested):
        first = suggested.iloc[0]
        return CaseKey(run_id, str(first[c.USER]), str(first[c.ITEM]), HELD_OUT)
    return CaseKey(run_id, dataset.users.id(0), view.item, view.shown)


def search_row(view: View, dataset: Dataset, suggested: pd.DataFrame | None, key: CaseKey) -> None:
    """Offer users by search, as suggested by the evaluation and at random, and the part of the history."""
    verb = view.verb
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        url.follow("case_find", url.current().get("find", ""))
        st.text_input(
            "Find",
            key="case_find",
            placeholder=f"ID, title, or “{verb.past} …”",
            icon=":material/search:",
            on_change=_look_up,
            args=(view,),
            label_visibility="collapsed",
            help=_HELP,
            width="stretch",
        )
        if suggested is not None and len(suggested):
            _suggested(suggested, verb)
        st.button(
            "Random", icon=":material/casino:", key="random_user", on_click=_go_to_any, args=(dataset,),
            help=f"Open a {verb.user} drawn at random",
        )  # fmt: skip
        _based_on(key, verb)
    if url.current().get("find"):
        _results(view, key)


def _suggested(suggested: pd.DataFrame, verb: InteractionVerb) -> None:
    labels = [
        f"{HIGHLIGHT_WORDS[kind]}: {verb.user} {each}"
        for kind, each in zip(suggested["kind"], suggested[c.USER], strict=True)
    ]
    st.selectbox(
        "Suggested cases",
        range(len(labels)),
        index=None,
        placeholder="Suggested cases",
        format_func=labels.__getitem__,
        key="suggested",
        on_change=_go_to_suggested,
        args=(suggested,),
        label_visibility="collapsed",
        width=165,
    )


def _based_on(key: CaseKey, verb: InteractionVerb) -> None:
    """Let the visitor choose which part of the history the lists start from.

    All of it gives today's lists; without the last, as in the evaluation, they can be compared with what came next.
    """
    labels = {"full": f"All {verb.nouns}", HELD_OUT: f"Last {verb.noun} hidden"}
    if key.shown not in labels:
        labels[key.shown] = "Training data"
    url.follow("history_shown", key.shown)
    st.selectbox(
        "Recommendations based on",
        list(labels),
        format_func=labels.__getitem__,
        key="history_shown",
        on_change=lambda: url.update(user=key.user_id, history=st.session_state["history_shown"]),
        label_visibility="collapsed",
        width=200,
    )


def _results(view: View, key: CaseKey) -> None:
    """Show what the text in the search box found: users and items to choose from."""
    found, verb = case_loaders.find(view, url.current()["find"]), view.verb
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="found"):
        count, rest = _result_words(found, verb)
        st.markdown(f"**{escaped(count)}** {escaped(rest)}", width="content")
        if found.users:
            _choice(
                verb.users, found.users, key.user_id, "found_user",
                case_loaders.user_labels(view, found.users), "user",
            )  # fmt: skip
        if found.items:
            _choice("items", found.items, None, "found_item", found.titles, "item")
        st.button("Clear", icon=":material/close:", key="clear_find", type="tertiary", on_click=_clear)
    if found.condition is not None and key.rules:
        show.note("Conditions look at the model's own lists, without the rules that are on.")


def _choice(
    what: str, options: tuple[str, ...], current: str | None, key: str, labels: dict[str, str], name: str
) -> None:
    url.follow(key, current if current in options else None)
    st.selectbox(
        escaped(f"Found {what}"),
        list(options),
        index=None,
        placeholder=f"Choose from {what} found",
        format_func=lambda each: labels.get(each, each),
        key=key,
        on_change=_choose,
        args=(name, key),
        label_visibility="collapsed",
        width=320,
    )


def _choose(name: str, key: str) -> None:
    """Open what was chosen; clearing the choice changes nothing."""
    if st.session_state[key] is not None:
        url.update(**{name: st.session_state[key]})


def _result_words(found: "Found", verb: InteractionVerb) -> tuple[str, str]:
    """Say what was found: how many, and of what."""
    if found.condition is not None:
        shown = f", {len(found.users):,} listed" if found.n_users > len(found.users) else ""
        return verb.count_users(found.n_users), f"“{found.condition}”{shown}"
    if not found.users and not found.items:
        ways = f"Try an ID, a title, “{verb.past} …”, “seeks …”, or “lost by refinement”."
        return f"Nothing found for “{found.text}”.", ways
    counts = [verb.count_users(found.n_users)] if found.n_users else []
    if found.n_items:
        counts.append(f"{found.n_items:,} {'item' if found.n_items == 1 else 'items'}")
    return " and ".join(counts), ""


def _look_up(view: View) -> None:
    """Open what was typed exactly; keep any other text, for which the page lists what fits."""
    text = str(st.session_state["case_find"]).strip()
    found = case_loaders.find(view, text) if text else None
    if found is None or found.exact is None:
        url.update(find=text)
    elif found.exact == "user":
        url.update(user=found.users[0], find=None)
    else:
        url.update(item=found.items[0], find=None)


def _clear() -> None:
    url.update(find=None)


def _go_to_any(dataset: Dataset) -> None:
    url.update(user=dataset.users.id(secrets.randbelow(len(dataset.users))), find=None)


def _go_to_suggested(suggested: pd.DataFrame) -> None:
    """Open a suggested case; the choice itself is cleared, since the page then shows it."""
    chosen = st.session_state["suggested"]
    if chosen is None:
        return
    row = suggested.iloc[chosen]
    st.session_state["suggested"] = None
    url.update(user=str(row[c.USER]), item=str(row[c.ITEM]), history=HELD_OUT, find=None)


def no_list(view: View) -> None:
    """Say that there is nothing to recommend."""
    verb = view.verb
    show.note(f"This {verb.user} has already {verb.participle} every item, so there is nothing to recommend.")
