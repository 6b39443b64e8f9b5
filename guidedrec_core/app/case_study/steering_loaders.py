"""Cached loading for steering and rationales; see `loaders` for the rules."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders

if TYPE_CHECKING:
    from guidedrec_core.cases.steering import SteeredCase
    from guidedrec_core.explanation.steering.steer import HistoryScores, Steering
    from guidedrec_core.rationale.facts import Facts


def steered(run_id: str, user_id: str, steering: "Steering") -> "SteeredCase":
    """Steer a user's list; scores of the edited history are kept, so that a slider costs one product."""
    from guidedrec_core.cases.steering import steered_case

    home = str(loaders.store().home)
    plain = _scores(home, run_id, user_id, (), ())
    edited = _scores(home, run_id, user_id, steering.removed, steering.added)
    return steered_case(loaders.system(run_id), plain, edited, steering.pulls)


def facts(run_id: str, user_id: str, item_id: str) -> "Facts":
    """Collect what a rationale may speak of; see `guidedrec_core.cases.rationale.rationale_facts`."""
    return _facts(str(loaders.store().home), run_id, user_id, item_id)


@st.cache_data(max_entries=32, show_spinner=False)
def _scores(home: str, run_id: str, user_id: str, removed: tuple[int, ...], added: tuple[int, ...]) -> "HistoryScores":
    from guidedrec_core.cases.steering import scores_after

    opened = loaders.system(run_id)
    with loaders.MODEL_LOCK:
        return scores_after(opened, user_id, removed, added)


@st.cache_data(max_entries=32, show_spinner=False)
def _facts(home: str, run_id: str, user_id: str, item_id: str) -> "Facts":
    from guidedrec_core.cases.rationale import rationale_facts

    opened, case = loaders.system(run_id), loaders.case(run_id, user_id, item_id)
    with loaders.MODEL_LOCK:
        return rationale_facts(opened, case)
