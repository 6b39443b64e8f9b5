"""Cached loading for the Attributes page, and which scores it is about; see `loaders` for the rules."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from guidedrec_core import columns as c
from guidedrec_core.app import loaders
from guidedrec_core.data.judgements.table import check_judgements
from guidedrec_core.data.tables import parse_csv
from guidedrec_core.reliability.trust import Trust, build_trust
from guidedrec_core.runs.scores import load_scores, newest_scores, repeated_scores
from guidedrec_core.runs.store import Run, RunStore

if TYPE_CHECKING:
    from guidedrec_core.audit.human import HumanAudit


@dataclass(frozen=True)
class Scores:
    """The scores of the refined run under study, and what was scored since.

    Attributes
    ----------
    used : Run
        What the refined model was made with, including overrides.
    given : Run
        The same scores as given, without overrides.
    newer : Run or None
        The newest scores, where they differ; the next refinement starts from them.
    """

    used: Run
    given: Run
    newer: Run | None


def scores(scores_id: str) -> Scores:
    """Find the scores of a refined run, and newer ones of the same data set.

    Parameters
    ----------
    scores_id : str
        The run of stage ``scores`` that the refined run was made with.
    """
    store = loaders.store()
    used = store.open(scores_id, "scores", verify=False)
    below = used.inputs.get("scores")
    given = used if below is None else store.open(below, "scores", verify=False)
    newest = newest_scores(store, store.open(used.inputs["data"], "data", verify=False))
    return Scores(used, given, None if newest is None or newest.id == given.id else newest)


def origin(run: Run) -> str:
    """Say where the scores of a run come from."""
    made, hash_ = f"{run.created:%d %b %Y %H:%M} UTC", run.summary["schema_hash"]
    how = run.config.get("scoring")
    if how is not None:
        passes = f" in {how['passes']} passes" if how["passes"] > 1 else ""
        source = f"by {how['model']} at {how['server']}{passes}"
    else:
        source = f"recorded in {run.config['item_scores']['file']}"
    for each in run.config.get("added", []):
        source += f", {each['attribute']} by {each['scored_by']}"
    return f"Scores {source} · stored {made} · attributes {hash_} · run {run.id}"


def trust(scores_id: str) -> Trust:
    """Compute how far the scores of a run can be trusted; shared and read-only."""
    return _trust(str(loaders.store().home), scores_id)


@st.cache_resource(max_entries=4, show_spinner="Comparing scores")
def _trust(home: str, scores_id: str) -> Trust:
    store = RunStore(Path(home))
    run = store.open(scores_id, "scores", verify=False)
    items = loaders.dataset(run.inputs["data"]).items
    return build_trust(load_scores(run), items, repeated_scores(store, run))


def people(scores_id: str, name: str, content: bytes) -> "HumanAudit":
    """Compare the scores of a run with an uploaded table of judgements; shared and read-only.

    Parameters
    ----------
    scores_id : str
        A run of stage ``scores``.
    name : str
        The file's name, for messages.
    content : bytes
        CSV; see `human_agreement` for its columns.

    Raises
    ------
    DataError
        The table cannot be read, or does not fit the data set; the message says how.
    """
    return _people(str(loaders.store().home), scores_id, name, content)


@st.cache_resource(max_entries=4, show_spinner="Comparing with people")
def _people(home: str, scores_id: str, name: str, content: bytes) -> "HumanAudit":
    from guidedrec_core.audit.human import human_agreement

    run = RunStore(Path(home)).open(scores_id, "scores", verify=False)
    dataset = loaders.dataset(run.inputs["data"])
    categories = dataset.catalogue.frame[c.CATEGORY].tolist()
    judgements = check_judgements(parse_csv(content, name), name)
    return human_agreement(judgements, load_scores(run), dataset.items, categories if any(categories) else None)
