"""`System`: one refined run opened with everything it was made from, ready to recommend and explain."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores, load_scores
from guidedrec_core.config import EncoderConfig, RefinementConfig, TrainingConfig
from guidedrec_core.data.prepared import PreparedData, load_prepared
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.models.base import Recommender
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.models.sequence_model import SequenceModel
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.runs import Run, RunStore


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
    base : SequenceModel
    refined : AdditiveRefinedModel
    """

    refined_run: Run
    base_run: Run
    scores_run: Run
    data: PreparedData
    schema: AttributeSchema
    item_scores: GuidedScores
    missing: npt.NDArray[np.bool_]
    base: SequenceModel
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


def load_base(run: Run, n_items: int) -> SequenceModel:
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
