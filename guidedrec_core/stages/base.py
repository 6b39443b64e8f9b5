"""Stage base: a base recommender is trained, or made of vectors that the user brings. It never sees a guided score."""

from pathlib import Path

from guidedrec_core.config import BuildConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.progress import Listener, silent
from guidedrec_core.recommenders.base import BaseRecommender
from guidedrec_core.recommenders.external import External
from guidedrec_core.recommenders.sequence import SequenceRecommender
from guidedrec_core.recommenders.writing import base_settings, write_base
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, made_once


def train_base(store: RunStore, data: Run, config: BuildConfig, listener: Listener = silent) -> Run:
    """Train a base model on the training part, or read an external one."""
    base: BaseRecommender
    if config.external is not None:
        base = External.of(config.external, config.encoder, config.training, config.seed)
    else:
        base = SequenceRecommender.of(config.encoder, config.training, config.seed)
    settings = base_settings(base, config.split.model_dump(mode="json"))

    def make(checkpoint: Path) -> Run:
        base.fit(SplitDataset.of(load_dataset(data), config.split), listener=listener, checkpoint=checkpoint)
        return write_base(store, base, settings, data)

    return made_once(store, Identity("base", settings, {"data": data}, config.seed), make, listener)
