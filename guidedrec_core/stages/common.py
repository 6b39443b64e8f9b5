"""What the stages share: finding equal runs, naming checkpoints, training with validation."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core import __version__
from guidedrec_core.config import BuildConfig
from guidedrec_core.data.prepared import PreparedData
from guidedrec_core.data.sequences import TrainingWindows
from guidedrec_core.data.split import Cases
from guidedrec_core.errors import ConfigError
from guidedrec_core.models.base import Recommender
from guidedrec_core.progress import Listener
from guidedrec_core.randomness import derive_seed, generator
from guidedrec_core.ranking.ranks import ndcg_at, target_ranks
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.training.loop import TrainingResult, train


def fit(
    model: Any,
    prepared: PreparedData,
    config: BuildConfig,
    purpose: str,
    stage: str,
    listener: Listener,
    checkpoint: Path,
) -> TrainingResult:
    """Train any model on the training part, validated on the valid part."""
    cases = valid_cases(prepared)
    if len(cases) > config.training.validation_cases:
        draw = generator(config.seed, "validation cases")
        cases = cases.take(np.sort(draw.choice(len(cases), config.training.validation_cases, replace=False)))
    encoder_length = model.encoder.config.max_length
    windows = TrainingWindows(prepared.sequences, prepared.split.n_train, encoder_length, config.training.batch_size)

    def validate() -> float:
        return ndcg(model, prepared, cases)

    seed = derive_seed(config.seed, purpose)
    return train(model, windows, validate, config.training, seed, stage, listener, checkpoint)


def valid_cases(prepared: PreparedData) -> Cases:
    """Return the validation cases.

    Raises
    ------
    ConfigError
        There are none.
    """
    if not len(prepared.valid_cases):
        raise ConfigError("expected validation cases, got none; users need 3 interactions with different items")
    return prepared.valid_cases


def ndcg(model: Recommender, prepared: PreparedData, cases: Cases) -> float:
    """Return NDCG@10 of some cases."""
    return float(ndcg_at(target_ranks(model, prepared.sequences, cases), 10).mean())


def config_of(base: Run, refined: Run) -> BuildConfig:
    """Return the settings that a refined run was made with; split and encoder are its base's."""
    return BuildConfig.parse(
        {
            "split": base.config["split"],
            "encoder": base.config["encoder"],
            "training": refined.config["training"],
            "refinement": refined.config["refinement"],
            "seed": refined.seed,
        }
    )


def find_equal(
    store: RunStore, stage: str, config: dict[str, Any], inputs: dict[str, str], seed: int | None
) -> Run | None:
    """Return the stored run that this stage would only repeat."""
    found = store.find(stage, config=config, inputs=inputs, seed=seed)
    return found if found is not None and found.manifest.package_version == __version__ else None


def checkpoint_file(store: RunStore, stage: str, config: dict[str, Any], inputs: dict[str, str], seed: int) -> Path:
    """Return the checkpoint file of exactly this training."""
    identity = json.dumps([stage, config, inputs, seed, __version__], sort_keys=True)
    return store.home / "checkpoints" / f"{stage}-{sha256(identity.encode())[:16]}.safetensors"


def curve(result: TrainingResult) -> pd.DataFrame:
    """Tabulate a training curve."""
    return pd.DataFrame([(e.epoch, e.loss, e.ndcg) for e in result.epochs], columns=["epoch", "loss", "ndcg"])


def training_summary(result: TrainingResult) -> dict[str, Any]:
    """Return the facts of a training for listings."""
    best = result.epochs[result.best_epoch - 1]
    return {
        "epochs": len(result.epochs),
        "best_epoch": result.best_epoch,
        "validation_ndcg": round(best.ndcg, 6),
        "stopped_early": result.stopped_early,
    }


def sha256(content: bytes) -> str:
    """Return the hexadecimal checksum of some bytes."""
    return hashlib.sha256(content).hexdigest()
