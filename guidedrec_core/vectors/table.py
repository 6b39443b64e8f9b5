"""`Vectors`: item or user vectors brought by the user, matched to the data set by id."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core.data.interactions import clean_ids
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError
from guidedrec_core.files import sha256
from guidedrec_core.vectors.files import AnyArray, check_regular, read_vector_file, sidecar

What = Literal["vectors", "biases"]

_SHOWN = 3
_SHAPES = {"vectors": "one row an id and at least one column", "biases": "one number an id"}
_INSTEAD = {"item": "they get the mean of the known ones", "user": "theirs are made from their histories"}


@dataclass(frozen=True)
class Vectors:
    """One row an id of the data set, in the order of its vocabulary.

    Attributes
    ----------
    values : ndarray
        float32 ``[n, d]``, finite; a missing row is the mean of the known ones.
    missing : ndarray of bool
        ``[n]``; the ids without a vector of their own.
    notices : tuple of Notice
        Rows and ids that did not match, counted and named.
    """

    values: npt.NDArray[np.float32]
    missing: npt.NDArray[np.bool_]
    notices: tuple[Notice, ...] = ()


def split_source(source: str) -> tuple[Path, str | None]:
    """Split ``FILE`` or ``FILE::TENSOR`` into its parts.

    Raises
    ------
    DataError
        One of the two is blank.

    Examples
    --------
    >>> path, tensor = split_source("models/sasrec.pt::item_emb.weight")
    >>> path.name, tensor
    ('sasrec.pt', 'item_emb.weight')
    """
    file, separator, tensor = source.rpartition("::") if "::" in source else (source, "", "")
    if not file.strip() or (separator and not tensor.strip()):
        raise DataError(f"expected FILE or FILE::TENSOR, got {source!r}; e.g. model.pt::item_emb.weight")
    return Path(file), tensor or None


def source_identity(source: str) -> dict[str, str]:
    """Return what names a source's content wherever it lies: file name, tensor, SHA-256 of the file and of its ids.

    Parameters
    ----------
    source : str
        ``FILE`` or ``FILE::TENSOR``; the file must be there.

    Returns
    -------
    dict of str to str
        ``file``, ``sha256`` and, where they apply, ``tensor`` and ``ids_sha256``.

    Raises
    ------
    DataError
        There is no such file.
    """
    path, tensor = split_source(source)
    check_regular(path)
    ids_file = sidecar(path)
    return {
        "file": path.name,
        "sha256": sha256(path),
        **({"tensor": tensor} if tensor else {}),
        **({"ids_sha256": sha256(ids_file)} if ids_file else {}),
    }


def read_vectors(source: str, vocabulary: Vocabulary) -> Vectors:
    """Read vectors and put them in vocabulary order.

    Parameters
    ----------
    source : str
        ``FILE`` or ``FILE::TENSOR``; formats and the place of ids: `read_vector_file`.
    vocabulary : Vocabulary
        The ids wanted, in order.

    Returns
    -------
    Vectors
        ``[len(vocabulary), d]``.

    Raises
    ------
    DataError
        The file is unreadable, ids are missing, repeated or not as many as rows, values are no finite numbers, all
        the same or not ``[n, d]``, or no id matches.
    """
    return _read(source, vocabulary, "vectors")


def read_biases(source: str, vocabulary: Vocabulary) -> Vectors:
    """Read one number an id, like `read_vectors`; the array is ``[n]`` or ``[n, 1]``, the result ``[n, 1]``."""
    return _read(source, vocabulary, "biases")


def match_frame(frame: pd.DataFrame, vocabulary: Vocabulary, what: What = "vectors") -> Vectors:
    """Put vectors of a table in vocabulary order.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``item_id`` or ``user_id``, and one column of numbers per dimension.
    vocabulary : Vocabulary
        The ids wanted, in order.
    what : {"vectors", "biases"}
        Whether an id has a vector or one number.

    Raises
    ------
    DataError
        As `read_vectors`, or the column of ids is missing.
    """
    key = f"{vocabulary.kind}_id"
    source = f"the table of {vocabulary.kind} {what}"
    if key not in frame.columns:
        raise DataError(f"expected the column {key} in {source}, found: {', '.join(map(str, frame.columns))}")
    return _match(frame[key], frame.drop(columns=key).to_numpy(), vocabulary, what, source, source, [])


def frame_identity(frame: pd.DataFrame) -> dict[str, str]:
    """Return what names a table's content, as `source_identity` does for a file."""
    content = pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()
    return {"file": "DataFrame", "sha256": hashlib.sha256(content).hexdigest()}


def _read(source: str, vocabulary: Vocabulary, what: What) -> Vectors:
    """Read a file, check it, and match its ids."""
    path, tensor = split_source(source)
    notices: list[Notice] = []
    raw_ids, array = read_vector_file(path, vocabulary.kind, tensor, notices)
    return _match(raw_ids, array, vocabulary, what, source, path.name, notices)


def _match(
    raw_ids: pd.Series,
    array: AnyArray,
    vocabulary: Vocabulary,
    what: What,
    source: str,
    name: str,
    notices: list[Notice],
) -> Vectors:
    """Check ids and numbers, and put the rows in vocabulary order."""
    fits = array.ndim == 2 and array.shape[1] > 0 if what == "vectors" else array.shape[1:] in ((), (1,))
    if array.ndim == 0 or not fits:
        raise DataError(
            f"expected {_SHAPES[what]} in {source}, got an array of shape {array.shape}; choose another or mend it"
        )
    if len(raw_ids) != len(array):
        raise DataError(
            f"expected one id for each row of {source}, got {len(raw_ids):,} ids for {len(array):,} rows; "
            "write the ids in the order of the rows (a padding row gets any text that is no id, such as [PAD])"
        )
    ids = _ids_once(raw_ids, vocabulary.kind, source, notices)
    values = _finite(array if array.ndim == 2 else array[:, None], ids.tolist(), source)
    found = vocabulary.indexes(ids, missing="negative")
    known = found >= 0
    if not known.any():
        example = repr(ids.iloc[0]) if len(ids) else "none"
        raise DataError(
            f"expected {what} of the data set's {vocabulary.kind}s in {source}, but no id matches "
            f"(file: {example}, data set: {vocabulary.id(0)!r}); is it the right file?"
        )
    if what == "vectors":
        notices += _without_content(values[known], ids[known].tolist(), vocabulary.kind, source, name)
    matched = np.empty((len(vocabulary), values.shape[1]), dtype=np.float32)
    matched[:] = values[known].mean(axis=0, dtype=np.float64)
    matched[found[known]] = values[known]
    missing = np.ones(len(vocabulary), dtype=np.bool_)
    missing[found[known]] = False
    notices += _mismatches(ids[~known].tolist(), vocabulary.ids[missing].tolist(), vocabulary, what, name)
    return Vectors(matched, missing, tuple(notices))


def _ids_once(raw_ids: pd.Series, kind: str, source: str, notices: list[Notice]) -> pd.Series:
    """Return the ids as text, and refuse those that come twice."""
    ids = clean_ids(raw_ids, kind, notices)
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].unique()
        raise DataError(
            f"expected each {kind} id once in {source}, got several rows for {len(twice):,}: "
            f"{_named(twice.tolist())}; keep one of each"
        )
    return ids


def _finite(array: AnyArray, ids: list[str], source: str) -> npt.NDArray[np.float32]:
    """Convert to float32 and refuse what is no finite number."""
    if array.dtype.kind not in "fiu":
        raise DataError(f"expected numbers in {source}, got an array of type {array.dtype}; save it as float32")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is refused below
        values = np.asarray(array, dtype=np.float32)
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(wrong):
        raise DataError(
            f"expected finite numbers in {source}, {len(wrong):,} of {len(values):,} rows hold NaN or infinity: "
            f"{_named([ids[row] for row in wrong])}; mend or remove these rows"
        )
    return values


def _without_content(
    values: npt.NDArray[np.float32], ids: list[str], kind: str, source: str, name: str
) -> list[Notice]:
    """Refuse vectors that are all the same, which rank nothing, and name those that are zero."""
    if len(values) > 1 and (values == values[0]).all():
        same = "zero" if not values[0].any() else "the same"
        raise DataError(
            f"expected vectors that differ in {source}, all {len(values):,} {kind} vectors are {same}, so that nothing "
            "can be ranked by them; is it the right array?"
        )
    zero = np.flatnonzero(~values.any(axis=1))
    if not len(zero):
        return []
    message = f"{len(zero):,} {kind} vectors in {name} are zero in every number: {_named([ids[row] for row in zero])}"
    return [Notice(f"{kind}_vectors_zero", len(zero), f"{message}; they say nothing about these {kind}s")]


def _mismatches(left_over: list[str], without: list[str], vocabulary: Vocabulary, what: str, name: str) -> list[Notice]:
    """Count and name the rows without an id in the data set, and the ids without a row."""
    kind, notices = vocabulary.kind, []
    if left_over:
        message = f"{len(left_over):,} {kind} {what} in {name} are of {kind}s not in the data set: {_named(left_over)}"
        notices.append(Notice(f"{kind}_{what}_not_in_data", len(left_over), f"{message}; left out"))
    if without:
        message = f"{len(without):,} of {len(vocabulary):,} {kind}s have no {what} in {name}: {_named(without)}"
        notices.append(Notice(f"{kind}s_without_{what}", len(without), f"{message}; {_INSTEAD[kind]}"))
    return notices


def _named(ids: list[str]) -> str:
    """Name the first few ids."""
    return ", ".join(repr(i) for i in ids[:_SHOWN]) + (", ..." if len(ids) > _SHOWN else "")
