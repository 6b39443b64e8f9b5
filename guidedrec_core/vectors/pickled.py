"""Pickles read without running anything in them: known containers and arrays are rebuilt, all else is inert.

A pickle is a program that names functions of installed packages and calls them. Here no name is ever looked up: each
stands for one of a few functions below, which build plain data, or for a class of its own that keeps what it is given
and does nothing. All of them are made anew for each file, so that a file can change none for the next. Python's own
unpickler reads it, because the one in C reserves memory for whatever sizes a file claims.
"""

import math
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import DataError

AnyArray = npt.NDArray[Any]

_TORCH_KINDS = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_BFLOAT16 = "bfloat16"


class Inert:
    """Stands for an object of any class; keeps what it is given, so that arrays inside are found."""

    def __new__(cls, *arguments: Any, **named: Any) -> "Inert":
        """Keep the arguments."""
        made = super().__new__(cls)
        made.parts = [*arguments, *((named,) if named else ())]
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        self.parts: list[Any]

    def __setstate__(self, state: Any) -> None:
        """Keep the state."""
        self.parts.append(state)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Keep an item."""
        self.parts.append({key: value})

    def append(self, value: Any) -> None:
        """Keep a value."""
        self.parts.append(value)

    def extend(self, values: Any) -> None:
        """Keep values."""
        self.parts.extend(values)

    def add(self, value: Any) -> None:
        """Keep a value."""
        self.parts.append(value)


@dataclass(frozen=True)
class StoredArray:
    """An array that a file holds, not read yet.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    kind : str
        Type of its numbers as NumPy writes it, or ``"bfloat16"``.
    content : callable
        Reads the bytes of the whole storage.
    offset, strides : int, tuple of int
        First number and steps in the storage, in numbers.
    """

    shape: tuple[int, ...]
    kind: str
    content: Callable[[], bytes]
    offset: int
    strides: tuple[int, ...]

    def read(self, name: str) -> AnyArray:
        """Read the numbers; bfloat16 becomes float32.

        Raises
        ------
        DataError
            They are not all there, or the shape repeats some.
        """
        raw = np.frombuffer(self.content(), dtype="<u2" if self.kind == _BFLOAT16 else self.kind)
        count = math.prod(self.shape)
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))
        sound = len(self.shape) == len(self.strides) and all(step >= 0 for step in self.strides) and self.offset >= 0
        if not sound or count > len(raw) or (count and last >= len(raw)):
            raise DataError(f"expected all numbers of {name} of shape {self.shape} in the file, it holds {len(raw):,}")
        steps = tuple(step * raw.itemsize for step in self.strides)
        view = np.lib.stride_tricks.as_strided(raw[self.offset :], self.shape, steps, writeable=False)
        array: AnyArray = np.ascontiguousarray(view).reshape(self.shape)
        return (array.astype("<u4") << 16).view("<f4") if self.kind == _BFLOAT16 else array


class InertUnpickler(pickle._Unpickler):  # Python's own, which has no public name
    """Reads one pickle; see the module.

    Parameters
    ----------
    file : binary file
        Where it begins.
    storage : callable, optional
        Reads the bytes of a torch storage by its key.
    """

    def __init__(self, file: BinaryIO, storage: Callable[[str], bytes] | None = None) -> None:
        super().__init__(file, encoding="latin1")
        self._storage = storage
        self._known = {(module, name): made for module, name, made in self._makers()}
        self._inert: dict[tuple[str, str], type] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name; nothing is imported."""
        known = self._known.get((module, name))
        if known is not None:
            return known
        if (module, name) not in self._inert:
            self._inert[module, name] = type("Inert", (Inert,), {"named": f"{module}.{name}"})
        return self._inert[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Return a torch storage, as kind and reader."""
        if self._storage is None or not isinstance(pid, tuple) or len(pid) < 3 or pid[0] != "storage":
            raise pickle.UnpicklingError("it names a storage that is not in the file")
        kind, key, read = str(getattr(pid[1], "named", "")).rpartition(".")[2], str(pid[2]), self._storage
        return _Storage(_TORCH_KINDS.get(kind, ""), lambda: read(key))

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {**pickle._Unpickler.dispatch}

    def _load_bytearray8(self) -> None:
        """Read as much as there is; the original reserves as much as the file claims."""
        inner: Any = self
        size = int.from_bytes(inner.read(8), "little")
        content = inner.read(size) if size <= sys.maxsize else b""
        if len(content) != size:
            raise EOFError("the file ends inside an array of bytes")
        inner.append(bytearray(content))

    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray8

    @staticmethod
    def _makers() -> Iterator[tuple[str, str, Any]]:
        """Make what stands for the names that are known, anew."""

        class Dict(dict[Any, Any]):
            def __setstate__(self, _: Any) -> None:
                """Leave out what a dict has besides its items, e.g. a state dict's metadata."""

        yield "collections", "OrderedDict", Dict
        yield "_codecs", "encode", lambda text, encoding: text.encode("latin-1") if encoding == "latin1" else text
        yield "torch._utils", "_rebuild_tensor_v2", lambda *given: _torch_array(*given[:4])
        yield "torch._utils", "_rebuild_parameter", lambda data, *_: data
        yield "torch._utils", "_rebuild_parameter_with_state", lambda data, *_: data
        for module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray"):
            yield module, "_reconstruct", lambda *_: _NumpyArray()
            yield module, "dtype", lambda text, *_: _Dtype(text)
        for module in ("numpy.core.numeric", "numpy._core.numeric"):
            yield module, "_frombuffer", lambda *given: _from_buffer(*given)


@dataclass(frozen=True)
class _Storage:
    kind: str
    read: Callable[[], bytes]


class _Dtype:
    """A NumPy type: its letters, and the byte order that its state brings."""

    def __init__(self, text: Any) -> None:
        self.text = str(text)

    def __setstate__(self, state: Any) -> None:
        """Take the byte order."""
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">"):
            self.text = f"{state[1]}{self.text}"

    @property
    def plain(self) -> str:
        """The type, where it is of numbers or text; else empty."""
        return self.text if self.text.lstrip("<>|=")[:1] in tuple("fiubU") and len(self.text) < 12 else ""


class _NumpyArray:
    """A NumPy array whose content comes as its state."""

    value: Any = None

    def __setstate__(self, state: Any) -> None:
        """Take shape, type and content."""
        _, shape, dtype, fortran, content = state
        if isinstance(content, list):  # of objects, which may be ids
            self.value = content
        elif isinstance(dtype, _Dtype) and dtype.plain:
            self.value = _numpy_array(_bytes(content), dtype.plain, shape, bool(fortran))


def unwrapped(value: Any) -> Any:
    """Return what an array of NumPy holds; anything else as it is."""
    return value.value if isinstance(value, _NumpyArray) else value


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> Any:
    if not isinstance(dtype, _Dtype) or not dtype.plain:
        return None
    return _numpy_array(_bytes(content), dtype.plain, shape, order == "F")


def _numpy_array(content: bytes, kind: str, shape: Any, fortran: bool) -> StoredArray:
    """Describe an array of NumPy by strides, as those of torch are."""
    sizes, steps, step = _sizes(shape), [], 1
    for size in sizes if fortran else reversed(sizes):
        steps.append(step)
        step *= size
    return StoredArray(sizes, kind, lambda: content, 0, tuple(steps if fortran else reversed(steps)))


def _torch_array(storage: Any, offset: Any, shape: Any, strides: Any) -> StoredArray | None:
    """Describe a tensor; None for numbers of a kind that is not read."""
    if not isinstance(storage, _Storage) or not storage.kind:
        return None
    (first,) = _sizes((offset,))
    return StoredArray(_sizes(shape), storage.kind, storage.read, first, _sizes(strides))


def _sizes(given: Any) -> tuple[int, ...]:
    if not isinstance(given, tuple | list) or not all(isinstance(size, int) and 0 <= size < 1 << 62 for size in given):
        raise pickle.UnpicklingError("an array has no shape that can be")
    return tuple(given)


def _bytes(content: Any) -> bytes:
    return content.encode("latin-1") if isinstance(content, str) else bytes(memoryview(content))
