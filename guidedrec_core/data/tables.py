"""From bytes on disk to tables of text: what all readers share, with one clear error for each kind of bad file."""

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd
import pyarrow

from guidedrec_core.errors import DataError

_SEPARATORS = (",", ";", "\t", "|")
UNZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
"""What `zipfile` raises for an archive that is damaged, encrypted or packed in an unknown way."""


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet table (suffix ``.parquet`` or ``.pq``) or a CSV file (any other suffix) with its own columns.

    Raises
    ------
    DataError
        The file is missing or unreadable.
    """
    return read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else parse_csv(read_bytes(path), path.name)


def check_file(path: Path) -> None:
    """Refuse a path where no file is.

    Raises
    ------
    DataError
        It is a folder, or nothing.
    """
    if path.is_dir():
        raise DataError(f"expected a file at {path}, found a folder; name the file in it")
    if not path.exists():
        raise DataError(f"expected a file at {path}, found nothing; check the path")


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises
    ------
    DataError
        There is no such file, or it cannot be opened.
    """
    check_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; check its permissions") from error


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file.

    Raises
    ------
    DataError
        The file is missing or not Parquet.
    """
    data = read_bytes(path)
    try:
        return pd.read_parquet(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"expected a Parquet file, {path.name} cannot be read as one ({_first_line(error)}); "
            "write it again, or choose another --format"
        ) from error


def parse_csv(data: bytes, name: str, separator: str | None = None) -> pd.DataFrame:
    """Parse CSV with a header line into columns of text; empty fields are missing values, nothing else is.

    Parameters
    ----------
    data : bytes
        UTF-8, with or without a byte order mark.
    name : str
        The file's name, for messages.
    separator : str, optional
        One character; guessed from the header among comma, semicolon, tab and ``|`` when not given.

    Raises
    ------
    DataError
        Not UTF-8, empty, one column only, or lines of another length than the header.
    """
    if not data.strip():
        raise DataError(f"expected a header line and rows, {name} is empty; check the file")
    text = _decode(data, name)
    chosen = separator or _guess_separator(text, name)
    try:
        with warnings.catch_warnings():
            # pandas only warns when lines are longer than the header, and drops what is too much.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                io.StringIO(text),
                sep=chosen,
                dtype="str",
                keep_default_na=False,
                na_values=[""],
                index_col=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        raise DataError(
            f"expected {name} to have as many fields in every line as in the header, "
            f"but it cannot be read ({_first_line(error)}); mend that line, or check quotes and separators"
        ) from error


def parse_double_colon(data: bytes, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Parse ``a::b::c`` lines without a header into columns of text.

    Raises
    ------
    DataError
        Not UTF-8, empty, or a line with another number of fields.
    """
    text = _decode(data, name)
    rows = [(number, line.split("::")) for number, line in enumerate(re.split(r"\r?\n", text), 1) if line.strip()]
    if not rows:
        raise DataError(f"expected lines of the form {'::'.join(columns)}, {name} is empty; check the file")
    wrong = [(number, len(fields)) for number, fields in rows if len(fields) != len(columns)]
    if wrong:
        raise DataError(
            f"expected {len(columns)} fields ({'::'.join(columns)}) in every line of {name}, {len(wrong):,} of "
            f"{len(rows):,} have another number (first: {wrong[0][1]} in line {wrong[0][0]}); check the format"
        )
    return pd.DataFrame([fields for _, fields in rows], columns=list(columns), dtype="str")


def select(frame: pd.DataFrame, wanted: Mapping[str, str], name: str, advice: str) -> pd.DataFrame:
    """Take columns under new names.

    Parameters
    ----------
    frame : pandas.DataFrame
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
    missing = [source for source in wanted.values() if source not in frame.columns]
    if missing:
        raise DataError(
            f"expected the columns {', '.join(wanted.values())} in {name}, missing: {', '.join(missing)}; "
            f"found: {', '.join(map(str, frame.columns))}. {advice}"
        )
    return pd.DataFrame({new: frame[source] for new, source in wanted.items()})


def read_members(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, bytes]:
    """Read files by name from a folder or a zip archive; they may lie in one folder inside it.

    Returns
    -------
    dict of str to bytes
        By file name; optional files that are not there are left out.

    Raises
    ------
    DataError
        Nothing at `path`, a damaged archive, or required files missing (all are named).
    """
    if not path.exists():
        raise DataError(f"expected a folder or a zip archive at {path}, found nothing; check the path")
    return (_from_folder if path.is_dir() else _from_zip)(path, required, optional)


def _from_folder(path: Path, required: Sequence[str], optional: Sequence[str]) -> dict[str, bytes]:
    folders = [path, *sorted(inner for inner in path.iterdir() if inner.is_dir())]
    # The folder itself goes first; an archive unpacked into it often brings a folder of its own.
    folder = next((one for one in folders if all((one / name).is_file() for name in required)), path)
    missing = [name for name in required if not (folder / name).is_file()]
    _refuse_missing(missing, required, [entry.name for entry in folder.iterdir()], f"the folder {path}")
    return {name: read_bytes(folder / name) for name in (*required, *optional) if (folder / name).is_file()}


def _from_zip(path: Path, required: Sequence[str], optional: Sequence[str]) -> dict[str, bytes]:
    if not zipfile.is_zipfile(path):
        damaged = path.suffix.lower() == ".zip"
        reason = "is damaged or incomplete; download it again" if damaged else "is neither; name the folder it lies in"
        raise DataError(f"expected a folder or a zip archive, {path} {reason}")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = find_entries(archive)
            missing = [name for name in required if name not in entries]
            _refuse_missing(missing, required, list(entries), f"the archive {path}")
            return {name: archive.read(entries[name]) for name in (*required, *optional) if name in entries}
    except (*UNZIP_ERRORS, OSError) as error:
        raise DataError(f"the archive {path} cannot be unpacked ({_first_line(error)}); download it again") from error


def find_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Map the bare name of each file in an archive to its entry; of equal names the least deep."""
    files = [entry for entry in archive.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename]
    deepest_first = sorted(files, key=lambda entry: entry.filename.count("/"), reverse=True)
    return {PurePosixPath(entry.filename).name: entry for entry in deepest_first}


def _refuse_missing(missing: Sequence[str], required: Sequence[str], found: Sequence[str], where: str) -> None:
    if missing:
        shown = ", ".join(sorted(found)[:8]) + (", ..." if len(found) > 8 else "") if found else "nothing"
        raise DataError(
            f"expected {', '.join(required)} in {where}, missing: {', '.join(missing)}; found: {shown}. "
            "Check the path and the --format"
        )


def _guess_separator(text: str, name: str) -> str:
    """Return the separator that cuts the header into most columns."""
    header = text.lstrip().partition("\n")[0]
    columns = {separator: len(next(csv.reader([header], delimiter=separator))) for separator in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda separator: columns[separator])
    if columns[best] == 1:
        raise DataError(
            f"expected columns separated by comma, semicolon, tab or | in {name}, found one column: {header[:80]!r}; "
            "check the separator and the --format"
        )
    return best


def _decode(data: bytes, name: str) -> str:
    """Decode UTF-8, or say in which line the first byte lies that is not."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"expected UTF-8 text, {name} holds the byte 0x{data[error.start]:02x} in line {line}; "
            "save the file as UTF-8"
        ) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0].removeprefix("Error tokenizing data. ") if text else type(error).__name__
