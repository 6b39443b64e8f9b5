"""Cached answers about what would change a case, keyed by run id; see `loaders`."""

from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core.app import loaders
from guidedrec_core.cases.key import CaseKey

if TYPE_CHECKING:
    from guidedrec_core.cases.against import Against
    from guidedrec_core.cases.changes import Changes, Moved, NotListed


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
