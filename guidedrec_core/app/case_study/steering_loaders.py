"""Cached loading for steering and rationales; see `loaders` for the rules."""

import contextlib
from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders
from guidedrec_core.app.case_study import changes_loaders
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.errors import InputError

if TYPE_CHECKING:
    from guidedrec_core.cases.steering import SteeredCase
    from guidedrec_core.explanation.steering.steer import HistoryScores, Steering
    from guidedrec_core.rationale.facts import Facts


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
        removal = changes_loaders.changes(key).removal
    with loaders.MODEL_LOCK:
        return rationale_facts(opened, case, removal)
