"""Delimited text (CSV, TSV, ``::``): every cell stays text, and a row that does not fit the header is an error.

CSV is parsed by pyarrow, block by block from a stream, so that little more than the table itself is ever in memory.
"""

import codecs
import io
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from guidedrec_core.data.files.plain import Plain
from guidedrec_core.data.files.table import Scan, Table, chosen, column_names
from guidedrec_core.errors import DataError, RowError

_SEPARATORS = (",", ";", "\t", "|")
# Bytes parsed at once; a row may not be longer.
_BLOCK = 1 << 20
_SAMPLE = 400
_BLANK_LINES = re.compile(rb"(?:[ \t]*(?:\r\n|\r|\n))*")
_LINE = re.compile(rb"[^\r\n]*")
_QUOTED_LINE = re.compile(rb'(?:[^"\r\n]++|"[^"]*+")*+')
_LINE_END = re.compile(rb"\r\n|\r|\n|$")


class Utf8:
    """Hands on bytes that are UTF-8, without a byte order mark, and keeps the end of what was read.

    Attributes
    ----------
    tail : bytes
        The last bytes read, at least the last `_BLOCK` when there are so many.
    """

    closed = False  # pyarrow reads it

    def __init__(self, plain: Plain) -> None:
        self.where = plain.where
        self.tail = b""
        self._plain = plain
        self._back = b""
        self._lines = 1
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._wide = _wide_encoding(plain.peek(_SAMPLE))
        if plain.peek(3) == codecs.BOM_UTF8:
            plain.read(3)

    def read(self, size: int = -1) -> bytes:
        """Read some bytes, or all that are left.

        Raises
        ------
        DataError
            A byte is not UTF-8; its line is named.
        """
        if self._back:
            size = len(self._back) if size is None or size < 0 else size
            data, self._back = self._back[:size], self._back[size:]
            return data
        data = self._plain.read(size)
        try:
            self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            line = self._lines + _line_ends(error.object[: error.start])
            byte = f"byte 0x{error.object[error.start]:02x} in line {line}"
            kind = f" (it is {self._wide} text)" if self._wide else ""
            raise DataError(
                f"expected UTF-8 text, {self.where} holds the {byte}{kind}; save the file as UTF-8"
            ) from error
        if b"\0" in data:
            if self._wide:
                raise DataError(f"expected UTF-8 text, {self.where} is {self._wide} text; save the file as UTF-8")
            line = self._lines + _line_ends(data[: data.index(b"\0")])
            raise DataError(f"expected text, {self.where} holds the character NUL in line {line}; remove it")
        self._lines += _line_ends(data)
        self.tail = (self.tail if len(data) < _BLOCK else b"")[-_BLOCK:] + data
        return data

    def unread(self, data: bytes) -> None:
        """Put bytes back, so that they are read next."""
        self._back = data

    def close(self) -> None:
        """Do nothing: the one who opened the file closes it."""


def _wide_encoding(start: bytes) -> str | None:
    """Name the encoding of text whose characters take two or four bytes; None for any other."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    # Without a mark: every other byte of Latin text is zero.
    few, many = sorted(start[half::2].count(0) for half in (0, 1))
    return "UTF-16" if many > len(start) / 4 and few < len(start) / 20 else None


def _line_ends(data: bytes) -> int:
    return max(data.count(b"\n"), data.count(b"\r"))


def read_delimited(plain: Plain, separator: str | None = None, wanted: Collection[str] | None = None) -> Table:
    r"""Parse CSV with a header line into columns of text; empty fields are missing values, nothing else is.

    Parameters
    ----------
    plain : Plain
        UTF-8, with or without a byte order mark; lines end in ``\n``, ``\r\n`` or ``\r``.
    separator : str, optional
        One character; guessed from the header among comma, semicolon, tab and ``|`` when not given.
    wanted : collection of str, optional
        Columns to load, where they are there; all by default.

    Returns
    -------
    Table
        Columns of text.

    Raises
    ------
    DataError
        Not UTF-8, empty, one column only, a column twice, or rows of another length than the header.
    """
    scan = scan_delimited(plain, separator, wanted)
    table = pa.Table.from_batches([batch for piece in scan.pieces for batch in piece.to_batches()], scan.schema)
    pa.default_memory_pool().release_unused()  # Arrow's allocator keeps what the parser took
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return Table(frame, tuple(scan.names))


def scan_delimited(plain: Plain, separator: str | None = None, wanted: Collection[str] | None = None) -> Scan:
    """Read the header of CSV; its rows follow piece by piece. See `read_delimited`."""
    text = Utf8(plain)
    head = text.read(_BLOCK)
    if len(head) < _BLOCK:
        text.read()  # at the end half a character is an error, too
    start = _BLANK_LINES.match(head).end()  # type: ignore[union-attr]
    if not head[start:].strip():
        raise DataError(f"expected a header line and rows, {plain.where} is empty; check the file")
    header, end = _header(head, start, plain.where)
    separator = separator or _guess_separator(header, plain.where)
    names = column_names(_cells(header, separator), plain.where)
    text.unread(head[end:])
    loaded = chosen(names, wanted)
    schema = pa.schema([(name, pa.large_string()) for name in loaded])
    return Scan(list(names), schema, _rows(text, names, loaded, separator), separator)


def read_double_colon(plain: Plain, columns: Sequence[str]) -> pd.DataFrame:
    """Parse ``a::b::c`` lines without a header into columns of text.

    Raises
    ------
    DataError
        Not UTF-8, empty, or a line with another number of fields.
    """
    text = Utf8(plain).read().decode()
    rows = [(number, line.split("::")) for number, line in enumerate(re.split(r"\r?\n", text), 1) if line.strip()]
    if not rows:
        raise DataError(f"expected lines of the form {'::'.join(columns)}, {plain.where} is empty; check the file")
    wrong = [(number, len(fields)) for number, fields in rows if len(fields) != len(columns)]
    if wrong:
        raise DataError(
            f"expected {len(columns)} fields ({'::'.join(columns)}) in every line of {plain.where}, {len(wrong):,} of "
            f"{len(rows):,} have another number (first: {wrong[0][1]} in line {wrong[0][0]}); check the format"
        )
    return pd.DataFrame([fields for _, fields in rows], columns=list(columns), dtype="str")


def _header(head: bytes, start: int, where: str) -> tuple[bytes, int]:
    """Cut the header off the first block: its bytes, and where the rows begin."""
    line = _QUOTED_LINE.match(head, start)
    if line is None or head[line.end() : line.end() + 1] == b'"':  # a single quote, as in 5"; then it is text
        line = _LINE.match(head, start)
    assert line is not None
    if line.end() >= _BLOCK:
        raise DataError(
            f"expected a header line, the first line of {where} is longer than {_BLOCK:,} bytes; check the format"
        )
    return line.group(), _LINE_END.match(head, line.end()).end()  # type: ignore[union-attr]


def _cells(header: bytes, separator: str) -> list[str]:
    """Cut a header into its names."""
    options = csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    block = csv.ReadOptions(use_threads=False, block_size=len(header) + 2)
    with csv.open_csv(io.BytesIO(header + b"\n"), read_options=block, parse_options=options) as reader:
        return list(reader.schema.names)


def _guess_separator(header: bytes, where: str) -> str:
    """Return the separator that cuts the header into most columns."""
    columns = {separator: len(_cells(header, separator)) for separator in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda separator: columns[separator])
    if columns[best] == 1:
        raise DataError(
            f"expected columns separated by comma, semicolon, tab or | in {where}, found one column: "
            f"{header[:80].decode(errors='replace')!r}; check the separator and the --format"
        )
    return best


def _rows(text: Utf8, names: tuple[str, ...], loaded: list[str], separator: str) -> Iterator[pa.Table]:
    """Parse all rows after the header into the columns to be loaded."""
    wrong: list[Any] = []

    def refuse(row: Any) -> str:
        wrong.append(row)
        return "error"

    # The last column is always read, for its last cell shows whether a quote was left open; it may be dropped at once.
    read = list(dict.fromkeys([*loaded, names[-1]]))
    last = None
    try:
        with csv.open_csv(
            pa.PythonFile(text, mode="r"),
            read_options=csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=names),
            parse_options=csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=refuse),
            convert_options=csv.ConvertOptions(
                check_utf8=False,  # done
                column_types=dict.fromkeys(names, pa.large_string()),
                include_columns=read,
                null_values=[""],
                strings_can_be_null=True,
            ),
        ) as reader:
            for batch in reader:
                if batch.num_rows:
                    last = batch.column(names[-1])[-1].as_py() or ""
                    yield pa.Table.from_batches([batch.select(loaded)])
    except pa.ArrowInvalid as error:
        if "Empty CSV file" not in str(error):
            raise _why(error, wrong, text.where, len(names)) from error
    if last is not None and text.tail.endswith(f'{separator}"{last.replace(chr(34), 2 * chr(34))}'.encode()):
        raise _why(None, wrong, text.where, len(names))


def _why(error: pa.ArrowInvalid | None, wrong: list[Any], where: str, width: int) -> DataError:
    """Say what is wrong with the rows of a file."""
    if wrong:
        row = wrong[0]
        return RowError(
            f"expected {where} to have as many fields in every line as in the header ({width}), ",
            row.number,
            f" has {row.actual_columns} ({row.text[:60]!r}); mend that line, or check quotes and separators",
        )
    if error is None or "straddling" in str(error):
        return DataError(
            f"expected {where} to close every quote and to have rows of at most {_BLOCK:,} bytes, one is not closed or "
            "one is longer; check quotes and separators"
        )
    return DataError(
        f"expected delimited text in {where}, it cannot be read ({str(error).splitlines()[0]}); check the format"
    )
