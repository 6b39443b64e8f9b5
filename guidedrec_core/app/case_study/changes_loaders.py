"""Cached answers about what would change a case, keyed by run id; see `loaders`."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders

if TYPE_CHECKING:
    from guidedrec_core.cases.against import Against
    from guidedrec_core.cases.changes import Changes, Moved, NotListed


def changes(run_id: str, user_id: str, item_id: str) -> "Changes":
    """Find what would change; see `guidedrec_core.cases.changes.build_changes`."""
    return _changes(str(loaders.store().home), run_id, user_id, item_id)


def why_not(run_id: str, user_id: str, item_id: str) -> "NotListed":
    """Find what keeps an item out; see `guidedrec_core.cases.changes.build_why_not`."""
    return _why_not(str(loaders.store().home), run_id, user_id, item_id)


def moved(run_id: str, user_id: str, item_id: str) -> "Moved | None":
    """Split the change of a rank; see `guidedrec_core.cases.changes.build_moved`."""
    return _moved(str(loaders.store().home), run_id, user_id, item_id)


def against(run_id: str, user_id: str, item_id: str, other_id: str | None) -> "Against | None":
    """Compare two items; see `guidedrec_core.cases.against.build_against`."""
    return _against(str(loaders.store().home), run_id, user_id, item_id, other_id)


@st.cache_data(max_entries=64, show_spinner=False)
def _against(home: str, run_id: str, user_id: str, item_id: str, other_id: str | None) -> "Against | None":
    from guidedrec_core.cases.against import build_against

    opened = loaders.system(run_id)
    with loaders.MODEL_LOCK:
        return build_against(opened, user_id, item_id, other_id)


@st.cache_data(max_entries=64, show_spinner="Looking for the smallest changes")
def _changes(home: str, run_id: str, user_id: str, item_id: str) -> "Changes":
    from guidedrec_core.cases.changes import build_changes

    opened = loaders.system(run_id)
    with loaders.MODEL_LOCK:
        return build_changes(opened, user_id, item_id)


@st.cache_data(max_entries=64, show_spinner=False)
def _why_not(home: str, run_id: str, user_id: str, item_id: str) -> "NotListed":
    from guidedrec_core.cases.changes import build_why_not

    opened = loaders.system(run_id)
    with loaders.MODEL_LOCK:
        return build_why_not(opened, user_id, item_id)


@st.cache_data(max_entries=64, show_spinner=False)
def _moved(home: str, run_id: str, user_id: str, item_id: str) -> "Moved | None":
    from guidedrec_core.cases.changes import build_moved

    opened = loaders.system(run_id)
    with loaders.MODEL_LOCK:
        return build_moved(opened, user_id, item_id)
