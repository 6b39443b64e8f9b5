"""How data sets, scores, base and refined recommenders are written as runs."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guidedrec_core.attributes.scores import AlignedScores
from guidedrec_core.config import BaselineConfig, RefinementConfig, SplitConfig, TrainingConfig
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.recommenders.base import BaseRecommender
from guidedrec_core.recommenders.external import External
from guidedrec_core.runs.datasets import content_hash, save_dataset
from guidedrec_core.runs.manifest import REVISIONS
from guidedrec_core.runs.store import Run, RunStore

if TYPE_CHECKING:
    import torch


def data_settings(dataset: Dataset) -> dict[str, Any]:
    """Return what names a data set among runs."""
    return {"name": dataset.name, "source": dict(dataset.source), "content": content_hash(dataset)}


def write_dataset(store: RunStore, dataset: Dataset, settings: Mapping[str, Any]) -> Run:
    """Write a data set as a run of stage ``data``."""
    with store.create("data", config=settings) as writer:
        save_dataset(dataset, writer)
        facts = dataset.describe()
        writer.summary.update({k: facts[k] for k in ("name", "users", "items", "interactions", "first", "last")})
    return writer.run


def scores_settings(
    scores: AlignedScores, item_file: str = "DataFrame", user_file: str = "DataFrame"
) -> dict[str, Any]:
    """Return what names scores from tables among runs.

    Parameters
    ----------
    scores : AlignedScores
        The scores.
    item_file, user_file : str
        Names of the tables that they were read from.
    """

    def named(file: str, values: np.ndarray) -> dict[str, Any]:
        return {"file": file, "sha256": hashlib.sha256(values.tobytes()).hexdigest()}

    users = None if scores.users is None else named(user_file, scores.users.values)
    if users is not None and scores.user_split != SplitConfig():
        users["split"] = scores.user_split.model_dump(mode="json")
    return {
        "attributes": scores.items.schema.model_dump(mode="json"),
        "item_scores": named(item_file, scores.items.values),
        "user_scores": users,
    }


def write_scores(store: RunStore, scores: AlignedScores, settings: Mapping[str, Any], data: Run) -> Run:
    """Write guided scores as a run of stage ``scores``."""
    items, users, schema = scores.items, scores.users, scores.items.schema
    with store.create("scores", config=settings, inputs={"data": data}) as writer:
        writer.write_json("attributes", schema.model_dump(mode="json"))
        writer.write_array("item_scores", items.values)
        if users is not None:
            writer.write_array("user_scores", users.values)
        writer.write_json("notices", [notice.as_dict() for notice in scores.notices])
        writer.summary.update(
            attributes=len(schema),
            schema_hash=schema.hash(),
            items=len(items.values),
            scored=len(items.values) - items.n_unscored,
            missing=items.n_missing,
            users_scored=0 if users is None else len(users.values) - users.n_unscored,
        )
    return writer.run


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
    if config.neighbours:
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
