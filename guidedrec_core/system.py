"""`System`: one refined run opened with everything it was made from, ready to recommend and explain."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.config import EncoderConfig, RefinementConfig, SplitConfig, TrainingConfig
from guidedrec_core.data import dataset as datasets
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.sequences import IntArray, Sequences
from guidedrec_core.data.split import Cases, Split
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.models.base import Recommender
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.models.sasrec import SASRec
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.runs import Run, RunStore


@dataclass(frozen=True)
class PreparedData:
    """A data set with its histories indexed and cut.

    Attributes
    ----------
    run : Run
        The run of stage ``data``.
    dataset : Dataset
        Interactions and catalogue.
    sequences : Sequences
        Histories as item indexes.
    split : Split
        Train, valid and test.
    """

    run: Run
    dataset: Dataset
    sequences: Sequences
    split: Split

    @classmethod
    def of(cls, run: Run, split: SplitConfig) -> "PreparedData":
        """Load and cut a stored data set."""
        dataset = datasets.load(run)
        sequences = Sequences.of(dataset.interactions, dataset.users, dataset.items)
        return cls(run, dataset, sequences, Split.of(sequences, split))

    @cached_property
    def train_pairs(self) -> tuple[IntArray, IntArray]:
        """User and item index of every training interaction."""
        lengths = self.sequences.lengths
        users = np.repeat(np.arange(self.sequences.n_users), lengths)
        position = np.arange(len(users)) - self.sequences.starts[users]
        train = position < self.split.n_train[users]
        return users[train], self.sequences.items[train]

    @cached_property
    def item_interactions(self) -> IntArray:
        """Training interactions of each item, ``[n_items]``."""
        return np.bincount(self.train_pairs[1], minlength=self.sequences.n_items).astype(np.int64)

    def shown_length(self, user: int, with_valid: bool = True) -> int:
        """Return how many leading interactions a model may see of a user: train, or train and valid."""
        return int(self.split.n_train[user] + (self.split.n_valid[user] if with_valid else 0))

    def shown_history(self, user: int, with_valid: bool = True) -> IntArray:
        """Return the item indexes a model may see of a user."""
        return self.sequences.history(user, self.shown_length(user, with_valid))

    def held_out(self, user: int) -> IntArray:
        """Return a user's test items that are new to the user, in time order."""
        history = self.sequences.history(user)
        shown = self.shown_length(user)
        return np.array([i for i in history[shown:] if i not in history[:shown]], dtype=np.int64)

    @cached_property
    def test_cases(self) -> Cases:
        """Held-out interactions of the test part."""
        return self.split.cases(self.sequences, "test")


@dataclass(frozen=True)
class System:
    """Base and refined recommender with their data, scores and schema.

    Attributes
    ----------
    refined_run, base_run, scores_run : Run
        What it was opened from.
    data : PreparedData
        Histories and catalogue.
    schema : AttributeSchema
        The attributes, in column order.
    item_scores : GuidedScores
        Raw scores of all items.
    missing : ndarray of bool
        ``[n_items, A]``; where the model uses the attribute's mean for want of a score.
    base : SASRec
    refined : AdditiveRefinedModel
    """

    refined_run: Run
    base_run: Run
    scores_run: Run
    data: PreparedData
    schema: AttributeSchema
    item_scores: GuidedScores
    missing: npt.NDArray[np.bool_]
    base: SASRec
    refined: AdditiveRefinedModel

    @classmethod
    def open(cls, store: RunStore, run_id: str) -> "System":
        """Open a refined run and all its inputs, checking that they belong together."""
        run = store.open(run_id, "refined")
        base_run = store.open(run.inputs["base"], "base")
        scores_run = store.open(run.inputs["scores"], "scores")
        data = load_prepared(store, base_run)
        scores = load_scores(scores_run)
        torch.set_num_threads(TrainingConfig.parse(run.config["training"]).threads)
        return cls(
            refined_run=run,
            base_run=base_run,
            scores_run=scores_run,
            data=data,
            schema=scores.schema,
            item_scores=scores,
            missing=run.read_arrays("guided")["missing"].astype(bool),
            base=load_base(base_run, data.sequences.n_items),
            refined=load_refined(run, base_run),
        )

    def model(self, name: str) -> Recommender:
        """Return ``"base"`` or ``"refined"``."""
        models: dict[str, Recommender] = {"base": self.base, "refined": self.refined}
        if name not in models:
            raise UnknownIdError(f"unknown model {name!r}; there are {', '.join(models)}")
        return models[name]


def load_prepared(store: RunStore, base_run: Run) -> PreparedData:
    """Load the data a base run was trained on, cut as it was then."""
    return PreparedData.of(store.open(base_run.inputs["data"], "data"), SplitConfig.parse(base_run.config["split"]))


def load_scores(run: Run, kind: str = "item") -> GuidedScores:
    """Load raw scores of items or users from a run of stage ``scores``."""
    schema = AttributeSchema.parse(run.read_json("attributes"))
    return GuidedScores(run.read_array(f"{kind}_scores", mmap=False), schema)


def load_base(run: Run, n_items: int) -> SASRec:
    """Load a trained base model."""
    model = make_base(EncoderConfig.parse(run.config["encoder"]), n_items, seed=0)
    model.load_state_dict(_tensors(run))
    model.eval()
    return model


def load_refined(run: Run, base_run: Run) -> AdditiveRefinedModel:
    """Load a trained refined model, or one of its controls."""
    encoder = EncoderConfig.parse(base_run.config["encoder"])
    frozen, tensors = run.read_arrays("guided"), _tensors(run)
    model = AdditiveRefinedModel(
        make_encoder(encoder, seed=0),
        encoder.width,
        encoder.max_length,
        guided=frozen["values"],
        reduced=tensors["reduced"].numpy(),
        bias=tensors["bias"].numpy(),
        config=RefinementConfig.parse(run.config["refinement"]),
        user_scores=frozen.get("user_scores"),
    )
    model.load_state_dict(tensors)
    model.eval()
    return model


def weight_arrays(model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return a model's trained tensors as arrays, ready to store."""
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def _tensors(run: Run) -> dict[str, Any]:
    """Read trained tensors from a run."""
    return {name: torch.from_numpy(value) for name, value in run.read_arrays("weights").items()}
