"""Readers: one function a file format, each giving the same raw tables under the canonical column names."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError

YEAR = "year"
"""Column of the MovieLens and MovieTweetings catalogues: the year in brackets at the end of a title, if any."""

_YEAR = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
_NO_GENRES = "(no genres listed)"
_TAGS_SHOWN = 5
_ITEM_FACTS = (c.TITLE, c.CATEGORY, c.PRICE, c.DESCRIPTION)

# Names that other programs use (LensKit, RecBole); taken when the canonical one is absent, with a notice.
_OTHER_NAMES = {c.USER: "user", c.ITEM: "item", c.DATETIME: "timestamp", c.WEIGHT: "rating"}

_MOVIELENS_FACTS = {
    "licence": "GroupLens: free for research with acknowledgement; no commercial use without permission",
    "citation": "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4: 19:1-19:19. https://doi.org/10.1145/2827872",
}
_MOVIETWEETINGS_FACTS = {
    "licence": "MIT",
    "citation": "Simon Dooms, Toon De Pessemier and Luc Martens. 2013. MovieTweetings: a Movie Rating Dataset "
    "Collected From Twitter. Workshop on Crowdsourcing and Human Computation for ItemScorer Systems at RecSys 2013.",
}


@dataclass(frozen=True)
class RawData:
    """What the files hold, under canonical names but not yet validated.

    Attributes
    ----------
    interactions : pandas.DataFrame
        ``user_id``, ``item_id``, ``datetime`` and, where the source has it, ``weight``: raw values in the order in
        which interactions of one user at the same time are to stay.
    items : pandas.DataFrame or None
        ``item_id``, ``title``, ``category`` (blank when unknown), then whatever else the source says about items.
    notices : tuple of Notice
        What was odd, and columns that were not used.
    facts : dict of str to str
        ``licence`` and ``citation`` where the format implies them.
    """

    interactions: pd.DataFrame
    items: pd.DataFrame | None
    notices: tuple[Notice, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


Reader = Callable[[Path, Mapping[str, str], Path | None], RawData]
"""Takes a path, a column mapping (canonical name to the file's) and the path of a separate table of items."""


def read(
    format: str, path: Path | str, mapping: Mapping[str, str] | None = None, items_path: Path | str | None = None
) -> RawData:
    """Read a data set from disk.

    Parameters
    ----------
    format : str
        A key of `READERS`.
    path : path
        The file, folder or zip archive.
    mapping : dict of str to str, optional
        Canonical name to the file's column, e.g. ``{"user_id": "customer"}`` (csv and parquet only).
    items_path : path, optional
        A table of items, Parquet or CSV by its suffix (csv and parquet only).

    Returns
    -------
    RawData
        Raw tables; ids that the file stores as text are kept to the letter.

    Raises
    ------
    DataError
        Unknown format, missing or unreadable files, missing columns (all are named).
    """
    if format not in READERS:
        raise DataError(f"expected a format out of {', '.join(READERS)}; got {format!r}")
    return READERS[format](Path(path), dict(mapping or {}), None if items_path is None else Path(items_path))


def read_movielens(path: Path, mapping: Mapping[str, str], items_path: Path | None) -> RawData:
    """Read a MovieLens folder or zip archive: ratings.csv, movies.csv and, when there, tags.csv.

    Rows are ordered by movie number, so that one user's ratings of the same second stay in that order. Genres stay
    ``"A|B"`` in `category`; the five most given tags make the `description`.
    """
    _refuse_options("movielens", mapping, items_path)
    files = tables.read_members(path, ("ratings.csv", "movies.csv"), optional=("tags.csv",))
    advice = "Use the files as GroupLens publishes them, or --format csv with --map"

    def table(name: str, wanted: Mapping[str, str]) -> pd.DataFrame:
        return tables.select(tables.parse_csv(files[name], name, ","), wanted, name, advice)

    ratings = table("ratings.csv", {c.USER: "userId", c.ITEM: "movieId", c.DATETIME: "timestamp", c.WEIGHT: "rating"})
    movies = _films(table("movies.csv", {c.ITEM: "movieId", c.TITLE: "title", c.CATEGORY: "genres"}))
    if "tags.csv" in files:
        movies[c.DESCRIPTION] = _top_tags(table("tags.csv", {c.ITEM: "movieId", "tag": "tag"}), movies[c.ITEM])
    return RawData(_by_item_number(ratings), movies, facts=_MOVIELENS_FACTS)


def read_movietweetings(path: Path, mapping: Mapping[str, str], items_path: Path | None) -> RawData:
    """Read a MovieTweetings folder or zip archive: ratings.dat and movies.dat.

    Movie ids are IMDb numbers and keep their leading zeros. Rows are ordered by movie number, as for MovieLens.
    """
    _refuse_options("movietweetings", mapping, items_path)
    files = tables.read_members(path, ("ratings.dat", "movies.dat"))
    ratings = tables.parse_double_colon(files["ratings.dat"], "ratings.dat", (c.USER, c.ITEM, c.WEIGHT, c.DATETIME))
    movies = tables.parse_double_colon(files["movies.dat"], "movies.dat", (c.ITEM, c.TITLE, c.CATEGORY))
    return RawData(_by_item_number(ratings), _films(movies), facts=_MOVIETWEETINGS_FACTS)


def read_csv(path: Path, mapping: Mapping[str, str], items_path: Path | None) -> RawData:
    """Read one CSV file of interactions; the separator is guessed from its header."""
    return _read_own(tables.parse_csv(tables.read_bytes(path), path.name), path.name, mapping, items_path)


def read_parquet(path: Path, mapping: Mapping[str, str], items_path: Path | None) -> RawData:
    """Read one Parquet file of interactions."""
    return _read_own(tables.read_parquet(path), path.name, mapping, items_path)


READERS: dict[str, Reader] = {
    "movielens": read_movielens,
    "movietweetings": read_movietweetings,
    "csv": read_csv,
    "parquet": read_parquet,
}
"""All readers by the name of their format."""


def _read_own(frame: pd.DataFrame, name: str, mapping: Mapping[str, str], items_path: Path | None) -> RawData:
    """Give a user's own tables their canonical names."""
    unknown = [key for key in mapping if key not in (*c.INTERACTIONS, *_ITEM_FACTS)]
    if unknown:
        raise DataError(
            f"expected a mapping of {', '.join((*c.INTERACTIONS, *_ITEM_FACTS))}; got {', '.join(unknown)}. "
            "Write canonical=column, e.g. user_id=customer"
        )
    of_items = [key for key in mapping if key in _ITEM_FACTS]
    if of_items and items_path is None:
        raise DataError(
            f"{', '.join(of_items)} are mapped, but they belong to a table of items and there is none; "
            "name one with --items"
        )
    notices: list[Notice] = []
    interactions = _interaction_columns(frame, name, mapping, notices)
    items = None if items_path is None else _item_columns(tables.read_table(items_path), items_path.name, mapping)
    return RawData(interactions, items, tuple(notices))


def _interaction_columns(
    frame: pd.DataFrame, name: str, mapping: Mapping[str, str], notices: list[Notice]
) -> pd.DataFrame:
    wanted = {key: mapping.get(key, key) for key in c.INTERACTIONS}
    renamed = {
        key: _OTHER_NAMES[key]
        for key in c.INTERACTIONS
        if key not in mapping and key not in frame.columns and _OTHER_NAMES[key] in frame.columns
    }
    if renamed:
        pairs = ", ".join(f"{column} as {key}" for key, column in renamed.items())
        notices.append(
            Notice("columns_taken", len(renamed), f"{name}: columns recognised by another usual name: {pairs}")
        )
        wanted |= renamed
    if c.WEIGHT not in mapping and wanted[c.WEIGHT] not in frame.columns:
        del wanted[c.WEIGHT]
    advice = "Name the right ones with --map, e.g. --map user_id=<column of the file>"
    chosen = tables.select(frame, wanted, name, advice)
    unused = [str(column) for column in frame.columns if column not in wanted.values()]
    if unused:
        notices.append(Notice("columns_unused", len(unused), f"{name}: columns not used: {', '.join(unused)}"))
    return chosen


def _item_columns(frame: pd.DataFrame, name: str, mapping: Mapping[str, str]) -> pd.DataFrame:
    wanted = {key: mapping.get(key, key) for key in (c.ITEM, c.TITLE)}
    if wanted[c.ITEM] not in frame.columns and c.ITEM in frame.columns:
        wanted[c.ITEM] = c.ITEM  # the mapped name was that of the interactions' column
    for key in (c.CATEGORY, c.PRICE, c.DESCRIPTION):
        if key in mapping or key in frame.columns:
            wanted[key] = mapping.get(key, key)
    chosen = tables.select(frame, wanted, name, "Name the right ones with --map, e.g. --map title=<column of the file>")
    if c.CATEGORY not in chosen.columns:
        chosen[c.CATEGORY] = ""
    others = [column for column in frame.columns if column not in wanted.values() and column not in chosen.columns]
    return pd.concat([chosen, frame[others]], axis=1)


def _refuse_options(format: str, mapping: Mapping[str, str], items_path: Path | None) -> None:
    if mapping or items_path is not None:
        raise DataError(f"format {format} has fixed columns and its own table of items; leave out --map and --items")


def _by_item_number(ratings: pd.DataFrame) -> pd.DataFrame:
    """Order rows by item number, when all items have one; users' rows are put in time order later, stably."""
    numbers = pd.to_numeric(ratings[c.ITEM], errors="coerce")
    if numbers.isna().any():
        return ratings
    return ratings.iloc[numbers.argsort(kind="stable")].reset_index(drop=True)


def _films(movies: pd.DataFrame) -> pd.DataFrame:
    """Blank absent genres and add the year."""
    movies[c.CATEGORY] = movies[c.CATEGORY].fillna("").replace(_NO_GENRES, "")
    movies[YEAR] = movies[c.TITLE].str.extract(_YEAR, expand=False).astype("Int64")
    return movies


def _top_tags(tags: pd.DataFrame, items: pd.Series) -> pd.Series:
    """Join each item's most given tags, most given first, equals by alphabet."""
    tags = tags.dropna().assign(tag=lambda frame: frame["tag"].str.strip().str.casefold())
    counts = tags.groupby([c.ITEM, "tag"], as_index=False).size()
    ordered = counts.sort_values([c.ITEM, "size", "tag"], ascending=[True, False, True])
    top = ordered.groupby(c.ITEM)["tag"].agg(lambda of_item: ", ".join(of_item.head(_TAGS_SHOWN)))
    return items.map(top).fillna("").astype("str")
