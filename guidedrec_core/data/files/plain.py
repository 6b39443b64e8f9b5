"""Streams of plain bytes: whatever packed a file is recognised by its first bytes, undone as one reads, and bounded."""

import contextlib
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from guidedrec_core.data.files.place import Place, reason_of
from guidedrec_core.data.files.zipped import UNZIP_ERRORS, only_table
from guidedrec_core.errors import DataError

MOST_UNPACKED = 8 << 30
"""Bytes that a packed file may unpack to."""

MOST_RATIO = 100
"""How many times larger than packed a file may become, from `RATIO_FROM` bytes on: tables reach 3 to 20."""

RATIO_FROM = 64 << 20

PARQUET = b"PAR1"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_CODECS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_OTHERS = {b"\xfd7zXZ\x00": "an xz archive", b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!": "a rar archive"}
_PIECE = 1 << 20


class Plain:
    """Bytes of a file as they are after unpacking; counted, and read once from the start.

    Attributes
    ----------
    name : str
        The file's name; that of the entry for a file in a zip archive.
    where : str
        How to name it in messages.
    count : int
        Bytes read so far.
    seekable : file or None
        The file itself where nothing had to be unpacked and one can go to any place in it.
    read_errors : tuple of exception types
        What reading `seekable` may raise when the file or its place is at fault.
    """

    closed = False  # pyarrow reads it

    def __init__(
        self,
        stream: Any,
        name: str,
        where: str,
        errors: tuple[type[Exception], ...] = (OSError,),
        packed: Callable[[], int] | None = None,
    ) -> None:
        self.name, self.where, self.count = name, where, 0
        self.seekable: BinaryIO | None = None
        self.read_errors: tuple[type[Exception], ...] = (*UNZIP_ERRORS, *errors)
        self._stream, self._packed, self._ahead = stream, packed, b""

    @classmethod
    def of_bytes(cls, data: bytes, name: str) -> "Plain":
        """Wrap bytes that are already in memory, e.g. an upload."""
        return cls(io.BytesIO(data), name, name)

    def peek(self, size: int) -> bytes:
        """Return the first bytes of what is left, without taking them."""
        while len(self._ahead) < size and (more := self._take(size - len(self._ahead))):
            self._ahead = self._ahead + more if self._ahead else more
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        """Read some bytes, or all that are left.

        Raises
        ------
        DataError
            The file is damaged, cannot be read, or unpacks to more than allowed.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_PIECE), b""))
        self.peek(size)
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    def close(self) -> None:
        """Do nothing: the one who opened the file closes it."""

    def _take(self, size: int) -> bytes:
        try:
            data = bytes(self._stream.read(size))
        except DataError:
            raise
        except self.read_errors as error:
            raise DataError(
                f"{self.where} cannot be unpacked or read ({reason_of(error)}); download it again or write it anew"
            ) from error
        self.count += len(data)
        if self._packed is not None:
            refuse_bomb(self._packed(), self.count, self.where)
        return data


def refuse_bomb(packed: int, unpacked: int, where: str) -> None:
    """Refuse a packed file that becomes too large, whether by design or by mistake.

    Raises
    ------
    DataError
        It unpacks to more than `MOST_UNPACKED`, or grows more than `MOST_RATIO` times.
    """
    if unpacked > MOST_UNPACKED or (unpacked > RATIO_FROM and unpacked > MOST_RATIO * packed):
        raise DataError(
            f"expected a packed table, {where} of {packed:,} bytes unpacks to {unpacked:,} or more (allowed: "
            f"{MOST_RATIO} times its size, {MOST_UNPACKED >> 30} GiB at most); if it is sound, unpack it yourself first"
        )


def require_file(place: Place) -> None:
    """Refuse a place where no file is.

    Raises
    ------
    DataError
        It is a folder, or nothing.
    """
    if place.is_folder():
        raise DataError(f"expected a file at {place}, found a folder; name the file in it")
    if not place.exists():
        raise DataError(f"expected a file at {place}, found nothing; check the path")


@contextlib.contextmanager
def open_plain(place: Place) -> Iterator[Plain]:
    """Open a file and undo its packing: zip with one table in it, then gzip, Zstandard or bzip2.

    Raises
    ------
    DataError
        It is a folder or nothing, cannot be opened, or is packed in a way that is not known.
    """
    require_file(place)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(contextlib.closing(place.open()))
        yield _unpacked(Plain(file, place.name, place.name, place.read_errors), file, stack)


def _unpacked(plain: Plain, file: BinaryIO, stack: contextlib.ExitStack) -> Plain:
    if plain.peek(4) in (_ZIP, _EMPTY_ZIP):
        plain = _from_zip(plain, file, stack)
    elif plain.peek(4) == PARQUET and file.seekable():
        plain.seekable = file
    start = plain.peek(10)
    for mark, codec in _CODECS.items():
        # bzip2 begins like a word, so its block header has to follow.
        if start.startswith(mark) and (codec != "bz2" or start[4:] == b"1AY&SY"):
            plain = _decompressed(plain, codec, stack)
            break
    start = plain.peek(10)
    for mark, what in _OTHERS.items():
        if start.startswith(mark):
            raise DataError(f"expected a table, {plain.where} is {what}; unpack it first")
    if start[:4] in (_ZIP, _EMPTY_ZIP):
        raise DataError(f"expected a table, {plain.where} is a zip archive inside an archive; unpack it first")
    if any(start.startswith(mark) for mark in _CODECS if mark != b"BZh"):
        raise DataError(f"expected a table, {plain.where} is packed twice; unpack it first")
    if plain.peek(262)[257:] == b"ustar":
        raise DataError(f"expected a table, {plain.where} is a tar archive; unpack it first")
    return plain


def _decompressed(packed: Plain, codec: str, stack: contextlib.ExitStack) -> Plain:
    stream = stack.enter_context(pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), codec))
    return Plain(stream, packed.name, packed.where, packed=lambda: packed.count)


def _from_zip(packed: Plain, file: BinaryIO, stack: contextlib.ExitStack) -> Plain:
    if not file.seekable():
        raise DataError(f"cannot unpack {packed.where} while it comes through a pipe; save it as a file first")
    try:
        archive = stack.enter_context(zipfile.ZipFile(file))
        entry = only_table(archive, packed.where)
        refuse_bomb(entry.compress_size, entry.file_size, f"{entry.filename} in {packed.where}")
        stream = stack.enter_context(archive.open(entry))
    except (*UNZIP_ERRORS, OSError) as error:
        raise DataError(
            f"the archive {packed.where} cannot be unpacked ({reason_of(error)}); download it again or write it anew"
        ) from error
    return Plain(stream, entry.filename.rpartition("/")[2], f"{entry.filename} in {packed.where}")
