"""What is stored: data sets, their refined runs, and what belongs to each. Reads listings only, loads no model."""

from dataclasses import dataclass
from typing import Any

from guidedrec_core.data.bundled import BUNDLED
from guidedrec_core.data.fetch import SOURCES
from guidedrec_core.data.verbs import InteractionVerb, verb_of
from guidedrec_core.errors import NotFoundError
from guidedrec_core.runs.shipped import bring_shipped
from guidedrec_core.runs.store import RunInfo, RunStore

# A manifest may come from anywhere; these settings and inputs are used below without asking.
_NEEDED = {"data": ("name",), "base": ("split.kind",), "refined": ("refinement.mode", "refinement.control")}
_MADE_OF = {"base": ("data",), "refined": ("base", "scores")}
REPEAT = "repeat"
"""Setting of a refined run that was trained to see what another seed changes, and nothing else."""
_MADE_FROM = ("evaluation", "projection", "ablation", "sparsity", "audit")


@dataclass(frozen=True)
class RefinedEntry:
    """A refined run that can be studied.

    Attributes
    ----------
    run : RunInfo
        The refined run.
    base : RunInfo
        The base run it refines.
    data : RunInfo
        The data set.
    evaluation, projection, ablation, sparsity, audit : RunInfo or None
        Newest of each; None while there is none.
    """

    run: RunInfo
    base: RunInfo
    data: RunInfo
    evaluation: RunInfo | None
    projection: RunInfo | None
    ablation: RunInfo | None
    sparsity: RunInfo | None
    audit: RunInfo | None

    @property
    def base_kind(self) -> str:
        """The base model's architecture, or ``"external"``."""
        return "external" if "external" in self.base.config else str(self.base.config["encoder"]["kind"])

    @property
    def shrinks_doubtful(self) -> bool:
        """Whether scores count by how far their passes agree."""
        return bool(self.run.config["refinement"].get("doubt") == "shrink")

    def verb(self, domain: str) -> InteractionVerb:
        """Return how to speak of the data set's interactions; `domain` of the attribute schema helps to guess."""
        return verb_of(str(self.data.config["name"]), self.data.config.get("source", {}), domain)

    @property
    def details(self) -> str:
        """How it was made, in the field's terms: base model, mode, split, seed."""
        mode = f"{self.run.config['refinement']['mode']}{', doubtful less' if self.shrinks_doubtful else ''}"
        return f"{self.base_kind}, {mode}, {self.base.config['split']['kind']}, seed {self.run.seed}"


def dataset_names(store: RunStore) -> list[str]:
    """Return the names of stored and bundled data sets; those stored last come first."""
    stored = [str(info.config["name"]) for info in store.list("data") if _is_whole(info)]
    return list(dict.fromkeys([*stored, *BUNDLED]))


def no_dataset(store: RunStore, name: str) -> NotFoundError:
    """Return the error for a data set that does not exist; it says which do, and how to get this one."""
    known = ", ".join(sorted(dataset_names(store)))
    way = f"`guidedrec data fetch {name}` gets it" if name in SOURCES else "`guidedrec data import` brings your own"
    return NotFoundError(f"no data set named {name!r}; there are {known}; {way}")


def refined_entries(store: RunStore, dataset: str | None = None) -> list[RefinedEntry]:
    """Return all refined runs that can be studied, newest first.

    Controls are not among them, nor repeats, nor what was made for ablations and studies of sparse data. Runs whose
    inputs are damaged, incomplete or gone are left out; opening them would fail.
    """
    runs = {info.id: info for info in store.list() if _is_whole(info)}
    entries = []
    for info in filter(_is_to_be_studied, runs.values()):
        made_from = _base_and_data(info, runs)
        if made_from is not None and dataset in (None, made_from[1].config["name"]):
            later = (_made_from(runs, stage, info) for stage in _MADE_FROM)
            entries.append(RefinedEntry(info, *made_from, *later))
    return sorted(entries, key=lambda entry: entry.run.id, reverse=True)


def _is_whole(info: RunInfo) -> bool:
    """Tell whether a run is sound and its manifest names what listings speak of, in the right types."""
    needed = [*_NEEDED.get(info.stage, ())]
    if info.stage == "base" and "external" not in info.config:
        needed.append("encoder.kind")
    return (
        info.problem is None
        and all(isinstance(_setting(info.config, path), str) for path in needed)
        and isinstance(info.config.get("source", {}), dict)
        and all(role in info.inputs for role in _MADE_OF.get(info.stage, ()))
    )


def _setting(config: dict[str, Any], path: str) -> Any:
    """Return a setting by the names on the way to it; None where there is none."""
    value: Any = config
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is_to_be_studied(info: RunInfo) -> bool:
    """Tell whether a run is a refined one, and neither a control, a repeat nor part of an ablation."""
    if info.stage != "refined" or REPEAT in info.config:
        return False
    refinement = info.config["refinement"]
    return refinement["control"] == "none" and refinement.get("attributes") is None


def repeat_of(store: RunStore, entry: RefinedEntry) -> RunInfo | None:
    """Return the newest run that is a refined run trained again with another seed; None where there is none."""
    own = _without_repeat(entry.run)
    for info in store.list("refined"):
        same = info.problem is None and info.inputs == entry.run.inputs and _without_repeat(info) == own
        if same and info.seed != entry.run.seed:
            return info
    return None


def _without_repeat(info: RunInfo) -> dict[str, Any]:
    return {name: value for name, value in info.config.items() if name != REPEAT}


def _base_and_data(refined: RunInfo, runs: dict[str, RunInfo]) -> tuple[RunInfo, RunInfo] | None:
    """Return what a refined run was made from; None where any of it is gone, or histories were shortened."""
    base = runs.get(refined.inputs["base"])
    data = runs.get(base.inputs["data"]) if base else None
    if base is None or data is None or refined.inputs["scores"] not in runs or "history_share" in base.config["split"]:
        return None
    return base, data


def entries_with_shipped(store: RunStore, dataset: str) -> list[RefinedEntry]:
    """Return a data set's refined runs, newest first; where there are none, those that ship are copied in before.

    Raises
    ------
    StorageError
        There are some to copy, and the disk is full or read-only.
    """
    entries = refined_entries(store, dataset)
    if not entries and bring_shipped(store, dataset):
        entries = refined_entries(store, dataset)
    return entries


def find_entry(store: RunStore, dataset: str, run_id: str | None = None) -> RefinedEntry:
    """Return one refined run of a data set; the newest by default, one that ships where there is none.

    Raises
    ------
    NotFoundError
        There is no such run; the message says what to do.
    """
    entries = entries_with_shipped(store, dataset)
    for entry in entries:
        if run_id in (None, entry.run.id):
            return entry
    if dataset not in dataset_names(store):
        raise no_dataset(store, dataset)
    if run_id is None or not entries:
        raise NotFoundError(f"data set {dataset!r} has no refined run yet; `guidedrec build {dataset}` makes one")
    raise NotFoundError(f"run {run_id!r} is not a refined run of data set {dataset!r}; `guidedrec runs list` shows all")


def _made_from(runs: dict[str, RunInfo], stage: str, refined: RunInfo) -> RunInfo | None:
    """Return the newest run of a stage that was made from a refined run."""
    made = [i for i in runs.values() if i.stage == stage and i.inputs.get("refined") == refined.id]
    return max(made, key=lambda info: info.id, default=None)
