"""Search in a catalogue as people type: any case, with or without accents, a few results at a time."""

import unicodedata
from dataclasses import dataclass

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import Catalogue


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    items : pandas.DataFrame
        ``item_id, title, category`` of the best matches.
    total : int
        How many items match in all.
    """

    items: pd.DataFrame
    total: int

    @property
    def note(self) -> str:
        """A sentence on how many matches are shown."""
        if not self.total:
            return "none found"
        if len(self.items) == self.total:
            return f"{self.total:,} found"
        return f"{len(self.items):,} of {self.total:,} shown"


@dataclass(frozen=True)
class ItemIndex:
    """A catalogue prepared for searching.

    Attributes
    ----------
    items : pandas.DataFrame
        ``item_id, title, category``, in index order.
    ids, titles, texts : tuple of str
        Folded ids, titles, and all searched text, one per item.
    """

    items: pd.DataFrame
    ids: tuple[str, ...]
    titles: tuple[str, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "ItemIndex":
        """Index a catalogue, which takes about a second per 200,000 items; keep the result."""
        items = catalogue.frame[[c.ITEM, c.TITLE, c.CATEGORY]]
        ids, titles, categories = (tuple(map(fold, items[name].tolist())) for name in items.columns)
        return cls(items, ids, titles, tuple(map(" ".join, zip(ids, titles, categories, strict=True))))

    def __contains__(self, item_id: object) -> bool:
        """Tell whether there is an item of this id."""
        return bool((self.items[c.ITEM] == item_id).any())

    def title(self, item_id: str) -> str:
        """Return an item's title; its id when there is no such item."""
        titles = self.items[c.TITLE][self.items[c.ITEM] == item_id]
        return str(titles.iloc[0]) if len(titles) else item_id

    def search(self, query: str, limit: int = 20) -> SearchResult:
        """Find items whose id, title and category together contain every word of the query.

        Parameters
        ----------
        query : str
            Words or beginnings of words; an empty query finds all items.
        limit : int
            Maximum number of results.

        Returns
        -------
        SearchResult
            An equal id first, then titles that begin with the query, then titles that contain it, then the rest; in
            index order among equals.
        """
        wanted = " ".join(fold(query).split())
        if not wanted:  # asked each time a page is drawn, so without looking at every item
            return SearchResult(self.items.head(limit).reset_index(drop=True), len(self.items))
        found = [row for row, text in enumerate(self.texts) if all(word in text for word in wanted.split())]
        best = sorted(found, key=lambda row: self._order(row, wanted))[:limit]  # stable: index order among equals
        return SearchResult(self.items.iloc[best].reset_index(drop=True), len(found))

    def _order(self, row: int, wanted: str) -> int:
        """Return how well an item matches, 0 = best."""
        if self.ids[row] == wanted:
            return 0
        if self.titles[row].startswith(wanted):
            return 1
        return 2 if wanted in self.titles[row] else 3


def fold(text: str) -> str:
    """Return a text without case and accents.

    Examples
    --------
    >>> fold("Amélie — STRASSE")
    'amelie — strasse'
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
