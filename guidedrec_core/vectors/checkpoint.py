"""Arrays and lists of ids inside checkpoints of other programs, whatever objects lie next to them.

RecBole stores its configuration object with the weights, RecTools pickles a model around a Lightning checkpoint,
implicit writes an archive of NumPy. What is an array, or a list of ids, is found by the names on the way to it; nothing
is run.
"""

import io
import secrets
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from guidedrec_core.data.files.plain import refuse_bomb
from guidedrec_core.errors import DataError
from guidedrec_core.files import open_regular
from guidedrec_core.vectors.files import READ_ERRORS, AnyArray, check_regular, read_ids
from guidedrec_core.vectors.pickled import Inert, InertUnpickler, StoredArray, unwrapped

_ZIP = b"PK\x03\x04"
_MOST_VALUES = 5_000_000  # looked at in one file
_LONGEST_NAME, _DEEPEST_FILE = 300, 3
_ERRORS = (*READ_ERRORS, IndexError, zipfile.BadZipFile, RecursionError)


@dataclass
class Checkpoint:
    """What a file holds.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    arrays : dict of str to StoredArray
        By the names on the way to each, joined by dots.
    ids : dict of str to list of str
        Lists of texts or whole numbers, as text.
    """

    path: Path
    arrays: dict[str, StoredArray] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)

    def array(self, name: str) -> AnyArray:
        """Read an array.

        Raises
        ------
        DataError
            There is none of this name, or it is damaged.
        """
        if name not in self.arrays:
            found = ", ".join(list(self.arrays)[:20]) or "none"
            raise DataError(f"expected an array {name} in {self.path.name}, found: {found}; name one of them")
        try:
            return self.arrays[name].read(name)
        except DataError:
            raise
        except _ERRORS as error:
            raise _unreadable(self.path, error) from error

    def ids_of(self, source: str) -> pd.Series:
        """Return the ids of rows.

        Parameters
        ----------
        source : str
            A file (see `read_ids`), or ``::NAME`` for a list in the checkpoint.

        Raises
        ------
        DataError
            There is no such file or list.
        """
        if not source.startswith("::"):
            return read_ids(Path(source))
        name = source[2:]
        if name in self.arrays:
            array = self.array(name)
            if array.ndim == 1 and array.dtype.kind in "iuU":
                return pd.Series([str(one) for one in array.tolist()], dtype="str")
        if name not in self.ids:
            found = ", ".join(list(self.ids)[:20]) or "none"
            raise DataError(
                f"expected a list of ids named {name} in {self.path.name}, found: {found}; name one, or a file of ids"
            )
        return pd.Series(self.ids[name], dtype="str")


def read_checkpoint(path: Path) -> Checkpoint:
    """Find the arrays and lists of ids in a file, by its content; no code in it is run and no object made.

    Parameters
    ----------
    path : Path
        What `torch.save` or Lightning wrote, a pickle, or an archive of NumPy.

    Raises
    ------
    DataError
        There is no such file, or it is none of these.
    """
    check_regular(path)
    found = Checkpoint(path)
    try:
        with open_regular(path) as file:
            _read_into(found, file, "", 1)
    except DataError:
        raise
    except _ERRORS as error:
        raise _unreadable(path, error) from error
    if not found.arrays:
        raise DataError(f"expected arrays in {path}, found none; is it the right file?")
    return found


def write_vectors(path: Path, ids: pd.Series, values: AnyArray) -> None:
    """Write vectors as `read_vectors` takes them, in one step.

    Raises
    ------
    DataError
        They are no numbers, not ``[n, d]``, or not as many as ids.
    """
    if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.shape[1]:
        raise DataError(f"expected rows of numbers, got an array of shape {values.shape} and type {values.dtype}")
    if len(ids) != len(values):
        raise DataError(
            f"expected one id for each of {len(values):,} rows, got {len(ids):,}; write the ids in the order of the "
            "rows (a padding row, usually the first, gets any text that is no id, such as [PAD])"
        )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(file, vectors=values.astype(np.float32), ids=np.array(ids.tolist(), dtype=str))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read_into(found: Checkpoint, file: BinaryIO, prefix: str, depth: int) -> None:
    """Read a file, or one that lies inside another, and note what it holds."""
    begin = file.read(len(_ZIP))
    file.seek(0)
    if begin != _ZIP:
        value = InertUnpickler(file).load()
        if isinstance(value, int):
            raise DataError(
                f"{found.path.name} is in the format of PyTorch before 1.6; load it there and save it again with a "
                "newer one"
            )
        _collect(found, value, prefix, depth)
        return
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        packed, unpacked = sum(e.compress_size for e in entries), sum(e.file_size for e in entries)
        refuse_bomb(packed, unpacked, found.path.name)
        names = archive.namelist()
        pickled = next((name for name in names if name.rpartition("/")[2] == "data.pkl"), None)
        if pickled is None:
            _collect_numpy(found, archive, names, prefix)
            return
        if (order := pickled.removesuffix("data.pkl") + "byteorder") in names and archive.read(order) != b"little":
            raise DataError(f"{found.path.name} is of a machine of big-endian numbers; save it on another one")
        content, folder = archive.read(pickled), pickled.removesuffix("data.pkl") + "data/"
        storage = _reader(found.path, archive, folder, nested=depth > 1)
        _collect(found, InertUnpickler(io.BytesIO(content), storage).load(), prefix, depth)


def _reader(path: Path, archive: zipfile.ZipFile, folder: str, nested: bool) -> Callable[[str], bytes]:
    """Return what reads a storage later, when this archive is closed; one inside another file is kept in memory."""
    if not nested:

        def read(key: str) -> bytes:
            with open_regular(path) as file, zipfile.ZipFile(file) as again:
                return again.read(folder + key)

        return read
    kept = {name: archive.read(name) for name in archive.namelist() if name.startswith(folder)}
    return lambda key: kept[folder + key]


def _collect_numpy(found: Checkpoint, archive: zipfile.ZipFile, names: list[str], prefix: str) -> None:
    """Note the arrays of an archive of NumPy."""
    for name in names:
        if not name.endswith(".npy"):
            continue
        with archive.open(name) as member:
            array = np.lib.format.read_array(member, allow_pickle=False)
        if array.dtype.kind not in "fiubU" or not array.ndim:
            continue
        array = np.ascontiguousarray(array)
        kept = array.tobytes()
        steps = tuple(step // array.itemsize for step in array.strides)
        key = _joined(prefix, name.removesuffix(".npy"))
        found.arrays[key] = StoredArray(array.shape, array.dtype.str, lambda kept=kept: kept, 0, steps)  # type: ignore[misc]


def _collect(found: Checkpoint, value: Any, prefix: str, depth: int) -> None:
    """Walk through what was read and note every array and list of ids; what is met again is passed over."""
    waiting, seen, looked = [(prefix, value)], set[int](), 0
    while waiting:
        name, value = waiting.pop()
        value = unwrapped(value)
        looked += 1
        if looked > _MOST_VALUES:
            raise DataError(f"expected at most {_MOST_VALUES:,} values in {found.path.name}, it holds more")
        if isinstance(value, StoredArray):
            found.arrays[name or "array"] = value
        elif isinstance(value, bytes | bytearray):
            if value[: len(_ZIP)] == _ZIP and depth < _DEEPEST_FILE:
                _read_into(found, io.BytesIO(value), name, depth + 1)
        elif isinstance(value, dict | list | tuple | Inert) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, list | tuple) and (ids := _ids(value)):
                found.ids[name or "list"] = ids
                continue
            waiting.extend(reversed([(_joined(name, key), inner) for key, inner in _parts(value)]))


def _parts(value: Any) -> list[tuple[str, Any]]:
    """Return what lies directly in a container, with its name there; an object adds none of its own."""
    if isinstance(value, dict):
        return [(str(key), inner) for key, inner in value.items() if isinstance(key, str | int)]
    if isinstance(value, Inert):
        return [("", part) for part in value.parts]
    return [(str(place), inner) for place, inner in enumerate(value)]


def _ids(values: list[Any] | tuple[Any, ...]) -> list[str]:
    """Return a list as ids; empty where it is none."""
    if not values or not all(type(one) in (str, int) for one in values):
        return []
    return [str(one) for one in values]


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}".strip(".")[:_LONGEST_NAME]


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return DataError(
        f"expected a checkpoint of PyTorch, a pickle or an archive of NumPy, {path} cannot be read as that ({reason})"
    )
