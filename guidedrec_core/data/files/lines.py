"""Which line of a file a row stands in: asked only when a row is at fault, so the file is read once more."""

import re
from collections.abc import Iterator

from guidedrec_core.data.files.plain import Plain

_BLOCK = 1 << 20


def line_of_row(plain: Plain, row: int, separator: str | None = ",", header: bool = True) -> int | None:
    r"""Return the number of the line in which a row begins, from 1; None when there are not so many rows.

    Blank lines are no rows; a quoted cell may hold line ends.

    Parameters
    ----------
    plain : Plain
        The file, from its start.
    row : int
        Number of the row, from 1.
    separator : str or None
        One character between cells; None where cells are not quoted, as in JSON lines.
    header : bool
        Whether the first line that is not blank is no row.

    Examples
    --------
    >>> line_of_row(Plain.of_bytes(b'a,b\n\n1,"2\n2"\n3,4\n', "a.csv"), 2)
    5
    """
    wanted, seen = row + header, 0
    for line, record in _records(plain, separator):
        seen += bool(record.strip())
        if seen == wanted:
            return line
    return None


def _records(plain: Plain, separator: str | None) -> Iterator[tuple[int, bytes]]:
    """Yield each record and the line in which it begins."""
    if separator is None:
        pattern = re.compile(rb"[^\r\n]*+")
    else:
        mark = re.escape(separator.encode())
        cell = rb'(?:"(?:[^"]|"")*+"[^%b\r\n]*+|[^%b\r\n]*+)' % (mark, mark)
        pattern = re.compile(rb"%b(?:%b%b)*+" % (cell, mark, cell))
    end = re.compile(rb"\r\n|\r|\n")
    buffer, place, line, more = plain.read(_BLOCK), 0, 1, True
    while True:
        found = pattern.match(buffer, place)
        assert found is not None
        # A record that ends with the buffer may go on in the next block, and "\r" may be half of a line end.
        if more and found.end() + 2 > len(buffer):
            data = plain.read(_BLOCK)
            more = bool(data)
            buffer, place = buffer[place:] + data, 0
            continue
        yield line, found.group()
        stop = end.match(buffer, found.end())
        if stop is None:
            return
        line += len(end.findall(found.group())) + 1
        place = stop.end()
