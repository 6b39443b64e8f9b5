"""How base and refined recommenders are written as runs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guidedrec_core.config import BaselineConfig, RefinementConfig, TrainingConfig
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.recommenders.base import BaseRecommender
from guidedrec_core.recommenders.external import External
from guidedrec_core.runs.manifest import REVISIONS
from guidedrec_core.runs.store import Run, RunStore

if TYPE_CHECKING:
    import torch


def base_settings(base: BaseRecommender, split: Mapping[str, Any]) -> dict[str, Any]:
    """Return what names a base recommender among runs.

    Parameters
    ----------
    base : BaseRecommender
        Fitted or not.
    split : mapping
        The `SplitConfig` of its data as JSON.
    """
    settings = {
        "split": dict(split),
        "encoder": base.encoder.model_dump(mode="json"),
        "training": base.training.model_dump(mode="json"),
    }
    return {**settings, "external": base.identity()} if isinstance(base, External) else settings


def write_base(store: RunStore, base: BaseRecommender, settings: Mapping[str, Any], data: Run) -> Run:
    """Write a fitted base recommender as a run of stage ``base``."""
    model = base.scorer
    with store.create("base", config=settings, inputs={"data": data}, seed=base.seed) as writer:
        writer.write_arrays("weights", model.arrays() if isinstance(model, ExternalModel) else weight_arrays(model))
        if base.curve is not None:
            writer.write_table("training", base.curve)
        writer.write_json("notices", [notice.as_dict() for notice in base.notices])
        writer.summary.update(base.summary)
    return writer.run


def refined_settings(config: RefinementConfig, training: TrainingConfig, baselines: BaselineConfig) -> dict[str, Any]:
    """Return what names a refined recommender among runs."""
    settings = {"refinement": config.model_dump(mode="json"), "training": training.model_dump(mode="json")}
    if config.neighbours != "off":
        settings["baselines"] = baselines.model_dump(mode="json")  # item-kNN is chosen from these
    return settings


def split_path(path: str | Path) -> tuple[RunStore, str]:
    """Split ``HOME/NAME`` into a store of runs and the name of a data set in it."""
    folder = Path(path)
    return RunStore(folder.parent), folder.name


def weight_arrays(model: Any) -> dict[str, np.ndarray]:
    """Return a model's trained tensors as arrays, ready to store."""
    module: torch.nn.Module = model
    return {name: value.detach().numpy() for name, value in module.state_dict().items()}


def found_or_written(
    store: RunStore,
    stage: str,
    settings: dict[str, Any],
    inputs: Mapping[str, Run],
    seed: int | None,
    write: Callable[[dict[str, Any]], Run],
) -> Run:
    """Return the stored run of exactly this, or write one."""
    ids = {role: run.id for role, run in inputs.items()}
    found = store.find(stage, settings, ids, seed, REVISIONS[stage])
    return write(settings) if found is None else found
