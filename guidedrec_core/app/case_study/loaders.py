"""Cached loading for the Case study, keyed by run id; see `guidedrec_core.app.loaders` for the rules."""

import contextlib
import threading
from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders
from guidedrec_core.app.audience import loaders as audience_loaders
from guidedrec_core.app.items import loaders as item_loaders
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.question import DEFAULT_K

if TYPE_CHECKING:
    from guidedrec_core.app.page import View
    from guidedrec_core.cases.against import Against
    from guidedrec_core.cases.changes import Changes, Moved, NotListed
    from guidedrec_core.cases.finding import Condition, Found
    from guidedrec_core.cases.history import HistoryCase
    from guidedrec_core.cases.removal import RemovalCase
    from guidedrec_core.cases.steering import SteeredCase
    from guidedrec_core.explanation.steering.steer import HistoryScores, Steering
    from guidedrec_core.rationale.facts import Facts


def changes(key: CaseKey) -> "Changes":
    """Find what would change; see `guidedrec_core.cases.changes.build_changes`."""
    return _changes(str(loaders.store().home), key)


def why_not(key: CaseKey) -> "NotListed":
    """Find what keeps an item out; see `guidedrec_core.cases.changes.build_why_not`."""
    return _why_not(str(loaders.store().home), key)


def moved(key: CaseKey) -> "Moved | None":
    """Split the change of a rank; see `guidedrec_core.cases.changes.build_moved`."""
    return _moved(str(loaders.store().home), key)


def against(key: CaseKey, other_id: str | None) -> "Against | None":
    """Compare two items; see `guidedrec_core.cases.against.build_against`."""
    return _against(str(loaders.store().home), key, other_id)


def history(key: CaseKey, model: str) -> "HistoryCase":
    """Attribute an item's score to a user's history; see `guidedrec_core.cases.history.build_history`."""
    return _history(str(loaders.store().home), key, model)


def removal(key: CaseKey, model: str) -> "RemovalCase | None":
    """Take past items away one after another; see `guidedrec_core.cases.removal.build_removal`."""
    return _removal(str(loaders.store().home), key, model)


def strongest_item(key: CaseKey) -> str | None:
    """Name the past item that an item's place rests on; see `guidedrec_core.cases.removal.strongest_item`."""
    return _strongest_item(str(loaders.store().home), key)


def prepare_history(n_positions: int) -> None:
    """Prepare in the background for a history that needs sampling; once per process."""
    from guidedrec_core.explanation.past_items.shapley import EXACT_UP_TO

    if n_positions > EXACT_UP_TO:
        _warm_up()


def steered(key: CaseKey, steering: "Steering") -> "SteeredCase":
    """Steer a user's list; scores of the edited history are cached, so that a slider costs one product."""
    from guidedrec_core.cases.steering import steered_case

    home = str(loaders.store().home)
    plain = _scores(home, key, (), ())
    edited = _scores(home, key, steering.removed, steering.added)
    return steered_case(loaders.system(key.run_id, key.shown), plain, edited, steering.pulls)


def facts(key: CaseKey) -> "Facts":
    """Collect the facts of a rationale; see `guidedrec_core.cases.rationale.rationale_facts`."""
    return _facts(str(loaders.store().home), key)


def find(view: "View", text: str) -> "Found":
    """Look up a text from the search box; see `guidedrec_core.cases.finding.find`."""
    from guidedrec_core.cases.finding import find as look_up

    evaluation = view.entry.evaluation
    return look_up(
        text,
        loaders.dataset(view.entry.data.id).users,
        item_loaders.index(view.entry.data.id),
        None
        if evaluation is None
        else lambda asked: _condition(str(loaders.store().home), view.entry.run.id, evaluation.id, asked),
    )


def user_labels(view: "View", users: tuple[str, ...]) -> dict[str, str]:
    """Say who some users are: how much they have, and what was last."""
    data = loaders.system(view.entry.run.id, view.shown).data
    titles = data.dataset.catalogue.frame[c.TITLE]
    labels = {}
    for user in users:
        history = data.shown_history(data.dataset.users.index(user))
        last = f", last: {titles.iloc[int(history[-1])]}" if len(history) else ""
        labels[user] = f"{user}: {view.verb.count(len(history))}{last}"
    return labels


@st.cache_data(max_entries=64, show_spinner="Searching")
def _condition(home: str, run_id: str, evaluation_id: str, text: str) -> "Condition | None":
    from guidedrec_core.cases.finding import read_condition

    return read_condition(text, audience_loaders.audience(run_id, evaluation_id, DEFAULT_K))


@st.cache_data(max_entries=64, show_spinner=False)
def _against(home: str, key: CaseKey, other_id: str | None) -> "Against | None":
    from guidedrec_core.cases.against import build_against

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return build_against(opened, key.user_id, key.item, other_id)


@st.cache_data(max_entries=64, show_spinner="Searching for the smallest changes")
def _changes(home: str, key: CaseKey) -> "Changes":
    from guidedrec_core.cases.changes import build_changes

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return build_changes(opened, key.user_id, key.item)


@st.cache_data(max_entries=64, show_spinner=False)
def _why_not(home: str, key: CaseKey) -> "NotListed":
    from guidedrec_core.cases.changes import build_why_not

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return build_why_not(opened, key.user_id, key.item)


@st.cache_data(max_entries=64, show_spinner=False)
def _moved(home: str, key: CaseKey) -> "Moved | None":
    from guidedrec_core.cases.changes import build_moved

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return build_moved(opened, key.user_id, key.item)


@st.cache_resource(show_spinner=False)
def _warm_up() -> threading.Thread:
    from guidedrec_core.explanation.past_items.shapley import warm_up

    thread = threading.Thread(target=warm_up, name="shap warm-up", daemon=True)
    thread.start()
    return thread


@st.cache_data(max_entries=64, show_spinner="Re-scoring with parts of the history (slower the first time)")
def _history(home: str, key: CaseKey, model: str) -> "HistoryCase":
    from guidedrec_core.cases.history import build_history

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return build_history(opened, key.user_id, key.item, model)


@st.cache_data(max_entries=64, show_spinner=False)
def _removal(home: str, key: CaseKey, model: str) -> "RemovalCase | None":
    from guidedrec_core.cases.removal import build_removal

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return build_removal(opened, key.user_id, key.item, model)


@st.cache_data(max_entries=64, show_spinner=False)
def _strongest_item(home: str, key: CaseKey) -> str | None:
    from guidedrec_core.cases.removal import strongest_item as find_strongest

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return find_strongest(opened, key.user_id, key.item)


@st.cache_data(max_entries=32, show_spinner=False)
def _scores(home: str, key: CaseKey, removed: tuple[int, ...], added: tuple[int, ...]) -> "HistoryScores":
    from guidedrec_core.cases.steering import scores_after

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return scores_after(opened, key.user_id, removed, added)


@st.cache_data(max_entries=32, show_spinner=False)
def _facts(home: str, key: CaseKey) -> "Facts":
    from guidedrec_core.cases.rationale import rationale_facts

    opened, case = loaders.system(key.run_id, key.shown), loaders.case(key)
    removal = None
    # A user who has nearly all items has no list to change; the other facts are still valid.
    with contextlib.suppress(InputError):
        removal = changes(key).removal
    with loaders.MODEL_LOCK:
        return rationale_facts(opened, case, removal)
