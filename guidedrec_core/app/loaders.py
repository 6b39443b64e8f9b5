"""Cached loading, keyed by run id: a run never changes, so cached results stay valid.

Tables are copied for each page; an opened `RefinedRecommender` is shared by all sessions and never changed. torch is
imported when one is first opened, so that pages which only read tables start fast; after the first page is drawn, a
thread imports it (`prepare_models`), so that the next page does not wait for it.
"""

import importlib
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.cases.key import CaseKey
from guidedrec_core.data.dataset import Dataset, Shown
from guidedrec_core.errors import NotFoundError
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.store import Run, RunStore

if TYPE_CHECKING:
    from guidedrec_core.cases.case import Case
    from guidedrec_core.recommenders.refined import RefinedRecommender

MODEL_LOCK = threading.Lock()
"""Held around every call of a model: sessions are threads, and torch's settings belong to the process."""

_BROWSER_SECONDS = 1.0


def store() -> RunStore:
    """Return the store in ``$GUIDEDREC_HOME``."""
    return RunStore.default()


def table(run_id: str, name: str) -> pd.DataFrame:
    """Read a table of a run."""
    return _table(str(store().home), run_id, name)


def optional_table(run_id: str, name: str) -> pd.DataFrame | None:
    """Read a table that not every run has."""
    try:
        return table(run_id, name)
    except NotFoundError:
        return None


def array(run_id: str, name: str) -> Any:
    """Read an array of a run; shared and read-only."""
    return _array(str(store().home), run_id, name)


def json(run_id: str, name: str) -> Any:
    """Read a JSON file of a run."""
    return _json(str(store().home), run_id, name)


def dataset(run_id: str) -> Dataset:
    """Load a stored data set; shared and read-only."""
    return _dataset(str(store().home), run_id)


def facts(run_id: str) -> dict[str, Any]:
    """Return the facts of a stored data set; see `Dataset.describe`."""
    return _facts(str(store().home), run_id)


def schema(run_id: str) -> AttributeSchema:
    """Return the attributes of a scores run."""
    return AttributeSchema.parse(json(run_id, "attributes"))


def system(run_id: str, shown: Shown = "full", rules: str = "") -> "RefinedRecommender":
    """Open a refined run with all its inputs; shared and read-only. Hold `MODEL_LOCK` while using its models.

    Parameters
    ----------
    run_id : str
        The refined run.
    shown : {"full", "train+valid", "train"}
        Which part of each history its models are shown.
    rules : str
        Business rules to add to the refined scores; see `CaseKey.rules`.

    Raises
    ------
    InputError
        A rule does not fit the run.
    """
    home = str(store().home)
    return _ruled(home, run_id, shown, rules) if rules else _system(home, run_id).showing(shown)


def case(key: CaseKey) -> "Case":
    """Compute a case; see `guidedrec_core.cases.case.build_case`."""
    return _case(str(store().home), key)


@st.cache_resource(show_spinner=False)
def prepare_models() -> threading.Thread:
    """Import in the background what opening a model needs; once per process. Call it when a page is drawn."""
    thread = threading.Thread(target=_import_models, name="model imports", daemon=True)
    thread.start()
    return thread


def _import_models() -> None:
    # Delayed: this process still sends charts to the browser, and the imports would slow it down.
    time.sleep(_BROWSER_SECONDS)
    importlib.import_module("guidedrec_core.cases.case")


def _open(home: str, run_id: str) -> Run:
    return RunStore(Path(home)).open(run_id, verify=False)


@st.cache_data(max_entries=64, show_spinner=False)
def _table(home: str, run_id: str, name: str) -> pd.DataFrame:
    return _open(home, run_id).read_table(name)


@st.cache_resource(max_entries=32, show_spinner=False)
def _array(home: str, run_id: str, name: str) -> Any:
    return _open(home, run_id).read_array(name)


@st.cache_data(max_entries=32, show_spinner=False)
def _json(home: str, run_id: str, name: str) -> Any:
    return _open(home, run_id).read_json(name)


@st.cache_resource(max_entries=4, show_spinner=False)
def _dataset(home: str, run_id: str) -> Dataset:
    return load_dataset(_open(home, run_id))


@st.cache_data(max_entries=16, show_spinner=False)
def _facts(home: str, run_id: str) -> dict[str, Any]:
    return _dataset(home, run_id).describe()


@st.cache_resource(max_entries=2, show_spinner="Opening the models")
def _system(home: str, run_id: str) -> "RefinedRecommender":
    from guidedrec_core.recommenders.reading import open_refined

    with MODEL_LOCK:
        return open_refined(RunStore(Path(home)), run_id)


@st.cache_resource(max_entries=8, show_spinner=False)
def _ruled(home: str, run_id: str, shown: Shown, rules: str) -> "RefinedRecommender":
    from guidedrec_core.rules.rule import RuleSet, adjustments

    opened = _system(home, run_id).showing(shown)
    with MODEL_LOCK:
        return opened.with_rules(adjustments(RuleSet.from_json(rules).on, opened))


@st.cache_data(max_entries=64, show_spinner=False)
def _case(home: str, key: CaseKey) -> "Case":
    from guidedrec_core.cases.case import build_case

    opened = system(key.run_id, key.shown, key.rules)
    with MODEL_LOCK:
        return replace(build_case(opened, key.user_id, key.item_id), rules=key.rules)
