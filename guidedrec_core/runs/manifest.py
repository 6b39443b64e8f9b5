"""The manifest of a run: its record on disk as strict JSON, and the checks of a folder against it."""

import json
import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from guidedrec_core.errors import InputError, RunCorruptError
from guidedrec_core.files import read_json, sha256

FORMAT_VERSION = 3
"""Version of the folder layout; a run of another version is refused."""

STAGES = ("data", "base", "scores", "refined", "evaluation", "projection", "ablation", "sparsity", "audit", "discovery")
"""Stages in the order in which a build makes them."""

REVISIONS = {**dict.fromkeys(STAGES, 1), "refined": 2, "evaluation": 2}
"""Revision of each stage's algorithm: raised whenever the same inputs would give another result, so that runs made
before are not taken for what would come out now."""

MANIFEST = "manifest.json"
ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
"""What the id of a run or a job looks like; nothing else is ever looked up on disk."""

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.(json|parquet|safetensors|npy)")
_MEND = "delete the run and build again"
_MOST_BYTES = 16 << 20
"""Of a manifest; the largest hold the attributes with all their texts, some 100 KB."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputRecord(_Record):
    """A run that another one was made from; `checksum` is the SHA-256 of its manifest file."""

    run_id: str
    stage: str
    checksum: str


class FileRecord(_Record):
    """Size and SHA-256 of one data file."""

    sha256: str
    bytes: int


class Manifest(_Record):
    """What a run's ``manifest.json`` holds.

    Attributes
    ----------
    format_version : int
        `FORMAT_VERSION` of the writer.
    run_id, stage : str
        The run's identity; equal to its folder's name and its parent's.
    created : datetime
        When the writing began, UTC.
    package_version : str
        Version of guidedrec that wrote it.
    revision : int
        The stage's entry in `REVISIONS` when it was written; 1 in manifests from before there were revisions.
    config : dict
        The full configuration of the stage, as JSON.
    seed : int or None
        The seed all random choices descend from; None for a stage without any.
    inputs : dict of str to InputRecord
        By role, e.g. ``"base"``.
    files : dict of str to FileRecord
        By file name.
    summary : dict
        Small facts for listings, as JSON.
    """

    format_version: int
    run_id: str
    stage: str
    created: AwareDatetime
    package_version: str
    revision: int = 1
    config: dict[str, Any]
    seed: int | None
    inputs: dict[str, InputRecord]
    files: dict[str, FileRecord]
    summary: dict[str, Any]


def new_id(created: datetime) -> str:
    """Return a fresh id that sorts by its time, e.g. ``20261120-141503-3fa9c1``."""
    return f"{created:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def to_json(value: Any, where: str) -> str:
    """Return strict JSON; NumPy scalars become numbers.

    Raises
    ------
    InputError
        It holds NaN, infinity or an object JSON does not know; `where` is named.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_scalar)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: expected values that JSON can hold (no NaN, no objects): {error}") from error


def plain_json(value: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the value as reading its JSON would give it (tuples become lists, NumPy scalars numbers).

    Raises
    ------
    InputError
        As `to_json`.
    """
    plain: dict[str, Any] = json.loads(to_json(value, where))
    return plain


def read_manifest(path: Path) -> Manifest:
    """Read a run folder's manifest and check the folder against it, without reading the data files.

    Raises
    ------
    RunCorruptError
        No manifest, a damaged one, another format version or another run's; a file missing or of another size.
    """
    manifest = _parsed_manifest(path)
    named = _named(path)
    if (manifest.run_id, manifest.stage) != (path.name, path.parent.name):
        raise RunCorruptError(
            f"{named}: its {MANIFEST} is that of run {manifest.run_id} (stage {manifest.stage}); "
            "folders of runs must not be renamed"
        )
    for source in manifest.inputs.values():
        if not ID.fullmatch(source.run_id) or source.stage not in STAGES:
            raise RunCorruptError(f"{named}: {MANIFEST} is damaged (input {source.run_id!r}); {_MEND}")
    for name, record in manifest.files.items():
        if not _FILE.fullmatch(name) or not (path / name).is_file():
            raise RunCorruptError(f"{named}: the file {name} is missing; {_MEND}")
        size = (path / name).stat().st_size
        if size != record.bytes:
            raise RunCorruptError(f"{named}: expected {record.bytes} bytes in {name}, found {size}; {_MEND}")
    return manifest


def _parsed_manifest(path: Path) -> Manifest:
    """Read a run folder's manifest by itself."""
    named = _named(path)
    try:
        raw = read_json(path / MANIFEST, _MOST_BYTES)
        if raw["format_version"] != FORMAT_VERSION:
            raise RunCorruptError(
                f"{named} has format version {str(raw['format_version'])[:20]}; this guidedrec reads {FORMAT_VERSION}. "
                "Use the version that wrote it, or build again"
            )
        return Manifest.model_validate(raw)
    except FileNotFoundError as error:
        raise RunCorruptError(f"{named} has no {MANIFEST}; {_MEND}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        detail = f"{error.error_count()} wrong fields" if isinstance(error, ValidationError) else _reason(error)
        raise RunCorruptError(f"{named}: {MANIFEST} is damaged ({detail}); {_MEND}") from error


def check_content(path: Path, manifest: Manifest) -> None:
    """Compare every data file with its checksum.

    Raises
    ------
    RunCorruptError
        Naming the first file that differs or cannot be read.
    """
    for name, record in manifest.files.items():
        try:
            found = sha256(path / name)
        except OSError as error:
            raise RunCorruptError(f"{_named(path)}: {name} cannot be read ({error}); {_MEND}") from error
        if found != record.sha256:
            raise RunCorruptError(f"{_named(path)}: {name} is not as it was written (checksum differs); {_MEND}")


def _reason(error: Exception) -> str:
    """Say what is wrong with a manifest, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"[:200]


def _named(path: Path) -> str:
    return f"run {path.name} (stage {path.parent.name})"


def _scalar(value: Any) -> Any:
    import numpy as np  # late, because listings read manifests and never meet a NumPy scalar

    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")
