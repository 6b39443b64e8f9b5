"""What every format takes and gives: `Files` in, `Source` out."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.table import Scan
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.reading.rows import Rows
from guidedrec_core.errors import DataError, RowError


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
    kinds : bool
        Whether the column with the kind of each interaction is wanted.
    """

    path: Path | str
    mapping: Mapping[str, str] = field(default_factory=dict)
    items_path: Path | str | None = None
    tie_column: str | None = None
    kinds: bool = False


@dataclass(frozen=True)
class Source:
    """What the files hold, under canonical names but not yet validated.

    Attributes
    ----------
    rows : Rows
        The interactions.
    items : pandas.DataFrame or None
        ``item_id``, ``title``, ``category`` (blank when unknown), then whatever else the source says about items.
    notices : tuple of Notice
        What was odd, and columns that were not used.
    facts : dict of str to str
        ``licence`` and ``citation`` where the format implies them.
    """

    rows: Rows
    items: pd.DataFrame | None
    notices: tuple[Notice, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


Format = Callable[[Files], Source]


def refuse_options(format: str, files: Files, items: bool = False) -> None:
    """Refuse a mapping, a table of items (unless it may be named) and a column for ties.

    Raises
    ------
    DataError
        The format has fixed columns.
    """
    if files.mapping or (files.items_path is not None and not items):
        own = "; leave out --map" if items else " and its own table of items; leave out --map and --items"
        raise DataError(f"format {format} has fixed columns{own}")
    if files.tie_column is not None:
        raise DataError(f"format {format} has no column that orders ties; use --ties none or --ties shuffle")
    if files.kinds:
        raise DataError(f"format {format} has no kinds of interaction; leave out --event-weights")


def table_rows(path: Path | str, kind: tables.Kind, columns: Mapping[str, str]) -> Rows:
    """Return the rows of one table.

    Parameters
    ----------
    path : Path or str
        The file.
    kind : {"csv", "parquet", "jsonl"}
        Its format.
    columns : dict of str to str
        Canonical name to the file's column; keys that are absent from a JSON line give missing values.
    """
    wanted = set(columns.values())

    @contextlib.contextmanager
    def pieces() -> Iterator[Iterator[pa.Table]]:
        with tables.scan_table(path, kind, wanted) as scan:
            yield renamed(scan, columns)

    def frame() -> pd.DataFrame:
        if kind == "parquet":
            loaded = tables.load_table(path, kind, wanted).frame
            return pd.DataFrame({new: loaded[old] for new, old in columns.items()})
        with pieces() as found:
            return collected(found, columns)

    return Rows(frame, pieces, line_finder(path, kind))


def renamed(scan: Scan, columns: Mapping[str, str]) -> Iterator[pa.Table]:
    """Yield the pieces of a file with canonical names, dictionaries decoded."""
    for piece in scan.pieces:
        found = {}
        for new, old in columns.items():
            column = piece.column(old)
            found[new] = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        yield pa.table(found)


def collected(pieces: Iterator[pa.Table], columns: Mapping[str, str]) -> pd.DataFrame:
    """Put pieces of text together."""
    found = list(pieces) or [pa.table({name: pa.array([], pa.large_string()) for name in columns})]
    frame: pd.DataFrame = pa.concat_tables(found).to_pandas(split_blocks=True, self_destruct=True)
    return frame


def line_finder(path: Path | str, kind: tables.Kind) -> Callable[[int], str | None]:
    """Return what says where row n of a file stands, e.g. ``"line 3 of sales.csv"``."""

    def where(row: int) -> str | None:
        place = place_of(path)
        found = tables.row_place(place, kind, row)
        return None if found is None else f"{found} of {place.name}"

    return where


@contextlib.contextmanager
def lines_named(rows: Rows) -> Iterator[None]:
    """Let errors name the line of the file instead of the row."""
    try:
        yield
    except RowError as error:
        where = rows.where(error.row)
        raise error if where is None else error.at(where) from error


def listings(frame: pd.DataFrame) -> pd.DataFrame:
    """Put a table of items in order: id, title, category, then the rest; absent titles and categories are blank."""
    absent: dict[str, Any] = {c.TITLE: "", c.CATEGORY: ""}
    whole = frame.assign(**{name: value for name, value in absent.items() if name not in frame.columns})
    first = [c.ITEM, c.TITLE, c.CATEGORY]
    return whole[[*first, *(name for name in whole.columns if name not in first)]]
