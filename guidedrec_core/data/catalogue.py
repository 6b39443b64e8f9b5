"""`Catalogue`: what is known about each item, one row per item, in the order of the item indexes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.interactions import clean_ids
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError

_NEEDED = (c.ITEM, c.TITLE, c.CATEGORY)


@dataclass(frozen=True)
class Catalogue:
    """One row per item.

    Attributes
    ----------
    frame : pandas.DataFrame
        ``item_id`` (str, unique), ``title`` (str, never blank), ``category`` (str, ``""`` when unknown; several are
        joined by ``|``), optional ``price`` (float64, NaN when unknown), ``description`` (str) and any other columns
        of the source. Treat as read-only.
    """

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        """Check that the frame is as documented; `align` makes one that is."""
        missing = [name for name in _NEEDED if name not in self.frame.columns]
        if missing:
            raise DataError(f"a catalogue needs the columns {', '.join(_NEEDED)}; missing: {', '.join(missing)}")
        if not self.frame[c.ITEM].is_unique:
            twice = self.frame[c.ITEM][self.frame[c.ITEM].duplicated()].unique()[:3]
            raise DataError(f"a catalogue has one row an item, got two or more for {', '.join(twice)}; use align")
        if self.frame[list(_NEEDED)].isna().any(axis=None) or (self.frame[c.TITLE].str.strip() == "").any():
            raise DataError("a catalogue needs an id and a title in every row and no missing category; use align")

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def main_categories(self) -> pd.Series:
        """Each item's first category, shape ``[n_items]``; see `main_category`."""
        return self.frame[c.CATEGORY].map(main_category)


def main_category(category: str) -> str:
    """Return the part of a category text before the first ``|``.

    Examples
    --------
    >>> main_category("Adventure|Animation|Children")
    'Adventure'
    >>> main_category("")
    ''
    """
    return category.partition("|")[0].strip()


def category_words(category: str) -> str:
    """Return a category as people read it.

    Examples
    --------
    >>> category_words("base_layers"), category_words("Drama|War"), category_words("")
    ('base layers', 'Drama, War', 'no category')
    """
    return category.replace("_", " ").replace("|", ", ") or "no category"


def align(items: pd.DataFrame | None, item_ids: Sequence[str]) -> tuple[Catalogue, tuple[Notice, ...]]:
    """Make the catalogue of exactly the given items, in their order.

    Parameters
    ----------
    items : pandas.DataFrame or None
        Listings with ``item_id``, ``title``, ``category`` and more; None when there are none.
    item_ids : sequence of str
        The items with interactions, by index.

    Returns
    -------
    tuple of (Catalogue, tuple of Notice)
        Items without a listing have their id as title; the notices count these, listings of items without interactions,
        repeated listings and blank titles.

    Raises
    ------
    DataError
        A listing has no id, or columns are missing.
    """
    ids = pd.Series(list(item_ids), dtype="str", name=c.ITEM)
    if items is None:
        notice = Notice("no_catalogue", len(ids), f"no listings were given; the ids of {len(ids):,} items are shown")
        return Catalogue(pd.DataFrame({c.ITEM: ids, c.TITLE: ids, c.CATEGORY: ""}).astype("str")), (notice,)
    notices: list[Notice] = []
    listings = items.assign(**{c.ITEM: clean_ids(items[c.ITEM], "catalogue item", notices)})
    repeated = listings[c.ITEM].duplicated()
    _count(
        notices,
        "duplicate_listings",
        repeated,
        "listing repeats an item id; the first one was kept",
        "listings repeat an item id; the first of each was kept",
    )
    listings = listings[~repeated].set_index(c.ITEM)
    unused = ~listings.index.isin(ids)
    _count(
        notices,
        "unused_listings",
        unused,
        "listing is of an item without interactions, left out",
        "listings are of items without interactions, left out",
    )
    unlisted = ~ids.isin(listings.index)
    _count(
        notices,
        "unlisted_items",
        unlisted,
        "item has no listing; its id is shown as its title",
        "items have no listing; their ids are shown as titles",
    )
    frame = listings.reindex(ids).reset_index()
    title = _text(frame[c.TITLE])
    blank = title == ""
    _count(
        notices,
        "blank_titles",
        blank & ~unlisted,
        "listing has no title; its id is shown instead",
        "listings have no title; their ids are shown instead",
    )
    frame[c.TITLE] = title.where(~blank, ids)
    for column in (c.CATEGORY, c.DESCRIPTION):
        if column in frame:
            frame[column] = _text(frame[column])
    if c.PRICE in frame:
        prices = pd.to_numeric(frame[c.PRICE], errors="coerce").astype("float64")
        prices = prices.where(np.isfinite(prices))  # 1e400 overflows to infinity
        _count(
            notices,
            "unreadable_prices",
            prices.isna() & frame[c.PRICE].notna(),
            "price is no finite number, left blank",
            "prices are no finite numbers, left blank",
        )
        frame[c.PRICE] = prices
    return Catalogue(frame), tuple(notices)


def _text(values: pd.Series) -> pd.Series:
    """Turn any column into trimmed text without missing values."""
    return values.astype("object").fillna("").astype("str").str.strip()


def _count(notices: list[Notice], code: str, concerned: pd.Series | npt.NDArray[np.bool_], one: str, many: str) -> None:
    count = int(concerned.sum())
    if count:
        notices.append(Notice.counted(code, count, one, many))
