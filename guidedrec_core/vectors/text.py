"""Item vectors from texts: listings read by a language model, as HLLM (arXiv 2409.12740) feeds its user model."""

import base64
import hashlib
import json
import os
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import Catalogue, category_words
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import ConfigError, DataError, InputError, ServiceError
from guidedrec_core.progress import Listener, StageProgress, silent

Embed = Callable[[list[str]], npt.NDArray[np.float32]]
"""Turns texts into vectors ``[n, d]``."""

_UNWANTED = ("Cc", "Cs")  # control characters; halves of characters, which no file can hold


@dataclass(frozen=True)
class ItemTexts:
    """What a language model reads of each item.

    Attributes
    ----------
    ids, texts : tuple of str
        Of the items that have a text; none is blank.
    notices : tuple of Notice
        Items without text, and texts that were cut.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    notices: tuple[Notice, ...]


def item_texts(catalogue: Catalogue, columns: Sequence[str], max_characters: int) -> ItemTexts:
    """Join columns of the catalogue into one text an item: ``name: value``, one a line, blank ones left out.

    Parameters
    ----------
    catalogue : Catalogue
        One row an item.
    columns : sequence of str
        In the order in which they are read.
    max_characters : int
        Longer texts are cut.

    Raises
    ------
    DataError
        The catalogue lacks a column, or no item has a text.
    """
    frame = catalogue.frame
    missing = [name for name in columns if name not in frame.columns]
    if missing or not columns:
        raise DataError(
            f"expected columns of the catalogue, which has {', '.join(map(str, frame.columns))}; "
            f"got {', '.join(missing) or 'none'}; choose among those with --columns"
        )
    whole = _joined(catalogue, columns)
    texts = {item: text[:max_characters] for item, text in zip(frame[c.ITEM], whole, strict=True) if text}
    if not texts:
        raise DataError(f"expected texts in {', '.join(columns)}, all {len(frame):,} items have none; choose others")
    notices = []
    if blank := len(whole) - len(texts):
        notices.append(Notice("items_without_text", blank, f"{blank:,} items have no text there; they get no vector"))
    if cut := sum(len(text) > max_characters for text in whole):
        message = f"{cut:,} of {len(texts):,} texts were cut to {max_characters:,} characters"
        notices.append(Notice("texts_cut", cut, message))
    return ItemTexts(tuple(texts), tuple(texts.values()), tuple(notices))


def _joined(catalogue: Catalogue, columns: Sequence[str]) -> list[str]:
    """Return the whole text of each item; empty where all its columns are blank."""
    frame, parts = catalogue.frame, []
    for name in columns:
        cells = zip(frame[name], frame[name].isna(), strict=True)
        parts.append(["" if absent else _part(name, str(value)) for value, absent in cells])
    return ["\n".join(filter(None, row)) for row in zip(*parts, strict=True)]


def local_model(name: str) -> Embed:
    """Load a sentence-transformers model, from its cache, a folder or the Hugging Face hub.

    Raises
    ------
    ConfigError
        The extra ``local`` is not installed, or there is no such model.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ConfigError(
            "expected the package sentence-transformers for a model on this machine, it is not installed; "
            "run: pip install 'guidedrec[local]'"
        ) from error
    try:
        model = SentenceTransformer(name)
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(f"expected a sentence-transformers model, {name!r} cannot be loaded ({reason})") from error

    def embed(texts: list[str]) -> npt.NDArray[np.float32]:
        return np.asarray(model.encode(texts, show_progress_bar=False, convert_to_numpy=True), dtype=np.float32)

    return embed


def write_text_vectors(
    path: Path, texts: ItemTexts, embed: Embed, source: str, batch_size: int, listener: Listener = silent
) -> tuple[int, int]:
    """Make a vector of each text and write them into an npz file with ``vectors`` and ``ids``.

    Finished batches are kept in a file next to it until all are done, so that the same call goes on after an
    interruption and pays for nothing twice. Equal texts are embedded once.

    Parameters
    ----------
    path : Path
        Ends in ``.npz``; replaced when it exists, once all vectors are there.
    texts : ItemTexts
        What to embed.
    embed : callable
        Turns up to `batch_size` texts into vectors.
    source : str
        Server and model; finished batches of another are not taken.
    batch_size : int
        Texts given to `embed` at once.
    listener : callable
        Hears of every batch.

    Returns
    -------
    tuple of (int, int)
        Width of the vectors, and distinct texts that were embedded by this call.

    Raises
    ------
    InputError
        `path` is no place for an npz file, or finished batches of another source lie next to it.
    ServiceError
        The vectors differ in number from the texts, or in width from one another.
    """
    check_place(path)
    with _Partial(path, source) as done:
        keys = {_key(text): text for text in texts.texts}
        waiting = [key for key in keys if key not in done.vectors]
        progress = StageProgress("vectors", len(keys), listener, done=len(keys) - len(waiting))
        for first in range(0, len(waiting), batch_size):
            batch = waiting[first : first + batch_size]
            done.add(batch, embed([keys[key] for key in batch]))
            progress.done += len(batch)
            progress.say(f"{progress.done:,} of {len(keys):,} texts")
        vectors = np.stack([done.vectors[_key(text)] for text in texts.texts])
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(file, vectors=vectors, ids=np.array(texts.ids, dtype=str))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    done.path.unlink()
    return vectors.shape[1], len(waiting)


def check_place(path: Path) -> None:
    """Refuse a place where no npz file can be, before any work is done.

    Raises
    ------
    InputError
        Another suffix, a folder, or a folder that is not there.
    """
    if path.suffix.lower() != ".npz":
        raise InputError(f"expected an output file that ends in .npz, got {path}")
    if path.is_dir():
        raise InputError(f"expected an output file, but {path} is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise InputError(f"expected an existing folder for {path}; make {path.absolute().parent} first")


class _Partial:
    """Vectors that are done, in a file of JSON lines: the source, then a line a batch, synced when it is written.

    A last line that was cut off by an interruption is left out and overwritten.
    """

    def __init__(self, path: Path, source: str) -> None:
        self.path = path.with_name(f"{path.name}.partial")
        self.vectors: dict[str, npt.NDArray[np.float32]] = {}
        self._width: int | None = None
        self._source = source

    def __enter__(self) -> "_Partial":
        whole = self._read() if self.path.is_file() else 0
        self._file = self.path.open("r+b" if whole else "wb")
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._write({"source": self._source})
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, keys: list[str], vectors: npt.NDArray[np.float32]) -> None:
        """Take the vectors of a batch."""
        if vectors.ndim != 2 or len(vectors) != len(keys):
            raise ServiceError(f"expected {len(keys)} vectors from {self._source}, got shape {vectors.shape}")
        if self._width not in (None, vectors.shape[1]):
            raise ServiceError(
                f"expected vectors of {self._width} numbers as before from {self._source}, got {vectors.shape[1]}; "
                f"has the model behind it changed? Delete {self.path} to begin anew"
            )
        self._keep(keys, vectors)
        self._write({"keys": keys, "vectors": base64.b64encode(vectors.astype("<f4").tobytes()).decode()})

    def _keep(self, keys: list[str], vectors: npt.NDArray[np.float32]) -> None:
        self._width = vectors.shape[1]
        self.vectors.update(zip(keys, vectors, strict=True))

    def _read(self) -> int:
        """Read what is done; return the length of the whole lines in bytes."""
        whole = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if whole == 0:
                    self._check(line)
                else:
                    self._keep(*self._batch(line))
                whole += len(line)
        return whole

    def _batch(self, line: bytes) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Parse the line of a finished batch."""
        try:
            batch = json.loads(line)
            flat = np.frombuffer(base64.b64decode(batch["vectors"]), dtype="<f4")
            return batch["keys"], flat.reshape(len(batch["keys"]), -1)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"expected finished batches in {self.path}, it is damaged; delete it") from error

    def _check(self, line: bytes) -> None:
        """Refuse a file that another model made: what is in it may have been paid for."""
        try:
            found = json.loads(line)["source"]
        except (ValueError, KeyError, TypeError):
            found = "something else"
        if found != self._source:
            raise InputError(
                f"expected finished batches of {self._source} in {self.path}, they are of {found}; "
                "go on with that, choose another --out, or delete the file"
            )

    def _write(self, value: dict[str, object]) -> None:
        self._file.write(json.dumps(value).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _part(name: str, text: str) -> str:
    """Return one line of an item's text; blank when there is no value."""
    if name == c.CATEGORY and text:
        text = category_words(text)
    clean = "".join(" " if unicodedata.category(character) in _UNWANTED else character for character in text)
    clean = " ".join(clean.split())
    return f"{name}: {clean}" if clean else ""


def _key(text: str) -> str:
    """Name a text by its content."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
