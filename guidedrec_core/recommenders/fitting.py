"""Training with validation: what base and refined recommenders have in common."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core.config import TrainingConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import TrainingWindows
from guidedrec_core.data.split import Cases
from guidedrec_core.errors import ConfigError
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.models.sequence_model import SequenceModel
from guidedrec_core.progress import Listener
from guidedrec_core.randomness import derive_seed, generator
from guidedrec_core.ranking.ranks import ndcg_at, target_ranks
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.literal import LiteralRefinedModel
from guidedrec_core.training.loop import TrainingResult, train

_MOST_CHOICE_CASES, _FEWEST_CHOICE_CASES = 10_000, 1_000
_CHOICE_NUMBERS = 128 * 1024 * 1024
"""Cases times items at most, as long as there are more than the fewest cases."""


def train_with_validation(
    model: SequenceModel | AdditiveRefinedModel | LiteralRefinedModel,
    data: SplitDataset,
    training: TrainingConfig,
    seed: int,
    purpose: str,
    stage: str,
    listener: Listener,
    checkpoint: Path | None,
) -> TrainingResult:
    """Train a model on the training part, validated on the validation part.

    Parameters
    ----------
    model : SequenceModel, AdditiveRefinedModel or LiteralRefinedModel
        Initialised by the caller; holds the best averaged weights afterwards.
    data : SplitDataset
        Histories and split.
    training : TrainingConfig
        The loop.
    seed : int
        The seed from which those of batches, dropout and validation cases descend.
    purpose : str
        What is trained, so that two trainings with one seed draw different batches.
    stage : str
        Name of the stage in progress events.
    listener : callable
        Receives progress events.
    checkpoint : Path or None
        See `training.loop.train`.
    """
    cases = valid_cases(data)
    if len(cases) > training.validation_cases:
        draw = generator(seed, "validation cases")
        cases = cases.take(np.sort(draw.choice(len(cases), training.validation_cases, replace=False)))
    max_length = model.encoder.config.max_length
    windows = TrainingWindows(data.sequences, data.split.n_train, max_length, training.batch_size)

    def validate() -> float:
        return ndcg(model, data, cases)

    return train(model, windows, validate, training, derive_seed(seed, purpose), stage, listener, checkpoint)


def valid_cases(data: SplitDataset) -> Cases:
    """Return the validation cases.

    Raises
    ------
    ConfigError
        There are none.
    """
    if not len(data.valid_cases):
        raise ConfigError("expected validation cases, got none; users need 3 interactions with different items")
    return data.valid_cases


def choice_cases(data: SplitDataset, seed: int) -> Cases:
    """Return the validation cases that settings of simple models are chosen on: all, or enough of very many.

    Raises
    ------
    ConfigError
        There are none.
    """
    cases = valid_cases(data)
    most = min(_MOST_CHOICE_CASES, max(_FEWEST_CHOICE_CASES, _CHOICE_NUMBERS // data.sequences.n_items))
    if len(cases) <= most:
        return cases
    return cases.take(np.sort(generator(seed, "choice cases").choice(len(cases), most, replace=False)))


def ndcg(model: ItemScorer, data: SplitDataset, cases: Cases) -> float:
    """Return NDCG@10 of some cases."""
    return float(ndcg_at(target_ranks(model, data.sequences, cases), 10).mean())


def curve(result: TrainingResult) -> pd.DataFrame:
    """Tabulate a training curve: ``epoch, loss, ndcg``."""
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
