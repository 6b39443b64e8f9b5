"""The files of a run: `Run` reads them, `RunWriter` writes them, `RunInfo` is a run as listings show it."""

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from guidedrec_core import __version__
from guidedrec_core.errors import GuidedrecError, InputError, NotFoundError, RunCorruptError
from guidedrec_core.files import sha256, sync
from guidedrec_core.runs.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    REVISIONS,
    FileRecord,
    InputRecord,
    Manifest,
    plain_json,
    to_json,
)

if TYPE_CHECKING:  # listings of runs read manifests only and do not wait for NumPy and pandas
    import numpy as np
    import pandas as pd

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class RunInfo:
    """A run as listings show it, opened or not.

    Attributes
    ----------
    id, stage : str
        Identity.
    created : datetime
        UTC.
    config, summary : dict
        From the manifest; empty for a damaged one.
    seed : int or None
        From the manifest.
    inputs : dict of str to str
        Role to run id.
    revision : int
        From the manifest; see `manifest.REVISIONS`.
    problem : str or None
        What is wrong with the folder; None when manifest and file sizes agree (checksums are not read).
    """

    id: str
    stage: str
    created: datetime
    config: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    revision: int = 1
    problem: str | None = None


@dataclass(frozen=True)
class Run:
    """One stored run; get it from `RunStore.open`, `RunStore.find` or `RunWriter.run`.

    Attributes
    ----------
    path : pathlib.Path
        Its folder.
    manifest : Manifest
        Its content's record.
    """

    path: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        """The run id."""
        return self.manifest.run_id

    @property
    def stage(self) -> str:
        """The stage that made it."""
        return self.manifest.stage

    @property
    def config(self) -> dict[str, Any]:
        """The full configuration, as JSON."""
        return self.manifest.config

    @property
    def seed(self) -> int | None:
        """The seed, or None."""
        return self.manifest.seed

    @property
    def inputs(self) -> dict[str, str]:
        """Role to run id."""
        return {role: record.run_id for role, record in self.manifest.inputs.items()}

    @property
    def summary(self) -> dict[str, Any]:
        """Small facts for listings."""
        return self.manifest.summary

    @property
    def created(self) -> datetime:
        """When the writing began, UTC."""
        return self.manifest.created

    def read_json(self, name: str) -> Any:
        """Read ``<name>.json``.

        Raises
        ------
        NotFoundError
            The run has no such file, or was deleted meanwhile. The same holds for the other readers.
        RunCorruptError
            The file is damaged.
        """
        path = self._file(f"{name}.json")
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            self._unreadable(path, error)

    def read_table(self, name: str) -> "pd.DataFrame":
        """Read ``<name>.parquet``."""
        import pandas as pd

        path = self._file(f"{name}.parquet")
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            self._unreadable(path, error)

    def read_arrays(self, name: str) -> "dict[str, np.ndarray]":
        """Read the named arrays of ``<name>.safetensors`` into memory."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = self._file(f"{name}.safetensors")
        try:
            arrays: dict[str, np.ndarray] = load_file(path)
        except (OSError, ValueError, SafetensorError) as error:
            self._unreadable(path, error)
        return arrays

    def read_array(self, name: str, mmap: bool = True) -> "np.ndarray":
        """Read ``<name>.npy``, by default as a read-only memory map that loads what is touched."""
        import numpy as np

        path = self._file(f"{name}.npy")
        try:
            array: np.ndarray = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
        except (OSError, ValueError) as error:
            self._unreadable(path, error)
        return array

    def _file(self, name: str) -> Path:
        if name not in self.manifest.files:
            has = ", ".join(sorted(self.manifest.files)) or "no files"
            raise NotFoundError(f"run {self.id} (stage {self.stage}) has no file {name}; it has {has}")
        return self.path / name

    def _unreadable(self, path: Path, error: Exception) -> NoReturn:
        if not self.path.exists():
            raise NotFoundError(
                f"run {self.id} (stage {self.stage}) was deleted; `guidedrec runs list` shows what there is"
            ) from error
        raise RunCorruptError(
            f"run {self.id} (stage {self.stage}): {path.name} cannot be read ({error}); delete the run and build again"
        ) from error


class RunWriter:
    """Takes the files of a run that is being made; get it from `RunStore.create`.

    Names are given without a suffix; the suffix says the format. Each name is written once.

    Attributes
    ----------
    summary : dict
        Fill in small JSON facts for listings.
    """

    def __init__(self, run_id: str, stage: str, folder: Path) -> None:
        self.run_id = run_id
        self.stage = stage
        self.summary: dict[str, Any] = {}
        self._folder = folder
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """The finished run; only after the ``with`` block has ended without an error."""
        if self._run is None:
            raise GuidedrecError(f"run {self.run_id} is not finished; ask for it after the with block")
        return self._run

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON value; NumPy scalars become numbers, NaN and infinity are refused."""
        self._new_file(name, "json").write_text(to_json(value, f"{name}.json"), encoding="utf-8")

    def write_table(self, name: str, table: "pd.DataFrame") -> None:
        """Write a table as Parquet (zstd). Its index must be the default one, because it is not stored."""
        import pandas as pd

        if not table.index.equals(pd.RangeIndex(len(table))):
            raise InputError(f"{name}.parquet: expected a table with the default index; call reset_index() first")
        table.to_parquet(self._new_file(name, "parquet"), compression="zstd", index=False)

    def write_arrays(self, name: str, arrays: "Mapping[str, np.ndarray]") -> None:
        """Write named arrays of numbers or booleans into one safetensors file."""
        import numpy as np
        from safetensors.numpy import save_file

        # Row-major copies, because safetensors stores an array's memory as it lies.
        stored = {key: np.asarray(array, order="C") for key, array in arrays.items()}
        for key, array in stored.items():
            _check_numeric(array, f"{name}.safetensors, array {key}")
        save_file(stored, self._new_file(name, "safetensors"))

    def write_array(self, name: str, array: "np.ndarray") -> None:
        """Write one array of numbers or booleans as npy, which can be memory-mapped."""
        import numpy as np

        _check_numeric(array, f"{name}.npy")
        np.save(self._new_file(name, "npy"), array, allow_pickle=False)

    def copy_files(self, source: Run, names: Iterable[str]) -> None:
        """Take over data files of another run, named with their suffixes, as they are."""
        for name in names:
            stem, _, suffix = name.rpartition(".")
            shutil.copyfile(source.path / name, self._new_file(stem, suffix))

    def finish(
        self, config: dict[str, Any], seed: int | None, inputs: dict[str, InputRecord], created: datetime
    ) -> Manifest:
        """Write the manifest and sync everything to disk; called by the store."""
        files = sorted(self._folder.iterdir())
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            run_id=self.run_id,
            stage=self.stage,
            created=created,
            package_version=__version__,
            revision=REVISIONS[self.stage],
            config=config,
            seed=seed,
            inputs=inputs,
            files={path.name: FileRecord(sha256=sha256(path), bytes=path.stat().st_size) for path in files},
            summary=plain_json(self.summary, "summary"),
        )
        text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (self._folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
        for path in [*files, self._folder / MANIFEST, self._folder]:
            sync(path)
        return manifest

    def published(self, run: Run) -> None:
        """Hand over the finished run; called by the store."""
        self._run = run

    def _new_file(self, name: str, suffix: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputError(f"expected a file name of letters, digits, - and _ without a suffix, got {name!r}")
        path = self._folder / f"{name}.{suffix}"
        if path.name == MANIFEST or path.exists():
            raise InputError(f"run {self.run_id} has a file {path.name} already; choose another name")
        return path


def _check_numeric(array: "np.ndarray", where: str) -> None:
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where}: expected numbers or booleans, got dtype {array.dtype}; write text as a table")
