"""Files of vectors that other programs wrote: each format gives ids and an array, and no code in a file is ever run."""

import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError  # only its name: torch raises it for what it refuses to load
from tokenize import TokenError
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open

from guidedrec_core.data.files.plain import refuse_bomb
from guidedrec_core.data.files.zipped import UNZIP_ERRORS
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.tables import check_file
from guidedrec_core.errors import DataError
from guidedrec_core.files import open_regular, read_bounded

if TYPE_CHECKING:
    import torch

VECTORS, IDS = "vectors", "ids"
"""Names looked for in files of several arrays."""

AnyArray = npt.NDArray[Any]

_SIDECARS = (".ids.json", ".ids.txt")
# What the readers of these formats raise for bytes that were damaged or made up: shapes that no machine can hold
# (Overflow, Memory), headers of other types, numbers of kinds that NumPy does not know (Attribute).
READ_ERRORS = (
    *(OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, EOFError, UnpicklingError),
    *(OverflowError, MemoryError, SyntaxError, TokenError, SafetensorError, pa.ArrowException, *UNZIP_ERRORS),
)
_NUMPY_KINDS = frozenset({"F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL", "C64"})
_MOST_ID_BYTES = 1 << 30


def read_vector_file(path: Path, kind: str, tensor: str | None, notices: list[Notice]) -> tuple[pd.Series, AnyArray]:
    """Read ids and an array from a file, by its suffix.

    Parameters
    ----------
    path : Path
        ``.npy``; ``.npz`` with an array ``ids``; ``.parquet`` with a column ``item_id`` or ``user_id`` and one column
        of lists or many of numbers; ``.safetensors``; ``.pt``, ``.pth``, ``.bin`` or ``.ckpt`` (torch, loaded with
        ``weights_only=True``). Where a format has no place for ids, they lie next to the file in
        ``<name>.ids.json`` (a list) or ``<name>.ids.txt`` (one a line).
    kind : str
        ``"item"`` or ``"user"``.
    tensor : str or None
        Which array or column, where there are several; None takes ``vectors``, else the only one.
    notices : list of Notice
        Appended to when something in the file was not used.

    Returns
    -------
    tuple of (pandas.Series, ndarray)
        Ids as they are in the file, and the array; neither checked against the other.

    Raises
    ------
    DataError
        There is no such file, it cannot be read, or it does not hold what is wanted.
    """
    check_regular(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise DataError(f"expected vectors in a file that ends in {', '.join(_READERS)}; got {path.name}; convert it")
    try:
        return read(path, kind, tensor, notices)
    except READ_ERRORS as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise DataError(
            f"expected {path.suffix.lower()} with plain arrays, {path} cannot be read as that ({reason}); write it "
            "anew, with numbers and text only (pickled objects are never loaded), or take the vectors out with "
            f"`guidedrec vectors extract {path.name}`"
        ) from error


def check_regular(path: Path) -> None:
    """Refuse a path where no regular file is; nothing is read from a pipe or a device.

    Raises
    ------
    DataError
        It is a folder, a pipe, a device, or nothing, or it may not be read.
    """
    check_file(path)
    try:
        open_regular(path).close()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; name a file of vectors") from error


def sidecar(path: Path) -> Path | None:
    """Return the file of ids that lies next to a file of vectors, if any."""
    return next((path.with_suffix(end) for end in _SIDECARS if path.with_suffix(end).exists()), None)


def _read_npy(path: Path, kind: str, tensor: str | None, notices: list[Notice]) -> tuple[pd.Series, AnyArray]:
    if tensor is not None:
        raise DataError(f"{path.name} holds one array without a name; leave out ::{tensor}")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise DataError(f"expected one array in {path.name}, it is an archive of several; rename it to .npz")
    return _ids_beside(path), array


def _read_npz(path: Path, kind: str, tensor: str | None, notices: list[Notice]) -> tuple[pd.Series, AnyArray]:
    if not zipfile.is_zipfile(path):
        raise DataError(f"expected an archive made by np.savez, {path.name} is none; write it anew")
    with zipfile.ZipFile(path) as packed:
        entries = packed.infolist()
        refuse_bomb(sum(e.compress_size for e in entries), sum(e.file_size for e in entries), path.name)
    with np.load(path, allow_pickle=False) as archive:
        if IDS not in archive.files:
            raise DataError(
                f"expected an array {IDS} in {path.name}, found: {', '.join(archive.files)}; "
                f"save it with np.savez(file, {VECTORS}=..., {IDS}=np.array(ids, dtype=str))"
            )
        names = [name for name in archive.files if name != IDS]
        ids, values = _member(archive, IDS, path), _member(archive, _choose(names, tensor, path), path)
    if ids.ndim != 1:
        raise DataError(f"expected a list of ids in {path.name}, got an array of shape {ids.shape}")
    if ids.dtype.kind == "S":
        ids = np.char.decode(ids, "utf-8")
    if ids.dtype.kind not in "Uiuf":
        raise DataError(f"expected ids as text or numbers in {path.name}, got an array of type {ids.dtype}")
    if ids.dtype.kind != "U":
        return pd.Series(ids), values
    codes = np.ascontiguousarray(ids, dtype=ids.dtype.newbyteorder("=")).view(np.uint32)
    if codes.size and codes.max() > sys.maxunicode:  # NumPy would make texts of them that nothing can write
        raise DataError(f"expected ids as text in {path.name}, one holds what is no character; write it anew")
    return _as_ids(ids.tolist()), values


def _member(archive: Any, name: str, path: Path) -> AnyArray:
    """Return an array of an archive; what lies in it without the suffix ``.npy`` is none."""
    array = archive[name]
    if not isinstance(array, np.ndarray):
        raise DataError(f"expected an array {name}.npy in {path.name}, {name} is another file; save it with np.savez")
    return array


def _as_ids(ids: list[str]) -> pd.Series:
    """Return texts as ids.

    Raises
    ------
    ValueError
        One holds what no file of text can (halves of characters).
    """
    for each in ids:
        each.encode()
    return pd.Series(ids, dtype="str")


def _read_parquet(path: Path, kind: str, tensor: str | None, notices: list[Notice]) -> tuple[pd.Series, AnyArray]:
    table = pq.ParquetFile(path).read()
    key = f"{kind}_id"
    if key not in table.column_names:
        raise DataError(f"expected a column {key} in {path.name}, found: {', '.join(table.column_names)}; rename one")
    types = {field.name: field.type for field in table.schema if field.name != key}
    lists = _columns_of(types, pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    numbers = _columns_of(types, pa.types.is_integer, pa.types.is_floating)
    # A column of lists holds whole vectors; without one, each column of numbers is a dimension.
    if tensor is not None or lists or not numbers:
        columns = [_choose(lists, tensor, path)]
        values = _stack_lists(table.column(columns[0]).combine_chunks(), columns[0], path)
    else:
        columns = numbers
        values = np.stack([table.column(name).to_numpy() for name in numbers], axis=1)
    if unused := [name for name in types if name not in columns]:
        message = f"columns of {path.name} not used: {', '.join(unused)}"
        notices.append(Notice("columns_unused", len(unused), message))
    ids = table.column(key)
    if pa.types.is_binary(ids.type) or pa.types.is_large_binary(ids.type):
        ids = ids.cast(pa.string())
    if pa.types.is_nested(ids.type):
        raise DataError(f"expected ids as text or numbers in column {key} of {path.name}, got {ids.type}")
    return ids.to_pandas(), values


def _read_safetensors(path: Path, kind: str, tensor: str | None, notices: list[Notice]) -> tuple[pd.Series, AnyArray]:
    with safe_open(path, framework="np") as file:
        name = _choose(list(file.keys()), tensor, path)
        metadata = file.metadata() or {}
        known = file.get_slice(name).get_dtype() in _NUMPY_KINDS
        values = file.get_tensor(name) if known else None
    if values is None:  # e.g. bfloat16
        with safe_open(path, framework="pt") as file:
            values = file.get_tensor(name).float().numpy()
    ids = _json_ids(metadata[IDS], f"the metadata of {path.name}") if IDS in metadata else _ids_beside(path)
    return ids, values


def _read_torch(path: Path, kind: str, tensor: str | None, notices: list[Notice]) -> tuple[pd.Series, AnyArray]:
    import torch

    tensors: dict[str, torch.Tensor] = {}

    def collect(value: object, name: str) -> None:
        if isinstance(value, torch.Tensor):
            tensors[name or VECTORS] = value
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                collect(inner, f"{name}.{key}" if name else str(key))

    collect(torch.load(path, map_location="cpu", weights_only=True), "")
    name = _choose(list(tensors), tensor, path)
    return _ids_beside(path), dense_array(tensors[name], name, path)


def dense_array(tensor: "torch.Tensor", name: str, path: Path) -> AnyArray:
    """Return a tensor's numbers; floating ones as float32.

    Raises
    ------
    DataError
        It is sparse, quantised, nested or without numbers, or larger than what the file stores of it.
    """
    import torch

    kinds = {"sparse": tensor.layout != torch.strided, "quantised": tensor.is_quantized, "nested": tensor.is_nested}
    kinds["empty (device meta)"] = tensor.is_meta
    if kind := next((kind for kind, found in kinds.items() if found), ""):
        way = {"sparse": ".to_dense()", "quantised": ".dequantize()"}.get(kind, ".contiguous() of a plain tensor")
        raise DataError(f"expected a dense tensor {name} in {path.name}, it is {kind}; save {way} of it")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise DataError(
            f"expected a tensor {name} in {path.name} that holds its numbers, its shape {tuple(tensor.shape)} repeats "
            "them; save .contiguous() of it"
        )
    values = tensor.detach()
    return (values.float() if values.is_floating_point() else values).numpy()


_Reader = Callable[[Path, str, str | None, list[Notice]], tuple[pd.Series, AnyArray]]
_READERS: dict[str, _Reader] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".parquet": _read_parquet,
    ".safetensors": _read_safetensors,
    **dict.fromkeys((".pt", ".pth", ".bin", ".ckpt"), _read_torch),
}


def _choose(names: list[str], tensor: str | None, path: Path) -> str:
    """Return the array to read: the one asked for, else `vectors`, else the only one."""
    if tensor in names or (tensor is None and VECTORS in names):
        return tensor or VECTORS
    if tensor is None and len(names) == 1:
        return names[0]
    found = ", ".join(names) or "none"
    advice = f"; name the one to read, e.g. {path.name}::{names[0]}" if names else ""
    raise DataError(f"expected vectors named {tensor or VECTORS} in {path.name}, found: {found}{advice}")


def _columns_of(types: dict[str, Any], *kinds: Callable[[Any], bool]) -> list[str]:
    """Return the names of the columns that are of one of some kinds."""
    return [name for name, type_ in types.items() if any(kind(type_) for kind in kinds)]


def _stack_lists(column: Any, name: str, path: Path) -> AnyArray:
    """Turn a column of lists of one length into an array, without a Python object a number."""
    lengths = np.asarray(column.value_lengths().fill_null(-1))
    if len(lengths) and (lengths != lengths[0]).any():
        row = int(np.flatnonzero(lengths != lengths[0])[0])
        wrong = "none" if lengths[row] < 0 else f"one of {lengths[row]}"
        raise DataError(
            f"expected lists of one length in column {name} of {path.name}, row 1 has {lengths[0]} numbers and row "
            f"{row + 1} has {wrong}; mend or remove such rows"
        )
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return cast(AnyArray, flat.reshape(len(lengths), -1)) if len(lengths) else np.empty((0, 1))


def _ids_beside(path: Path) -> pd.Series:
    """Read the ids of the rows from the file next to it."""
    ids_file = sidecar(path)
    if ids_file is None:
        names = " or ".join(path.with_suffix(end).name for end in _SIDECARS)
        raise DataError(
            f"expected the ids of the rows of {path.name} next to it in {names}, found neither; "
            "write one id for each row, in order (a padding row gets any text that is no id, such as [PAD])"
        )
    return read_ids(ids_file)


def read_ids(ids_file: Path) -> pd.Series:
    """Read ids from a JSON list (``.json``), or one a line (any other name).

    Raises
    ------
    DataError
        There is no such file, or it holds something else.
    """
    check_regular(ids_file)
    try:
        text = read_bounded(ids_file, _MOST_ID_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"expected ids in {ids_file.name}, cannot read it: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"expected UTF-8 text in {ids_file.name}, byte {error.start + 1} is not; save it as UTF-8"
        ) from error
    if ids_file.suffix.lower() == ".json":
        return _json_ids(text, ids_file.name)
    return pd.Series(text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n"), dtype="str")


def _json_ids(text: str, where: str) -> pd.Series:
    """Parse a JSON list of ids."""
    try:
        ids = json.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with too many digits
        raise DataError(f"expected a JSON list of ids in {where}, it is no JSON ({error}); write it anew") from error
    if not isinstance(ids, list) or not all(isinstance(i, str) or type(i) is int for i in ids):
        raise DataError(f'expected a JSON list of ids in {where}, got something else; write ["id 1", "id 2", ...]')
    return _as_ids([str(i) for i in ids])
