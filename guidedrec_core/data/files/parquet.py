"""Parquet: one file, or a folder of parts as Spark, Dask, pandas and DuckDB write them."""

import contextlib
import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from guidedrec_core.data.files.place import Place, reason_of
from guidedrec_core.data.files.plain import MOST_UNPACKED, Plain, open_plain
from guidedrec_core.data.files.table import Scan, Table, chosen, column_names
from guidedrec_core.errors import DataError

_DEEPEST = 8
# pandas' nameless row numbers are no column of the data.
_ROW_NUMBERS = re.compile(r"__index_level_\d+__")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
# The least an Arrow value takes: repeated ones are stored once, so that a small file can hold billions.
_BYTES_A_VALUE = 8
_ROWS_AT_ONCE = 65_536


def read_parquet(plain: Plain, wanted: Collection[str] | None = None) -> Table:
    """Read a Parquet file; columns keep their types.

    Parameters
    ----------
    plain : Plain
        The file.
    wanted : collection of str, optional
        Columns to load, where they are there; all by default.

    Raises
    ------
    DataError
        Not Parquet, damaged, a column twice, or too large once unpacked.
    """
    table, names = _read(plain, wanted)
    return Table(_to_pandas(table), names)


def read_parquet_folder(place: Place, wanted: Collection[str] | None = None) -> Table:
    """Read a folder of Parquet parts, one after the other in the order of their paths.

    Parameters
    ----------
    place : Place
        The folder. Parts may lie in folders named ``key=value``; each key becomes a column of text. Files whose
        names begin with ``_`` or ``.`` are left out, as writers of such folders mean it.
    wanted : collection of str, optional
        Columns to load, where they are there; all by default.

    Raises
    ------
    DataError
        No Parquet files, one that cannot be read, or parts whose columns differ in name or type.
    """
    parts = {
        path: part
        for path, part in place.files(_DEEPEST).items()
        if path.lower().endswith((".parquet", ".pq")) and not any(one.startswith("_") for one in path.split("/"))
    }
    if not parts:
        raise DataError(f"expected a folder of .parquet files at {place}, found one without; name the file in it")
    tables: list[pa.Table] = []
    names: tuple[str, ...] = ()
    for path, part in parts.items():
        with open_plain(part) as plain:
            table, own = _read(plain, wanted)
        keys = _keys(path)
        own = column_names([*own, *(key for key in keys if key not in own)], str(part))
        for key, value in keys.items():
            if key in chosen(own, wanted) and key not in table.column_names:
                table = table.append_column(key, pa.array([value] * len(table), pa.string()))
        if tables and set(own) != set(names):
            other = ", ".join(sorted(set(own) ^ set(names)))
            raise DataError(
                f"expected the same columns in all parts of {place}, {path} differs in: {other}; mend or remove it"
            )
        names = names or own
        tables.append(table)
        _refuse_other_types(table, tables[0], path, place)
    return Table(_to_pandas(pa.concat_tables(tables, promote_options="default")), names)


def scan_parquet(plain: Plain, wanted: Collection[str] | None = None) -> Scan:
    """Read the columns of a Parquet file; its rows follow piece by piece. See `read_parquet`."""
    with _refused(plain):
        file = parquet.ParquetFile(plain.seekable or pa.BufferReader(plain.read()))
        columns, loaded = _checked(file, plain, wanted)
        schema = pa.schema([file.schema_arrow.field(name) for name in loaded])

    def pieces() -> Iterator[pa.Table]:
        with _refused(plain):
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=loaded, use_threads=False):
                table = pa.Table.from_batches([batch]).select(loaded)
                table.validate(full=True)  # finds text that is not UTF-8
                yield table

    return Scan(list(columns), schema, pieces())


def _read(plain: Plain, wanted: Collection[str] | None) -> tuple[pa.Table, tuple[str, ...]]:
    with _refused(plain), parquet.ParquetFile(plain.seekable or pa.BufferReader(plain.read())) as file:
        columns, loaded = _checked(file, plain, wanted)
        table = file.read(loaded)
        table.validate(full=True)  # finds text that is not UTF-8
        return table, columns


def _checked(file: Any, plain: Plain, wanted: Collection[str] | None) -> tuple[tuple[str, ...], list[str]]:
    """Return all columns of a file and those to load, if it is not too large."""
    names = [name for name in file.schema_arrow.names if not _ROW_NUMBERS.fullmatch(name)]
    columns = column_names(names, plain.where)
    loaded = chosen(columns, wanted)
    _refuse_too_large(file.metadata, len(loaded), plain.where)
    return columns, loaded


@contextlib.contextmanager
def _refused(plain: Plain) -> Iterator[None]:
    """Turn whatever a damaged file raises into one clear error."""
    try:
        yield
    except DataError:
        raise
    except (pa.ArrowException, ValueError, *plain.read_errors) as error:
        raise DataError(
            f"expected a Parquet file, {plain.where} cannot be read as one ({reason_of(error)}); write it anew, or "
            "choose another --format"
        ) from error


def _refuse_too_large(metadata: Any, columns: int, where: str) -> None:
    """Refuse a file that says it holds more than any machine it is meant for can take."""
    stored = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    size = max(metadata.num_rows * columns * _BYTES_A_VALUE, stored if columns else 0)
    if size > MOST_UNPACKED:
        raise DataError(
            f"expected a Parquet file of at most {MOST_UNPACKED >> 30} GiB unpacked, {where} has {metadata.num_rows:,} "
            f"rows and takes {size / (1 << 30):,.1f} GiB; import a part of it"
        )


def _keys(path: str) -> dict[str, str | None]:
    """Return what the folders of a path say: ``{"day": "2026-01-31"}`` for ``day=2026-01-31/part-0.parquet``."""
    pairs = [folder.partition("=") for folder in PurePosixPath(path).parent.parts if "=" in folder]
    return {unquote(key): None if value == _NO_VALUE else unquote(value) for key, _, value in pairs}


def _refuse_other_types(table: pa.Table, first: pa.Table, path: str, place: Place) -> None:
    """Refuse a part whose types differ: ids that are numbers in one and text in another have lost their zeros."""
    for field in table.schema:
        expected = first.schema.field(field.name).type
        if field.type != expected and not (pa.types.is_null(field.type) or pa.types.is_null(expected)):
            raise DataError(
                f"expected one type for column {field.name} in all parts of {place}, got {expected} first and "
                f"{field.type} in {path}; write the parts anew with one type"
            )


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    """Turn into pandas; what was an index there and has a name is a column here."""
    frame: pd.DataFrame
    try:
        frame = table.to_pandas()
    except (LookupError, TypeError, ValueError, AttributeError):  # what pandas noted about the columns is damaged
        frame = table.replace_schema_metadata(None).to_pandas()
    hidden = [name for name in table.column_names if name not in frame.columns]
    return frame.reset_index()[table.column_names] if hidden else frame
