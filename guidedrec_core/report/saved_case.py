"""Where a saved case comes from: its run, if that still exists, and what its address says. Loads no model."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from guidedrec_core.data.dataset import SHOWN, Shown
from guidedrec_core.runs.library import RefinedEntry
from guidedrec_core.studies.study import SavedCase

_STEERED = ("pull", "without", "with")
"""What changes a list in the Case study; names in its address."""


def entry_of(case: SavedCase, entries: Sequence[RefinedEntry]) -> RefinedEntry | None:
    """Return the run a case was saved with, else, where it names none, the newest of its data set; None for neither."""
    wanted = case.content.runs.get("refined")
    own = (one for one in entries if one.data.config["name"] == case.content.dataset)
    return next((one for one in own if wanted in (None, one.run.id)), None)


def missing(case: SavedCase, entries: Sequence[RefinedEntry]) -> str:
    """Say what of a case no longer exists; empty where nothing is missing."""
    if entry_of(case, entries) is not None:
        return ""
    if case.content.dataset not in {one.data.config["name"] for one in entries}:
        return f"data set {case.content.dataset} no longer exists here"
    return f"run {case.content.runs.get('refined', '')} of data set {case.content.dataset} no longer exists here"


def history_of(case: SavedCase) -> Shown:
    """Return which part of the history the saved view started from."""
    return next((part for part in SHOWN if [part] == _query(case).get("history")), "full")


def is_steered(case: SavedCase) -> bool:
    """Return whether the saved view changes the user's taste or history."""
    return any(name in _query(case) for name in _STEERED)


def _query(case: SavedCase) -> dict[str, list[str]]:
    return parse_qs(case.content.address.removeprefix("?"))
