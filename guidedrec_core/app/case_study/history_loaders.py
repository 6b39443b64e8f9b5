"""Cached explanations of histories, keyed by run id; see `loaders`."""

import threading
from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders
from guidedrec_core.cases.key import CaseKey

if TYPE_CHECKING:
    from guidedrec_core.cases.history import HistoryCase


def history(key: CaseKey, model: str) -> "HistoryCase":
    """Attribute an item's score to a user's history; see `guidedrec_core.cases.history.build_history`."""
    return _history(str(loaders.store().home), key, model)


def prepare(n_positions: int) -> None:
    """Prepare in the background for a history that needs sampling; once per process."""
    from guidedrec_core.explanation.history_shapley import EXACT_UP_TO

    if n_positions > EXACT_UP_TO:
        _warm_up()


@st.cache_resource(show_spinner=False)
def _warm_up() -> threading.Thread:
    from guidedrec_core.explanation.history_shapley import warm_up

    thread = threading.Thread(target=warm_up, name="shap warm-up", daemon=True)
    thread.start()
    return thread


@st.cache_data(max_entries=64, show_spinner="Re-scoring with parts of the history (slower the first time)")
def _history(home: str, key: CaseKey, model: str) -> "HistoryCase":
    from guidedrec_core.cases.history import build_history

    opened = loaders.system(key.run_id, key.shown)
    with loaders.MODEL_LOCK:
        return build_history(opened, key.user_id, key.item, model)
