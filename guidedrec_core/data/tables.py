"""Reading files into tables: shared by all readers, with one clear error for each kind of bad file."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from guidedrec_core.data.files.delimited import read_delimited, scan_delimited
from guidedrec_core.data.files.json_lines import read_json_lines, scan_json_lines
from guidedrec_core.data.files.lines import line_of_row
from guidedrec_core.data.files.parquet import read_parquet, read_parquet_folder, scan_parquet
from guidedrec_core.data.files.place import Place, place_of
from guidedrec_core.data.files.plain import PARQUET, Plain, open_plain, require_file
from guidedrec_core.data.files.table import Scan, Table
from guidedrec_core.data.files.zipped import without_packing
from guidedrec_core.errors import DataError, RowError

Kind = Literal["csv", "parquet", "jsonl"]

_SUFFIXES: dict[str, Kind] = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
}
_WORDS: dict[Kind, str] = {"csv": "delimited text", "parquet": "a Parquet file", "jsonl": "JSON lines"}
_SHOWN = 50


def load_table(path: Path | str, kind: Kind | None = None, wanted: Collection[str] | None = None) -> Table:
    """Read a table with its own columns.

    Parameters
    ----------
    path : Path or str
        A file, or an address that fsspec knows (``s3://bucket/sales.csv.gz``): delimited text, Parquet or JSON lines;
        as it is, in gzip, Zstandard or bzip2, or alone in a zip archive. Or a folder of Parquet parts.
    kind : {"csv", "parquet", "jsonl"}, optional
        Its format; by default Parquet if its first bytes say so, else by its suffix, else delimited text.
    wanted : collection of str, optional
        Columns to load if present; all by default. The others cost no memory.

    Returns
    -------
    Table
        Columns are text, except for Parquet, where they keep their types.

    Raises
    ------
    DataError
        The file is missing, unreadable, or not of that kind.
    """
    place = place_of(path)
    if kind in (None, "parquet") and place.is_folder():
        return read_parquet_folder(place, wanted)
    with _lines_named(place), open_plain(place) as plain:
        kind = kind or _kind(plain)
        _refuse_other_kind(plain, kind)
        if kind == "parquet":
            return read_parquet(plain, wanted)
        if kind == "jsonl":
            return read_json_lines(plain, wanted)
        return read_delimited(plain, _separator(plain), wanted)


@contextlib.contextmanager
def scan_table(path: Path | str, kind: Kind, wanted: Collection[str]) -> Iterator[Scan]:
    """Open a table whose rows are read piece by piece, however large it is.

    Parameters
    ----------
    path : Path or str
        A file, as in `load_table`.
    kind : {"csv", "parquet", "jsonl"}
        Its format.
    wanted : collection of str
        Columns to load if present.

    Yields
    ------
    Scan
        Columns and rows; also its pieces raise the errors below.

    Raises
    ------
    DataError
        As in `load_table`.
    """
    place = place_of(path)
    with _lines_named(place), open_plain(place) as plain:
        _refuse_other_kind(plain, kind)
        if kind == "parquet":
            yield scan_parquet(plain, wanted)
        elif kind == "jsonl":
            yield scan_json_lines(plain, wanted)
        else:
            yield scan_delimited(plain, _separator(plain), wanted)


def refuse_missing(columns: Sequence[str], wanted: Mapping[str, str], name: str, advice: str) -> None:
    """Refuse a table without the columns that are wanted; see `select`."""
    missing = [source for source in wanted.values() if source not in columns]
    if missing:
        raise DataError(
            f"expected the columns {', '.join(wanted.values())} in {name}, missing: {', '.join(missing)}; "
            f"found: {', '.join(columns[:_SHOWN])}{', ...' if len(columns) > _SHOWN else ''}. {advice}"
        )


def row_place(place: Place, kind: Kind | None, row: int) -> str | None:
    """Say where in a file a row stands, e.g. ``"line 3"``; None when nobody can tell.

    Parameters
    ----------
    place : Place
        The file.
    kind : {"csv", "parquet", "jsonl"} or None
        Its format, see `load_table`.
    row : int
        From 1, without the header.
    """
    if place.is_folder():
        return None
    with open_plain(place) as plain:
        kind = kind or _kind(plain)
        if kind == "parquet":
            return None
        if kind == "jsonl":
            line = line_of_row(plain, row, separator=None, header=False)
        else:
            separator = _separator(plain)
            if separator is None:
                with open_plain(place) as again:
                    separator = scan_delimited(again, None, ()).separator
            line = line_of_row(plain, row, separator)
        return None if line is None else f"line {line}"


@contextlib.contextmanager
def _lines_named(place: Place) -> Iterator[None]:
    """Let errors name the line of the file instead of the row."""
    try:
        yield
    except RowError as error:
        where = row_place(place, None, error.row)
        raise error if where is None else error.at(where) from error


def read_table(path: Path | str) -> pd.DataFrame:
    """Read a table with its own columns, by its format; see `load_table`."""
    return load_table(path).frame


def parse_csv(data: bytes, name: str) -> pd.DataFrame:
    """Parse CSV that is already in memory; see `read_delimited`."""
    return read_delimited(Plain.of_bytes(data, name)).frame


def check_file(path: Path) -> None:
    """Refuse a path where no file is.

    Raises
    ------
    DataError
        It is a folder, or does not exist.
    """
    require_file(place_of(path))


def select(table: Table, wanted: Mapping[str, str], name: str, advice: str) -> pd.DataFrame:
    """Select columns under new names.

    Parameters
    ----------
    table : Table
        As read.
    wanted : dict of str to str
        New name to the file's name.
    name, advice : str
        The file's name, and what to do when columns are missing; for the message.

    Raises
    ------
    DataError
        Columns are missing; all are named.
    """
    refuse_missing(table.columns, wanted, name, advice)
    return pd.DataFrame({new: table.frame[source] for new, source in wanted.items()})


def _kind(plain: Plain) -> Kind:
    return "parquet" if plain.peek(4) == PARQUET else _SUFFIXES.get(_suffix(plain), "csv")


def _separator(plain: Plain) -> str | None:
    return "\t" if _suffix(plain) in (".tsv", ".inter", ".item") else None


def _suffix(plain: Plain) -> str:
    return Path(without_packing(plain.name)).suffix


def _refuse_other_kind(plain: Plain, kind: Kind) -> None:
    """Refuse a file that is certainly of another kind than requested, and name the right format."""
    found = _kind(plain)
    if kind != found and (plain.peek(4) == PARQUET or (kind, found) == ("csv", "jsonl")):
        raise DataError(f"expected {_WORDS[kind]}, {plain.where} is {_WORDS[found]}; choose --format {found}")
