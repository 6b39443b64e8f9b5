"""A user's own tables: CSV, Parquet or JSON lines with columns of any name."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO

import pandas as pd
import pyarrow as pa

from guidedrec_core import columns as c
from guidedrec_core.data import tables
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.table import Scan, Table
from guidedrec_core.data.formats.source import Files, Source, collected, line_finder, renamed, table_rows
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.reading.rows import Rows
from guidedrec_core.data.reading.staging import can_stage
from guidedrec_core.errors import DataError

# Names that other programs use (LensKit, RecBole); taken when the canonical one is absent, with a notice.
OTHER_NAMES = {c.USER: "user", c.ITEM: "item", c.DATETIME: "timestamp", c.WEIGHT: "rating"}
# The kind of an interaction goes by many names; the first one that is there is taken.
KIND_NAMES = (c.EVENT, "event_type", "behavior", "behavior_type", "behaviour", "interaction_type", "action", "type")
ITEM_FACTS = (c.TITLE, c.CATEGORY, c.PRICE, c.DESCRIPTION, c.IMAGE, c.CURRENCY)
_SHOWN = 50


def read_csv(files: Files) -> Source:
    """Read one file of interactions as delimited text; the separator is guessed from its header."""
    return _read_own("csv", files)


def read_parquet(files: Files) -> Source:
    """Read one Parquet file of interactions, or a folder of parts."""
    return _read_own("parquet", files)


def read_jsonl(files: Files) -> Source:
    """Read one file of interactions, one JSON object a line."""
    return _read_own("jsonl", files)


def _read_own(kind: tables.Kind, files: Files) -> Source:
    """Give a user's own tables their canonical names."""
    _refuse_mapping(files)
    place, wanted = place_of(files.path), _wanted(files)
    notices: list[Notice] = []
    if kind == "parquet" and place.is_folder():
        rows = _in_memory(tables.load_table(files.path, kind, wanted), files, notices)
    elif kind == "jsonl":
        rows = _spooled(files, wanted, notices)
    else:
        rows = _streamed(kind, files, wanted, notices)
    return Source(rows, read_items(files), tuple(notices))


def read_items(files: Files) -> pd.DataFrame | None:
    """Read the separate table of items, if one is named."""
    if files.items_path is None:
        return None
    return _item_columns(tables.load_table(files.items_path), place_of(files.items_path).name, files.mapping)


def _refuse_mapping(files: Files) -> None:
    known = (*c.INTERACTIONS, *ITEM_FACTS, c.EVENT)
    unknown = [key for key in files.mapping if key not in known]
    if unknown:
        raise DataError(
            f"expected a mapping of {', '.join(known)}; got {', '.join(unknown)}. "
            "Write canonical=column, e.g. user_id=customer"
        )
    of_items = [key for key in files.mapping if key in ITEM_FACTS]
    if of_items and files.items_path is None:
        raise DataError(
            f"{', '.join(of_items)} are mapped, but they belong to a table of items and there is none; "
            "name one with --items"
        )


def _wanted(files: Files) -> set[str]:
    """Name the columns that may be needed; files of reviews hold far more text than that."""
    kinds = KIND_NAMES if files.kinds else ()
    tie = () if files.tie_column is None else (files.tie_column,)
    return {*c.INTERACTIONS, *OTHER_NAMES.values(), *files.mapping.values(), *tie, *kinds}


def _streamed(kind: tables.Kind, files: Files, wanted: set[str], notices: list[Notice]) -> Rows:
    with tables.scan_table(files.path, kind, wanted) as scan:
        chosen = choose_columns(scan.names, files, notices)
        stageable = kind == "csv" or can_stage(_chosen_schema(scan, chosen))
    rows = table_rows(files.path, kind, chosen)
    return rows if stageable else Rows(rows.frame, where=rows.where)


def _chosen_schema(scan: Scan, chosen: Mapping[str, str]) -> pa.Schema:
    kinds = {new: scan.schema.field(old).type for new, old in chosen.items()}
    return pa.schema([(n, k.value_type if pa.types.is_dictionary(k) else k) for n, k in kinds.items()])


def _spooled(files: Files, wanted: set[str], notices: list[Notice]) -> Rows:
    """Write the wanted keys of JSON lines to a temporary file: which keys there are shows only at the end."""
    spool = tempfile.TemporaryFile(prefix="guidedrec-import-")  # noqa: SIM115  # closed when the rows are gone
    with tables.scan_table(files.path, "jsonl", wanted) as scan:
        _write_pieces(scan, spool)
    chosen = choose_columns(scan.names, files, notices)

    @contextlib.contextmanager
    def pieces() -> Iterator[Iterator[pa.Table]]:
        spool.seek(0)
        with pa.ipc.open_stream(spool) as reader:
            found = (pa.Table.from_batches([batch]) for batch in reader)
            yield renamed(Scan(scan.names, scan.schema, found), chosen)

    def frame() -> pd.DataFrame:
        with pieces() as found:
            return collected(found, chosen)

    return Rows(frame, pieces, line_finder(files.path, "jsonl"))


def _write_pieces(scan: Scan, spool: IO[bytes]) -> None:
    with pa.ipc.new_stream(spool, scan.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        for piece in scan.pieces:
            writer.write_table(piece)


def _in_memory(table: Table, files: Files, notices: list[Notice]) -> Rows:
    chosen = choose_columns(table.columns, files, notices)
    found = pd.DataFrame({new: table.frame[old] for new, old in chosen.items()})
    return Rows(lambda: found)


def choose_columns(names: tuple[str, ...] | list[str], files: Files, notices: list[Notice]) -> dict[str, str]:
    """Find the columns of a table of interactions.

    Parameters
    ----------
    names : sequence of str
        All columns of the file.
    files : Files
        With the mapping.
    notices : list of Notice
        Appended to when columns are known by another usual name, or not used.

    Returns
    -------
    dict of str to str
        Canonical name to the file's column.

    Raises
    ------
    DataError
        Columns are missing; all are named.
    """
    file, mapping = place_of(files.path).name, files.mapping
    chosen = {key: mapping.get(key, key) for key in c.INTERACTIONS}
    taken = {
        key: OTHER_NAMES[key]
        for key in c.INTERACTIONS
        if key not in mapping and key not in names and OTHER_NAMES[key] in names
    }
    if taken:
        pairs = ", ".join(f"{column} as {key}" for key, column in taken.items())
        notices.append(
            Notice("columns_taken", len(taken), f"{file}: columns recognised by another usual name: {pairs}")
        )
        chosen |= taken
    if c.WEIGHT not in mapping and chosen[c.WEIGHT] not in names:
        del chosen[c.WEIGHT]
    if c.EVENT in mapping:
        chosen[c.EVENT] = mapping[c.EVENT]
    elif files.kinds and (kind := next((name for name in KIND_NAMES if name in names), None)) is not None:
        chosen[c.EVENT] = kind
    if files.tie_column is not None:
        chosen[c.TIE] = files.tie_column
    advice = "Name the right ones with --map, e.g. --map user_id=<column of the file>"
    tables.refuse_missing(names, chosen, file, advice)
    unused = [name for name in names if name not in chosen.values()]
    if unused:
        notices.append(Notice("columns_unused", len(unused), f"{file}: columns not used: {_some(unused)}"))
    return chosen


def _item_columns(table: Table, name: str, mapping: Mapping[str, str]) -> pd.DataFrame:
    frame = table.frame
    wanted = {key: mapping.get(key, key) for key in (c.ITEM, c.TITLE)}
    if wanted[c.ITEM] not in frame.columns and c.ITEM in frame.columns:
        wanted[c.ITEM] = c.ITEM  # the mapped name was that of the interactions' column
    for key in ITEM_FACTS[1:]:
        # Pictures and currencies stay where the table has them, so that data sets of earlier versions stay the same.
        if key in mapping or (key in frame.columns and key not in (c.IMAGE, c.CURRENCY)):
            wanted[key] = mapping.get(key, key)
    chosen = tables.select(table, wanted, name, "Name the right ones with --map, e.g. --map title=<column of the file>")
    if c.CATEGORY not in chosen.columns:
        chosen[c.CATEGORY] = ""
    others = [column for column in frame.columns if column not in wanted.values() and column not in chosen.columns]
    return pd.concat([chosen, frame[others]], axis=1)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
