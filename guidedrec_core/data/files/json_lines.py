"""JSON lines: one object a line; every value becomes text, exactly as it is written, so that ids keep all digits."""

import json
from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa

from guidedrec_core.data.files.delimited import Utf8
from guidedrec_core.data.files.plain import Plain
from guidedrec_core.data.files.table import MOST_COLUMNS, Scan, Table, chosen, column_names
from guidedrec_core.errors import DataError

_BLOCK = 1 << 20
_LONGEST_LINE = 64 << 20
_ROWS_AT_ONCE = 50_000


def read_json_lines(plain: Plain, wanted: Collection[str] | None = None) -> Table:
    """Parse JSON lines into columns of text.

    Parameters
    ----------
    plain : Plain
        UTF-8; blank lines are skipped. A list of simple values becomes ``"a|b"``, as several categories are written;
        other nested values become their JSON, numbers in it as text; ``null`` and absent keys are missing values.
    wanted : collection of str, optional
        Keys to load, where they are there; all by default.

    Returns
    -------
    Table
        Columns of text, in the order in which their keys first appear.

    Raises
    ------
    DataError
        Not UTF-8, empty, a line that is no JSON object, or a key twice in one object.
    """
    names: dict[str, None] = {}
    rows: list[dict[str, Any]] = []
    parts: list[pa.Table] = []
    for row in _objects(plain):
        names.update(dict.fromkeys(row))
        if len(names) > MOST_COLUMNS:
            column_names(list(names), plain.where)  # raises
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            parts.append(_columns(rows, chosen(list(names), wanted), plain.where))
            rows = []
    if not names:
        raise DataError(f"expected one JSON object a line, {plain.where} is empty; check the file")
    columns = column_names(list(names), plain.where)
    if rows:
        parts.append(_columns(rows, chosen(columns, wanted), plain.where))
    frame: pd.DataFrame = pa.concat_tables(parts, promote_options="default").to_pandas()
    return Table(frame, columns)


def scan_json_lines(plain: Plain, wanted: Collection[str]) -> Scan:
    """Parse JSON lines piece by piece; keys that are wanted and absent give missing values. See `read_json_lines`."""
    names: list[str] = []
    loaded = sorted(wanted)

    def pieces() -> Iterator[pa.Table]:
        known: dict[str, None] = {}
        rows: list[dict[str, Any]] = []
        for row in _objects(plain):
            known.update(dict.fromkeys(row))
            if len(known) > MOST_COLUMNS:
                column_names(list(known), plain.where)  # raises
            rows.append({name: row[name] for name in loaded if name in row})
            if len(rows) == _ROWS_AT_ONCE:
                yield _columns(rows, loaded, plain.where)
                rows = []
        if not known:
            raise DataError(f"expected one JSON object a line, {plain.where} is empty; check the file")
        names.extend(column_names(list(known), plain.where))
        if rows:
            yield _columns(rows, loaded, plain.where)

    return Scan(names, pa.schema([(name, pa.string()) for name in loaded]), pieces())


def _objects(plain: Plain) -> Iterator[dict[str, Any]]:
    """Yield the object of each line."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise ValueError("a key stands in it twice")
        return made

    # Numbers stay as they are written: a float would lose digits of long ids, and the zero of 1.50.
    decoder = json.JSONDecoder(object_pairs_hook=unique, parse_int=str, parse_float=str, parse_constant=str)
    for number, line in enumerate(_lines(plain), 1):
        if not line.strip():
            continue
        try:
            row = decoder.decode(line.strip())
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"expected one JSON object a line in {plain.where}, line {number} is none "
                f"({str(error).splitlines()[0]}): {line[:60]!r}; check the file and the --format"
            ) from error
        if not isinstance(row, dict):
            raise DataError(
                f'expected one JSON object a line in {plain.where}, like {{"user_id": "u1", ...}}; line {number} holds '
                f"{line[:60]!r}; write each row on a line of its own"
            )
        yield row


def _lines(plain: Plain) -> Iterator[str]:
    """Cut a stream into lines."""
    text = Utf8(plain)
    rest: list[bytes] = []
    while data := text.read(_BLOCK):
        first, end, others = data.partition(b"\n")
        rest.append(first)
        if not end:
            if sum(map(len, rest)) > _LONGEST_LINE:
                raise DataError(
                    f"expected one JSON object a line, {plain.where} has a line of over {_LONGEST_LINE >> 20} MiB; "
                    "write each row on a line of its own"
                )
            continue
        yield b"".join(rest).decode()
        *whole, last = others.split(b"\n")
        for line in whole:
            yield line.decode()
        rest = [last]
    yield b"".join(rest).decode()


def _columns(rows: list[dict[str, Any]], names: list[str], where: str) -> pa.Table:
    try:
        return pa.table({name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in names})
    except UnicodeEncodeError as error:  # such as "\ud83d" alone
        raise DataError(f"expected text in {where}, it holds half a character ({error.reason}); mend it") from error


def _text(value: Any) -> str | None:
    """Write a JSON value as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "|".join(value)
    return json.dumps(value, ensure_ascii=False)
