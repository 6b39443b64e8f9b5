"""`System`: one refined run opened with everything it was made from, ready to recommend and explain."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores, load_scores
from guidedrec_core.config import EncoderConfig, ItemKNNConfig, RefinementConfig, TrainingConfig
from guidedrec_core.data.prepared import PreparedData, load_prepared
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.models.base import BaseModel, Recommender
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.models.itemknn import ItemKNN
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.literal import LiteralRefinedModel
from guidedrec_core.refinement.refined import RefinedModel
from guidedrec_core.runs.store import Run, RunStore


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
        The attributes the model uses, in column order.
    item_scores : GuidedScores
        Raw scores of all items on these.
    missing : ndarray of bool
        ``[n_items, A]``; where the model uses the attribute's mean for want of a score.
    base : BaseModel
    refined : RefinedModel
    """

    refined_run: Run
    base_run: Run
    scores_run: Run
    data: PreparedData
    schema: AttributeSchema
    item_scores: GuidedScores
    missing: npt.NDArray[np.bool_]
    base: BaseModel
    refined: RefinedModel

    @classmethod
    def open(cls, store: RunStore, run_id: str) -> "System":
        """Open a refined run and all its inputs, checking that they belong together."""
        run = store.open(run_id, "refined")
        base_run = store.open(run.inputs["base"], "base")
        scores_run = store.open(run.inputs["scores"], "scores")
        data = load_prepared(store, base_run)
        scores = load_scores(scores_run).take(RefinementConfig.parse(run.config["refinement"]).attributes)
        torch.set_num_threads(TrainingConfig.parse(run.config["training"]).threads)
        base = load_base(base_run, data.sequences.n_items)
        return cls(
            refined_run=run,
            base_run=base_run,
            scores_run=scores_run,
            data=data,
            schema=scores.schema,
            item_scores=scores,
            missing=run.read_arrays("guided")["missing"].astype(bool),
            base=base,
            refined=load_refined(run, base_run, base, data),
        )

    def model(self, name: str) -> Recommender:
        """Return ``"base"`` or ``"refined"``."""
        models: dict[str, Recommender] = {"base": self.base, "refined": self.refined}
        if name not in models:
            raise UnknownIdError(f"unknown model {name!r}; there are {', '.join(models)}")
        return models[name]


def load_base(run: Run, n_items: int) -> BaseModel:
    """Load a base model."""
    if "external" in run.config:
        return ExternalModel.from_arrays(run.read_arrays("weights"), run.summary["similarity"], run.summary["decay"])
    model = make_base(EncoderConfig.parse(run.config["encoder"]), n_items, seed=0)
    model.load_state_dict(_tensors(run))
    model.eval()
    return model


def load_refined(run: Run, base_run: Run, base: BaseModel, data: PreparedData) -> RefinedModel:
    """Load a refined model of any mode, or one of its controls, over its base model."""
    config = RefinementConfig.parse(run.config["refinement"])
    encoder = EncoderConfig.parse(base_run.config["encoder"])
    table = run.read_arrays("guided")
    none = np.zeros(0, np.float32)
    guided = GuidedEmbedding(table["values"], table["missing"].astype(bool), none, none, table.get("moments"))
    trained: Any = None
    if config.mode != "head":
        tensors, frozen = _tensors(run), run.read_arrays("frozen")
        module, bias = make_encoder(encoder, seed=0), tensors["bias"].numpy()
        if config.mode == "literal":
            trained = LiteralRefinedModel(module, guided, frozen["reduced"], bias, tensors["users"].numpy())
        else:
            cold = frozen["cold"].astype(bool) if "cold" in frozen else None
            reduced, user_scores = tensors["reduced"].numpy(), frozen.get("user_scores")
            trained = AdditiveRefinedModel(module, guided, reduced, bias, config, user_scores, cold)
        trained.load_state_dict(tensors)
        trained.eval()
    learned = run.read_arrays("head")
    beside = None
    if "item_knn.json" in run.manifest.files:
        beside = item_knn(ItemKNNConfig.parse(run.read_json("item_knn")), up_to_date(data))
    head = head_over(base, trained, guided, config, data, bool(learned["ranks_cold"][0]), beside)
    head.load(learned)
    return with_newer_counts(head, data, config)


def up_to_date(data: PreparedData) -> PreparedData:
    """Return the data as of the end of the validation period, where there is one; see `PreparedData.refreshed`."""
    return data.refreshed if data.is_temporal else data


def with_newer_counts(head: HeadModel, data: PreparedData, config: RefinementConfig) -> HeadModel:
    """Bring a fitted head's popularity up to date for what comes after validation; item-kNN is left to the caller."""
    return head.refreshed(_interactions(up_to_date(data), config), head.neighbours)


def head_over(
    base: BaseModel,
    trained: Any,
    guided: GuidedEmbedding,
    config: RefinementConfig,
    data: PreparedData,
    ranks_cold: bool = False,
    beside: ItemKNN | None = None,
) -> HeadModel:
    """Put a head, not yet fitted, on a base model, and on a trained refined model and item-kNN, if there are any.

    In the guided-only control the base model has no say.
    """
    embedding = base.item_embedding() if trained is None else trained.item_remainders()
    frozen = None if config.control == "guided_only" else base
    return HeadModel(frozen, trained, embedding, guided, _interactions(data, config), config, ranks_cold, beside)


def _interactions(data: PreparedData, config: RefinementConfig) -> np.ndarray:
    """Count training interactions of each item, ``[n_items, P]``: all, and those of late where time allows."""
    trend = config.trend if data.is_temporal else ()
    return np.stack([data.item_interactions, *(data.faded_interactions(h) for h in trend)], axis=1)


def item_knn(config: ItemKNNConfig, data: PreparedData) -> ItemKNN:
    """Fit item-kNN on the training part."""
    return ItemKNN(*data.train_pairs, data.sequences.n_users, data.sequences.n_items, config)


def weight_arrays(model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return a model's trained tensors as arrays, ready to store."""
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def _tensors(run: Run) -> dict[str, Any]:
    """Read trained tensors from a run."""
    return {name: torch.from_numpy(value) for name, value in run.read_arrays("weights").items()}
