"""Titles of items of saved cases, which may belong to any data set."""

from collections.abc import Sequence

from guidedrec_core import columns as c
from guidedrec_core.app import loaders
from guidedrec_core.data.verbs import BOUGHT, InteractionVerb, verb_of
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.runs.library import RefinedEntry


class Titles:
    """Looks up titles in the newest refined runs' data.

    Parameters
    ----------
    entries : sequence of RefinedEntry
        All refined runs, newest first.
    """

    def __init__(self, entries: Sequence[RefinedEntry]) -> None:
        self.entries = entries
        self._newest: dict[str, RefinedEntry] = {}
        for entry in entries:
            self._newest.setdefault(str(entry.data.config["name"]), entry)
        self._titles: dict[str, dict[str, str]] = {}

    def of(self, dataset: str, item_id: str) -> str:
        """Return an item's title; its id where the data set or the item no longer exists."""
        if dataset not in self._titles:
            self._titles[dataset] = self._read(dataset)
        return self._titles[dataset].get(item_id, item_id)

    def verb(self, dataset: str) -> InteractionVerb:
        """Return how to speak of a data set's interactions."""
        entry = self._newest.get(dataset)
        return BOUGHT if entry is None else verb_of(dataset, entry.data.config.get("source", {}))

    def _read(self, dataset: str) -> dict[str, str]:
        entry = self._newest.get(dataset)
        if entry is None:
            return {}
        try:
            catalogue = loaders.table(entry.data.id, "catalogue")
        except GuidedrecError:  # damaged: the study is still readable
            return {}
        return dict(zip(catalogue[c.ITEM].astype(str), catalogue[c.TITLE].astype(str), strict=True))
