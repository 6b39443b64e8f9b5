"""A tiny shop to refine in every mode, over every base."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tiny

from guidedrec_core import stages
from guidedrec_core.config import (
    BaselineConfig,
    BuildConfig,
    EncoderConfig,
    EvaluationConfig,
    ExternalConfig,
    ProjectionConfig,
    RefinementConfig,
    TrainingConfig,
)
from guidedrec_core.data.bundled import ScoreFiles
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.runs.store import Run, RunStore

GRID = BaselineConfig(
    neighbours=(10,), decay=(0.8,), recency_neighbours=(10,), closeness=(0.9,), backward=(0.5,), penalty=(10.0,)
)
CONFIG = BuildConfig(
    encoder=EncoderConfig(width=8, heads=2, feedforward=8, max_length=6),
    training=TrainingConfig(threads=1, max_epochs=2, warmup_steps=4, batch_size=16, device="cpu"),
    evaluation=EvaluationConfig(bootstrap_samples=100, baselines=GRID),
    projection=ProjectionConfig(neighbours=5),
)


class Shop:
    """A tiny shop with user scores, and bases over it.

    Parameters
    ----------
    categories : bool
        Keep the catalogue's categories.
    late : bool
        Let some items be taken only in the last days.
    scores : bool
        Store the guided scores; else `score` does it later.
    """

    def __init__(self, folder: Path, categories: bool = True, late: bool = False, scores: bool = True) -> None:
        files = tiny.write_shop(folder)
        if not categories:
            pd.read_csv(files.catalogue).drop(columns="category").to_csv(files.catalogue, index=False)
        if late:
            table = pd.read_csv(files.interactions)
            new = table["item_id"].isin([f"item-{n:02d}" for n in range(0, 40, 4)])
            days = pd.to_datetime(table["datetime"])
            table["datetime"] = days.where(~new, days + pd.Timedelta(days=7)).dt.strftime("%Y-%m-%d")
            table.to_csv(files.interactions, index=False)
        self.store = RunStore(folder / "home")
        dataset = import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue)
        self.data = stages.store_dataset(self.store, dataset)
        rng = np.random.default_rng(0)
        users = pd.DataFrame(rng.integers(0, 11, (len(dataset.users), 3)), columns=list(tiny.ATTRIBUTES))
        users.insert(0, "user_id", dataset.users.ids)
        users.to_csv(folder / "users.csv", index=False)
        self.files = ScoreFiles(files.scores.attributes, files.scores.item_scores, folder / "users.csv")
        self.vectors = folder / "vectors.npz"
        np.savez(self.vectors, ids=dataset.items.ids.astype(str), vectors=rng.normal(size=(len(dataset.items), 5)))
        if scores:
            self.score()

    def score(self) -> None:
        self.scores = stages.score_attributes(self.store, self.data, self.files)

    def config(self, kind: str = "sasrec", **refinement: Any) -> BuildConfig:
        external = ExternalConfig(item_vectors=(str(self.vectors),)) if kind == "external" else None
        encoder = CONFIG.encoder.model_copy(update={"kind": "sasrec" if external else kind})
        update = {"refinement": RefinementConfig(**refinement), "encoder": encoder, "external": external}
        return CONFIG.model_copy(update=update)

    def base(self, kind: str = "sasrec") -> Run:
        return stages.train_base(self.store, self.data, self.config(kind))

    def refine(self, kind: str = "sasrec", **refinement: Any) -> Run:
        return stages.refine(self.store, self.base(kind), self.scores, self.config(kind, **refinement))
