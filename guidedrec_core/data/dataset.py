"""`Dataset`: interactions and catalogue that belong together, imported once and stored as a run of stage ``data``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import Catalogue, align
from guidedrec_core.data.interactions import Interactions, core_filter
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.readers import read
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError
from guidedrec_core.runs.store import Run, RunWriter

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Dataset:
    """A named data set, ready for splitting and training.

    Attributes
    ----------
    name : str
        Lower-case letters, digits, ``-`` and ``_``.
    interactions : Interactions
        All interactions.
    catalogue : Catalogue
        Exactly the items of the interactions, row n for the item of index n.
    source : dict of str to str
        Where it came from: ``format``, ``path`` (the file's or folder's name), ``licence`` and ``citation`` if known.
    notices : tuple of Notice
        What the import found odd and what it did.
    """

    name: str
    interactions: Interactions
    catalogue: Catalogue
    source: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        """Check the name and that catalogue and interactions agree."""
        check_name(self.name)
        if not np.array_equal(self.catalogue.frame[c.ITEM].to_numpy(dtype=object), self.items.ids):
            raise DataError(f"data set {self.name}: the catalogue's rows are not the items in index order; use align")

    @cached_property
    def users(self) -> Vocabulary:
        """Users in the order in which they first appear in the interactions (sorted as text)."""
        return Vocabulary(self.interactions.frame[c.USER].unique(), "user")

    @cached_property
    def items(self) -> Vocabulary:
        """Items in the order of `item_order`."""
        return Vocabulary(item_order(self.interactions.frame[c.ITEM]), "item")

    def describe(self) -> dict[str, Any]:
        """Return the facts of the data set, ready for JSON.

        Returns
        -------
        dict
            ``name``, ``users``, ``items``, ``interactions`` (counts), ``density`` (share of all user and item pairs
            that occur), ``first``, ``last`` (ISO 8601, UTC), ``history`` (``min``, ``median``, ``max`` interactions
            of a user), ``categories`` (count of distinct main categories), ``source`` and ``notices``.
        """
        frame = self.interactions.frame
        histories = frame.groupby(c.USER, sort=False).size()
        pairs = int((~frame.duplicated([c.USER, c.ITEM])).sum())
        categories = self.catalogue.main_categories
        return {
            "name": self.name,
            "users": len(self.users),
            "items": len(self.items),
            "interactions": len(frame),
            "density": pairs / (len(self.users) * len(self.items)),
            "first": frame[c.DATETIME].min().isoformat(),
            "last": frame[c.DATETIME].max().isoformat(),
            "history": {
                "min": int(histories.min()),
                "median": float(histories.median()),
                "max": int(histories.max()),
            },
            "categories": int(categories[categories != ""].nunique()),
            "source": dict(self.source),
            "notices": [notice.as_dict() for notice in self.notices],
        }


def check_name(name: str) -> None:
    """Refuse a name that could not be part of a URL or a command line.

    Raises
    ------
    DataError
        It is not made of lower-case letters, digits, ``-`` and ``_``, or begins with one of the latter two.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"expected a data set name of lower-case letters, digits, - and _ that begins with a letter or digit, "
            f"e.g. my-shop; got {name!r}"
        )


def item_order(item_ids: pd.Series) -> list[str]:
    """Return the distinct ids in index order: by number when all are digits, else as text.

    The order depends on nothing but the set of ids. Of equal numbers (``"07"`` and ``"7"``) the smaller text is first.

    Examples
    --------
    >>> item_order(pd.Series(["10", "9", "007", "9"]))
    ['007', '9', '10']
    >>> item_order(pd.Series(["10", "9", "tent"]))
    ['10', '9', 'tent']
    """
    ids = [str(item_id) for item_id in item_ids.unique()]
    if all(item_id.isascii() and item_id.isdecimal() for item_id in ids):
        return sorted(ids, key=lambda item_id: (int(item_id), item_id))
    return sorted(ids)


def import_dataset(
    format: str,
    path: Path | str,
    name: str,
    mapping: Mapping[str, str] | None = None,
    items_path: Path | str | None = None,
    min_interactions: int = 1,
) -> Dataset:
    """Read, clean and filter a data set.

    Parameters
    ----------
    format : str
        A key of `guidedrec_core.data.readers.READERS`.
    path : path
        The file, folder or zip archive.
    name : str
        How the data set shall be called.
    mapping, items_path
        See `guidedrec_core.data.readers.read`.
    min_interactions : int, default 1
        Keep the users and items with at least so many interactions (k-core).

    Returns
    -------
    Dataset
        With a notice of everything that was changed or left out.

    Raises
    ------
    DataError
        Anything that makes the files unusable; one message with what to do.
    """
    check_name(name)
    if min_interactions < 1:
        raise DataError(f"expected a least number of interactions of 1 or more, got {min_interactions}")
    raw = read(format, path, mapping, items_path)
    interactions, cleaned = Interactions.clean(raw.interactions)
    interactions, filtered = core_filter(interactions, min_interactions)
    catalogue, aligned = align(raw.items, item_order(interactions.frame[c.ITEM]))
    source = {"format": format, "path": Path(path).resolve().name, **raw.facts}
    return Dataset(name, interactions, catalogue, source, (*raw.notices, *cleaned, *filtered, *aligned))


def save(dataset: Dataset, writer: RunWriter) -> None:
    """Write a data set into a run of stage ``data``."""
    writer.write_table("interactions", dataset.interactions.frame)
    writer.write_table("catalogue", dataset.catalogue.frame)
    notices = [notice.as_dict() for notice in dataset.notices]
    writer.write_json("dataset", {"name": dataset.name, "source": dict(dataset.source), "notices": notices})


def load(run: Run) -> Dataset:
    """Read a data set from a run of stage ``data``; it equals the one that was saved.

    Raises
    ------
    NotFoundError
        The run holds no data set.
    RunCorruptError
        A file is damaged.
    """
    facts = run.read_json("dataset")
    notices = tuple(Notice(**notice) for notice in facts["notices"])
    interactions = Interactions(run.read_table("interactions"))
    return Dataset(facts["name"], interactions, Catalogue(run.read_table("catalogue")), facts["source"], notices)
