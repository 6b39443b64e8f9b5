"""``guidedrec doctor``: is everything in order, and what to do where it is not."""

import importlib.metadata
import json
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guidedrec_core import __version__
from guidedrec_core.cli import doctor_home
from guidedrec_core.cli.output import json_option, write_facts, write_json
from guidedrec_core.cli.session import Command, Session
from guidedrec_core.errors import GuidedrecError
from guidedrec_core.progress import Listener, StageProgress

if TYPE_CHECKING:
    from guidedrec_core.runs.store import RunStore

_PACKAGES = (
    "click",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
    "pydantic",
    "safetensors",
    "scikit-learn",
    "scipy",
    "streamlit",
    "torch",
    "umap-learn",
)
_LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes
    ----------
    name : str
        What.
    ok : bool
        Whether it is in order.
    detail : str
        What was found.
    advice : str
        What to do; empty when it is in order.
    """

    name: str
    ok: bool
    detail: str
    advice: str = ""

    @property
    def said(self) -> str:
        """What was found and what to do, in one text."""
        return f"{self.detail}. {self.advice}" if self.advice else self.detail


@click.command(cls=Command)
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check installation, bundled data and all that is stored.

    That is runs, records of jobs, kept replies of language models, and the database with studies and overrides.
    Exits with 1 when something is wrong. Leftovers of killed processes are removed.
    """
    session: Session = ctx.obj
    store = session.store()
    with session.progress() as listener:
        checks = [
            _checked("packages", _packages),
            _checked("torch", _torch),
            _checked("home", lambda: _home(store)),
            _checked("leftovers", lambda: _leftovers(store)),
            _checked("folders", lambda: doctor_home.folders(store.home)),
            *_runs(store, listener),
            _checked("jobs", lambda: doctor_home.jobs(store.home)),
            _checked("replies", lambda: doctor_home.replies(store.home)),
            _checked("database", lambda: doctor_home.database(store.home)),
            _checked("overrides", lambda: doctor_home.overrides(store.home)),
            _checked("bundled shop", _bundled_shop),
            _checked("bundled scores", _bundled_scores),
            _checked("bundled runs", _bundled_runs),
        ]
    ok = all(check.ok for check in checks)
    about = {"guidedrec": __version__, "python": platform.python_version(), "platform": platform.platform()}
    if as_json:
        write_json(
            {"ok": ok, **about, "packages": _versions(), "home": store.home, "checks": [asdict(c) for c in checks]}
        )
    else:
        write_facts([*about.items(), *((f"{'ok' if c.ok else 'WRONG'}: {c.name}", c.said) for c in checks)])
    ctx.exit(0 if ok else 1)


def _checked(name: str, look: Callable[[], tuple[bool, str, str]]) -> Check:
    """Make a check whose failure is a finding, too."""
    try:
        return Check(name, *look())
    except (GuidedrecError, ImportError, OSError, ValueError) as error:
        return Check(name, False, f"{type(error).__name__}: {error}", "Mend that, or reinstall guidedrec")


def _versions() -> dict[str, str | None]:
    """Return the versions of the packages that matter; None for one that is missing."""
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def _packages() -> tuple[bool, str, str]:
    versions = _versions()
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return False, f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}"
    return True, ", ".join(f"{name} {version}" for name, version in versions.items()), ""


def _torch() -> tuple[bool, str, str]:
    import torch

    from guidedrec_core.config import TrainingConfig
    from guidedrec_core.training.device import resolve_device

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU (none is needed)"
    used = resolve_device(TrainingConfig())
    threads = f"{used.threads} thread{'s' if used.threads != 1 else ''}"
    return True, f"{gpu}; trains on {used.device} in {used.precision} with {threads}", ""


def _home(store: "RunStore") -> tuple[bool, str, str]:
    try:
        store.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=store.home) as file:
            file.write(b"x")
    except OSError as error:
        return False, f"{store.home} cannot be written ({error.strerror})", "Mend its rights, or choose another --home"
    free = shutil.disk_usage(store.home).free
    said = f"{store.home} can be written, {free / 1e9:.1f} GB free"
    if free < _LEAST_FREE_BYTES:
        return False, said, "Make room: `guidedrec runs list` shows what could be deleted"
    return True, said, ""


def _leftovers(store: "RunStore") -> tuple[bool, str, str]:
    removed = store.sweep()
    return True, f"{removed} half-written folders of killed processes removed" if removed else "none", ""


def _runs(store: "RunStore", listener: Listener) -> list[Check]:
    """Check every file of every run; one finding for each run that is not in order."""
    infos = store.list()
    progress = StageProgress("doctor", len(infos), listener)
    damaged = []
    for info in infos:
        try:
            store.open(info.id, info.stage)
        except GuidedrecError as error:
            advice = f"`guidedrec runs delete {info.id} --cascade` removes it; then build again"
            damaged.append(Check(f"run {info.id}", False, str(error), advice))
        progress.step(f"run {info.id}")
    return damaged or [Check("runs", True, f"{len(infos)} with every file as it was written")]


def _bundled_shop() -> tuple[bool, str, str]:
    import pandas as pd

    from guidedrec_core.data.bundled import bundled_dataset, sample_data
    from guidedrec_core.fernway.generate import CHECKSUMS, INTERACTIONS_FILE, content_checksum

    folder: Path = sample_data() / "fernway"
    noted: dict[str, Any] = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    if content_checksum(pd.read_parquet(folder / INTERACTIONS_FILE)) != noted["tables"][INTERACTIONS_FILE]["sha256"]:
        return False, f"{folder / INTERACTIONS_FILE} is not as it was published", "Reinstall guidedrec"
    dataset = bundled_dataset("fernway")
    return True, f"{len(dataset.interactions.frame):,} interactions as published, {len(dataset.items):,} items", ""


def _bundled_scores() -> tuple[bool, str, str]:
    from guidedrec_core.attributes.schema import AttributeSchema
    from guidedrec_core.data.bundled import SCORED, bundled_scores
    from guidedrec_core.data.tables import read_table

    said = []
    for name in SCORED:
        files = bundled_scores(name)
        if files is None:
            return False, f"none for {name}", "Reinstall guidedrec"
        schema, table = AttributeSchema.read(files.attributes), read_table(files.item_scores)
        missing = [attribute for attribute in schema.names if attribute not in table.columns]
        if missing:
            return False, f"{files.item_scores} lacks {', '.join(missing)}", "Reinstall guidedrec"
        said.append(f"{name}: {len(table):,} items, {len(schema)} attributes")
    return True, "; ".join(said), ""


def _bundled_runs() -> tuple[bool, str, str]:
    from guidedrec_core.data.bundled import BUNDLED
    from guidedrec_core.runs.shipped import shipped_runs

    said = []
    for name in BUNDLED:
        source = shipped_runs(name)
        infos = [] if source is None else source.list()
        for info in infos:
            assert source is not None  # it has listed this run
            source.open(info.id, info.stage)
        said.append(f"{name}: {len(infos)} as they were published" if infos else f"{name}: none, built at first use")
    return True, "; ".join(said), ""
