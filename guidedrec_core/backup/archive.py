"""The archive of a backup: a ZIP file, and in it ``backup.json`` with the size and SHA-256 of every file.

ZIP, because any system opens it, and every entry can be read by itself. The index is the last entry, because checksums
are known only when all is written.
"""

import hashlib
import json
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from guidedrec_core.errors import DataError

INDEX = "backup.json"
FORMAT_VERSION = 1
_MOST_INDEX_BYTES = 256 << 20
_CHUNK = 1 << 20
_MOST_DEEP = 16
_PACKED = (".parquet", ".safetensors", ".npy", ".zip", ".gz", ".png", ".jpg", ".jpeg", ".webp", ".gif")
"""Not compressed again: packed already, or numbers that hardly shrink."""


class FileEntry(BaseModel):
    """Size and SHA-256 of a file in the archive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Index(BaseModel):
    """What ``backup.json`` holds.

    Attributes
    ----------
    format_version : int
        `FORMAT_VERSION` of the writer.
    created : datetime
        When the backup began, UTC.
    package_version : str
        Version of guidedrec that wrote it.
    files : dict of str to FileEntry
        By path in the home, with ``/``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int
    created: AwareDatetime
    package_version: str
    files: dict[str, FileEntry]


class ArchiveWriter:
    """Writes files into an archive, one after the other; a context manager.

    Parameters
    ----------
    file : binary file
        Where to; empty.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.files: dict[str, FileEntry] = {}
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, source: IO[bytes]) -> FileEntry:
        """Write what a file holds under a name; return its size and checksum."""
        digest, size = hashlib.sha256(), 0
        about = zipfile.ZipInfo(name)
        packed = name.lower().endswith(_PACKED)
        about.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        about.external_attr = 0o600 << 16
        with self._zip.open(about, "w", force_zip64=True) as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        self.files[name] = entry = FileEntry(bytes=size, sha256=digest.hexdigest())
        return entry

    def finish(self, index: Index) -> None:
        """Write the index."""
        self._zip.writestr(INDEX, json.dumps(index.model_dump(mode="json"), ensure_ascii=False, indent=1))


class ArchiveReader:
    """Reads an archive, of which nothing is believed before it is checked; a context manager.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    DataError
        It is no backup, is of another format, was cut off, or its names lead out of a home.
    OSError
        It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise self._refused("no whole ZIP file") from error
        try:
            self.index = self._read_index()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def extract(self, name: str, target: Path) -> None:
        """Write one file of the archive to a new place.

        Raises
        ------
        DataError
            It is not as it was written.
        """
        entry = self.index.files[name]
        digest, size = hashlib.sha256(), 0
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._zip.open(name) as source, target.open("xb") as file:
                # No more than was noted: a damaged or forged entry may unpack to more than the disk holds.
                while size <= entry.bytes and (chunk := source.read(_CHUNK)):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise self._refused(f"{name} is damaged ({error})") from error
        if (size, digest.hexdigest()) != (entry.bytes, entry.sha256):
            raise self._refused(f"{name} is not as it was written (checksum differs)")

    def _read_index(self) -> Index:
        names = self._zip.namelist()
        if INDEX not in names:
            raise self._refused(f"a ZIP file without {INDEX}")
        try:
            with self._zip.open(INDEX) as file:
                content = file.read(_MOST_INDEX_BYTES + 1)
            if len(content) > _MOST_INDEX_BYTES:
                raise ValueError(f"{INDEX} is too large")
            raw = json.loads(content)
            version = raw["format_version"]
            if version != FORMAT_VERSION:
                raise self._refused(
                    f"one of format {str(version)[:20]}, and this guidedrec reads {FORMAT_VERSION}; use the version "
                    "that wrote it"
                )
            index = Index.model_validate(raw)
        except (ValidationError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._refused(f"one whose {INDEX} is damaged ({type(error).__name__})") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise self._refused(f"one whose {INDEX} is damaged ({error})") from error
        if sorted(names) != sorted([INDEX, *index.files]):
            raise self._refused(f"one whose files are not those that its {INDEX} names")
        for name in index.files:
            if not is_inside(name):
                raise self._refused(f"one with a file named {name[:100]!r}, which no backup holds")
        return index

    def _refused(self, found: str) -> DataError:
        return DataError(f"{self.path}: expected a backup of `guidedrec backup`, got {found}; take another one")


def is_inside(name: str) -> bool:
    r"""Tell whether a name is a plain path below a folder, on every system, and nothing in it is hidden.

    Examples
    --------
    >>> [is_inside(name) for name in ("data/a/x.npy", "../x", "/x", "a/../x", "a\\x", "C:x", "a//x", ".x/y", "")]
    [True, False, False, False, False, False, False, False, False]
    """
    parts = name.split("/")
    return (
        len(parts) <= _MOST_DEEP
        and all(part and not part.startswith(".") for part in parts)
        and not any(character in name for character in "\\:\0")
        and not PurePosixPath(name).is_absolute()
        and len(name.encode("utf-8", "replace")) < 4_000
    )
