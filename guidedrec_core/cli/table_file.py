"""Output tables that are complete or absent: written in pieces to a temporary file, then renamed."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core import columns as c
from guidedrec_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

RECOMMENDATIONS = {c.USER: "string", c.ITEM: "string", c.SCORE: "float32", c.RANK: "int64", c.MODEL: "string"}
LEDGERS = {c.USER: "string", c.ITEM: "string", "part": "string", "value": "float64"}
"""Columns and Arrow types of the tables that are written."""

# Small pieces make slow Parquet files; this many rows take some megabytes.
_ROWS_AT_ONCE = 100_000


def out_option(schema: dict[str, str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add ``--out``, the table to write; its help names the columns."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        help=f"Table to write (.parquet or .csv): {', '.join(schema)}. An existing file is replaced.",
    )


@contextlib.contextmanager
def table_file(path: Path, schema: dict[str, str]) -> Iterator[Callable[["pd.DataFrame"], None]]:
    """Open a table for writing in pieces; it appears when the ``with`` block ends without an error.

    An existing file is replaced then, and not before.

    Parameters
    ----------
    path : Path
        Ends in ``.parquet`` or ``.csv``.
    schema : dict of str to str
        Columns and their Arrow types.

    Yields
    ------
    callable
        Writes the next rows.

    Raises
    ------
    InputError
        Another suffix, or a place where no file can be.
    """
    _check(path)
    import pandas as pd

    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    waiting: list[pd.DataFrame] = []
    try:
        with _writer(temporary, path.suffix.lower(), schema) as write:

            def flush() -> None:
                if waiting:
                    write(pd.concat(waiting, ignore_index=True)[list(schema)])
                    waiting.clear()

            def add(rows: pd.DataFrame) -> None:
                waiting.append(rows)
                if sum(map(len, waiting)) >= _ROWS_AT_ONCE:
                    flush()

            yield add
            flush()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _writer(path: Path, suffix: str, schema: dict[str, str]) -> Iterator[Callable[["pd.DataFrame"], None]]:
    """Open a Parquet or CSV file; text in CSV is made harmless for spreadsheets."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from guidedrec_core.spreadsheets import harmless

    if suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            pd.DataFrame(columns=list(schema)).to_csv(file, index=False)
            yield lambda rows: harmless(rows).to_csv(file, index=False, header=False)
        return
    arrow: Any = pa.schema([(name, getattr(pa, kind)()) for name, kind in schema.items()])
    with pq.ParquetWriter(path, arrow, compression="zstd") as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pandas(rows, schema=arrow, preserve_index=False))


def _check(path: Path) -> None:
    """Refuse a path where the table cannot be written, before any work is done."""
    if path.suffix.lower() not in (".parquet", ".csv"):
        raise InputError(f"expected an output file that ends in .parquet or .csv, got {path}")
    if path.is_dir():
        raise InputError(f"expected an output file, but {path} is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise InputError(f"expected an existing folder for {path}; make {path.absolute().parent} first")
