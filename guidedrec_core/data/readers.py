"""Readers: one function a file format, each giving the same raw tables under the canonical column names."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.files.delimited import read_delimited, read_double_colon
from guidedrec_core.data.files.members import Member, find_members
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.table import Table
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import DataError

YEAR = "year"
"""Column of the MovieLens and MovieTweetings catalogues: the year in brackets at the end of a title, if any."""

_YEAR = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
_NO_GENRES = "(no genres listed)"
_TAGS_SHOWN = 5
_SHOWN = 50
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
    "Collected From Twitter. Workshop on Crowdsourcing and Human Computation for Recommender Systems at RecSys 2013.",
}


@dataclass
class RawData:
    """What the files hold, under canonical names but not yet validated.

    Attributes
    ----------
    interactions : pandas.DataFrame
        ``user_id``, ``item_id``, ``datetime`` and, where the source has it, ``weight``: raw values in the order of
        the source; and ``tie_order`` where a column for ties was named.
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

    def take_interactions(self) -> pd.DataFrame:
        """Give the interactions away, so that their memory is free as soon as the receiver has read them."""
        table, self.interactions = self.interactions, pd.DataFrame()
        return table


@dataclass(frozen=True)
class Files:
    """Where tables lie and what their columns are called.

    Attributes
    ----------
    path : Path or str
        A file, folder or archive, or an address that fsspec knows.
    mapping : dict of str to str
        Canonical name to the file's column.
    items_path : Path or str or None
        A separate table of items.
    tie_column : str or None
        A column of the file to keep as `columns.TIE`, which orders interactions of one user at the same moment.
    """

    path: Path | str
    mapping: Mapping[str, str] = field(default_factory=dict)
    items_path: Path | str | None = None
    tie_column: str | None = None


Reader = Callable[[Files], RawData]


def read(
    format: str,
    path: Path | str,
    mapping: Mapping[str, str] | None = None,
    items_path: Path | str | None = None,
    tie_column: str | None = None,
) -> RawData:
    """Read a data set.

    Parameters
    ----------
    format : str
        A key of `READERS`.
    path : Path or str
        The file, folder or zip archive, or an address that fsspec knows (``s3://bucket/sales.csv.gz``).
    mapping : dict of str to str, optional
        Canonical name to the file's column, e.g. ``{"user_id": "customer"}`` (csv, parquet and jsonl only).
    items_path : Path or str, optional
        A table of items in any of these formats (csv, parquet and jsonl only).
    tie_column : str, optional
        See `Files` (csv, parquet and jsonl only).

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
    return READERS[format](Files(path, dict(mapping or {}), items_path, tie_column))


def read_movielens(files: Files) -> RawData:
    """Read a MovieLens folder or zip archive: ratings.csv, movies.csv and, when there, tags.csv.

    Rows are ordered by movie number, so that one user's ratings of the same second stay in that order. Genres stay
    ``"A|B"`` in `category`; the five most given tags make the `description`.
    """
    _refuse_options("movielens", files)
    members = find_members(place_of(files.path), ("ratings.csv", "movies.csv"), optional=("tags.csv",))
    advice = "Use the files as GroupLens publishes them, or --format csv with --map"

    def table(name: str, wanted: Mapping[str, str]) -> pd.DataFrame:
        with members[name].open() as plain:
            return tables.select(read_delimited(plain, ",", set(wanted.values())), wanted, name, advice)

    ratings = table("ratings.csv", {c.USER: "userId", c.ITEM: "movieId", c.DATETIME: "timestamp", c.WEIGHT: "rating"})
    movies = _films(table("movies.csv", {c.ITEM: "movieId", c.TITLE: "title", c.CATEGORY: "genres"}))
    if "tags.csv" in members:
        movies[c.DESCRIPTION] = _top_tags(table("tags.csv", {c.ITEM: "movieId", "tag": "tag"}), movies[c.ITEM])
    return RawData(_by_item_number(ratings), movies, facts=_MOVIELENS_FACTS)


def read_movietweetings(files: Files) -> RawData:
    """Read a MovieTweetings folder or zip archive: ratings.dat and movies.dat.

    Movie ids are IMDb numbers and keep their leading zeros. Rows are ordered by movie number, as for MovieLens.
    """
    _refuse_options("movietweetings", files)
    members = find_members(place_of(files.path), ("ratings.dat", "movies.dat"))

    def table(member: Member, *columns: str) -> pd.DataFrame:
        with member.open() as plain:
            return read_double_colon(plain, columns)

    ratings = table(members["ratings.dat"], c.USER, c.ITEM, c.WEIGHT, c.DATETIME)
    movies = table(members["movies.dat"], c.ITEM, c.TITLE, c.CATEGORY)
    return RawData(_by_item_number(ratings), _films(movies), facts=_MOVIETWEETINGS_FACTS)


def read_csv(files: Files) -> RawData:
    """Read one file of interactions as delimited text; the separator is guessed from its header."""
    return _read_own("csv", files)


def read_parquet(files: Files) -> RawData:
    """Read one Parquet file of interactions, or a folder of parts."""
    return _read_own("parquet", files)


def read_jsonl(files: Files) -> RawData:
    """Read one file of interactions, one JSON object a line."""
    return _read_own("jsonl", files)


READERS: dict[str, Reader] = {
    "movielens": read_movielens,
    "movietweetings": read_movietweetings,
    "csv": read_csv,
    "parquet": read_parquet,
    "jsonl": read_jsonl,
}
"""All readers by the name of their format."""


def _read_own(kind: tables.Kind, files: Files) -> RawData:
    """Give a user's own tables their canonical names."""
    mapping = files.mapping
    unknown = [key for key in mapping if key not in (*c.INTERACTIONS, *_ITEM_FACTS)]
    if unknown:
        raise DataError(
            f"expected a mapping of {', '.join((*c.INTERACTIONS, *_ITEM_FACTS))}; got {', '.join(unknown)}. "
            "Write canonical=column, e.g. user_id=customer"
        )
    of_items = [key for key in mapping if key in _ITEM_FACTS]
    if of_items and files.items_path is None:
        raise DataError(
            f"{', '.join(of_items)} are mapped, but they belong to a table of items and there is none; "
            "name one with --items"
        )
    notices: list[Notice] = []
    # Only what may be needed is loaded: files of reviews hold far more text than that.
    wanted = {*c.INTERACTIONS, *_OTHER_NAMES.values(), *mapping.values(), *filter(None, [files.tie_column])}
    table = tables.load_table(files.path, kind, wanted)
    interactions = _interaction_columns(table, files, notices)
    items = None
    if files.items_path is not None:
        items = _item_columns(tables.load_table(files.items_path), place_of(files.items_path).name, mapping)
    return RawData(interactions, items, tuple(notices))


def _interaction_columns(table: Table, files: Files, notices: list[Notice]) -> pd.DataFrame:
    name, mapping = place_of(files.path).name, files.mapping
    wanted = {key: mapping.get(key, key) for key in c.INTERACTIONS}
    renamed = {
        key: _OTHER_NAMES[key]
        for key in c.INTERACTIONS
        if key not in mapping and key not in table.columns and _OTHER_NAMES[key] in table.columns
    }
    if renamed:
        pairs = ", ".join(f"{column} as {key}" for key, column in renamed.items())
        notices.append(
            Notice("columns_taken", len(renamed), f"{name}: columns recognised by another usual name: {pairs}")
        )
        wanted |= renamed
    if c.WEIGHT not in mapping and wanted[c.WEIGHT] not in table.columns:
        del wanted[c.WEIGHT]
    if files.tie_column is not None:
        wanted[c.TIE] = files.tie_column
    advice = "Name the right ones with --map, e.g. --map user_id=<column of the file>"
    chosen = tables.select(table, wanted, name, advice)
    unused = [column for column in table.columns if column not in wanted.values()]
    if unused:
        notices.append(Notice("columns_unused", len(unused), f"{name}: columns not used: {_some(unused)}"))
    return chosen


def _item_columns(table: Table, name: str, mapping: Mapping[str, str]) -> pd.DataFrame:
    frame = table.frame
    wanted = {key: mapping.get(key, key) for key in (c.ITEM, c.TITLE)}
    if wanted[c.ITEM] not in frame.columns and c.ITEM in frame.columns:
        wanted[c.ITEM] = c.ITEM  # the mapped name was that of the interactions' column
    for key in (c.CATEGORY, c.PRICE, c.DESCRIPTION):
        if key in mapping or key in frame.columns:
            wanted[key] = mapping.get(key, key)
    chosen = tables.select(table, wanted, name, "Name the right ones with --map, e.g. --map title=<column of the file>")
    if c.CATEGORY not in chosen.columns:
        chosen[c.CATEGORY] = ""
    others = [column for column in frame.columns if column not in wanted.values() and column not in chosen.columns]
    return pd.concat([chosen, frame[others]], axis=1)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _refuse_options(format: str, files: Files) -> None:
    if files.mapping or files.items_path is not None:
        raise DataError(f"format {format} has fixed columns and its own table of items; leave out --map and --items")
    if files.tie_column is not None:
        raise DataError(f"format {format} has no column that orders ties; use --ties none or --ties shuffle")


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
