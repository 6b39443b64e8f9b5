"""Zip archives: which errors a damaged one raises, which entries it has, and which of them is a table."""

import zipfile
import zlib
from pathlib import PurePosixPath

from guidedrec_core.errors import DataError

UNZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
"""What `zipfile` raises for an archive that is damaged, encrypted or packed in an unknown way."""

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson", ".json")
PACKED_SUFFIXES = (".gz", ".zst", ".zstd", ".bz2")


def find_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Map the bare name of each file in an archive to its entry; of equal names the least deep."""
    files = [entry for entry in archive.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename]
    deepest_first = sorted(files, key=lambda entry: entry.filename.count("/"), reverse=True)
    return {PurePosixPath(entry.filename).name: entry for entry in deepest_first}


def only_table(archive: zipfile.ZipFile, where: str) -> zipfile.ZipInfo:
    """Return the entry of an archive that is a table, by its suffix; a file that is alone may have any.

    Raises
    ------
    DataError
        There is none, or more than one.
    """
    files = [
        entry
        for entry in archive.infolist()
        if not entry.is_dir()
        and "__MACOSX" not in entry.filename
        and not PurePosixPath(entry.filename).name.startswith(".")
    ]
    if any(entry.filename == "xl/workbook.xml" for entry in files):
        raise DataError(f"expected a table in {where}, it is an Excel workbook; save the sheet as CSV (UTF-8)")
    tables = [entry for entry in files if without_packing(entry.filename).endswith(TABLE_SUFFIXES)]
    found = tables or files
    if len(found) != 1:
        names = [entry.filename for entry in found]
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"
        raise DataError(
            f"expected one table in the archive {where}, found {len(found)} ({shown}); unpack it and name the right one"
        )
    return found[0]


def without_packing(name: str) -> str:
    """Return a file name in lower case, without the suffix of what packed it.

    Examples
    --------
    >>> without_packing("Sales.CSV.gz")
    'sales.csv'
    """
    lower = name.lower()
    return next((lower.removesuffix(suffix) for suffix in PACKED_SUFFIXES if lower.endswith(suffix)), lower)
