"""`Refiner`: makes a refined recommender, or one of its controls, of a base recommender and guided scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core.attributes.scores import AlignedScores, Scores
from guidedrec_core.config import BaselineConfig, RefinementConfig, SplitConfig, TrainingConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import ConfigError
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.models.registry import make_encoder
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.randomness import derive_seed
from guidedrec_core.recommenders.base import BaseRecommender
from guidedrec_core.recommenders.fitting import (
    choice_cases,
    curve,
    ndcg,
    train_with_validation,
    training_summary,
    valid_cases,
)
from guidedrec_core.recommenders.heads import facts_of, head_cases, head_over, with_newer_counts
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.recommenders.selection import choose_neighbours
from guidedrec_core.recommenders.settings import by_part
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.cold import asks_for_cold, choose_cold_offset
from guidedrec_core.refinement.controls import STAGES, guided_table
from guidedrec_core.refinement.guided import GuidedEmbedding, standardise_user_scores
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_choice import HeadCases, fit_chosen
from guidedrec_core.refinement.literal import LiteralRefinedModel, same_spread
from guidedrec_core.refinement.named import NamedRefinedModel
from guidedrec_core.reliability.doubt import Doubt
from guidedrec_core.training.device import resolve_device
from guidedrec_core.vectors.pca import pca

Trained = AdditiveRefinedModel | LiteralRefinedModel | NamedRefinedModel


class Refiner:
    """Guided embedding refinement (arXiv 2504.11658), in the form that ``mode`` chooses.

    Parameters
    ----------
    seed : int, optional
        The seed from which all others descend; the base recommender's by default.
    baselines : BaselineConfig, optional
        The grid from which item-kNN is chosen, unless ``neighbours="off"``.
    **settings
        Fields of `RefinementConfig` (``mode``, ``decay``, ``control``, ...) and of `TrainingConfig`; those of the
        training loop that are not given are the base recommender's, so that both are comparable.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.

    Examples
    --------
    >>> Refiner(mode="head").refinement.mode
    'head'
    """

    def __init__(self, *, seed: int | None = None, baselines: BaselineConfig | None = None, **settings: Any) -> None:
        parts = by_part("Refiner", settings, {"refinement": RefinementConfig, "training": TrainingConfig})
        self.refinement = RefinementConfig.parse(parts["refinement"])
        TrainingConfig.parse(parts["training"])
        self.training: Mapping[str, Any] = parts["training"]
        self.baselines = baselines or BaselineConfig()
        self.seed = seed

    @classmethod
    def of(
        cls, refinement: RefinementConfig, training: TrainingConfig, baselines: BaselineConfig, seed: int
    ) -> "Refiner":
        """Create a refiner of whole configurations."""
        made = cls(seed=seed, baselines=baselines)
        made.refinement, made.training = refinement, training.model_dump()
        return made

    def fit(
        self,
        data: SplitDataset,
        base: BaseRecommender,
        scores: Scores | AlignedScores,
        *,
        doubt: Doubt | None = None,
        listener: Listener = silent,
        checkpoint: Path | None = None,
    ) -> RefinedRecommender:
        """Refine a base recommender with guided scores.

        Parameters
        ----------
        data : SplitDataset
            What the base recommender was fitted on.
        base : BaseRecommender
            SASRec, GRU4Rec, BERT4Rec or External, fitted; it stays as it is.
        scores : Scores or AlignedScores
            Guided scores of items, and of users where there are any.
        doubt : Doubt, optional
            How far each score on the attributes used counts, with ``doubt="shrink"``.
        listener : callable
            Receives progress events.
        checkpoint : Path, optional
            File to resume an interrupted training from.

        Raises
        ------
        ConfigError
            The base recommender has no vectors, or there are more attributes than its width leaves room for.
        NotFittedError
            The base recommender was not fitted yet.
        DataError
            It was fitted on other data, no id of the scores is in the data set, or an attribute tells no items apart.
        """
        if not isinstance(base, BaseRecommender):
            raise ConfigError(
                f"expected a base recommender with vectors (SASRec, GRU4Rec, BERT4Rec or External), got "
                f"{type(base).__name__}; refine one of these"
            )
        base.fitted_scorer(data)
        aligned = scores.align(data.dataset) if isinstance(scores, Scores) else scores
        config = self.refinement
        seed = base.seed if self.seed is None else self.seed
        training = resolve_device(TrainingConfig.parse({**base.training.model_dump(), **self.training}))
        guided = guided_table(data.dataset, aligned.items, config, base.encoder.width, seed, doubt)
        users, notices = _user_scores(data, aligned, config)
        arm = _Arm(data, base, guided, users, config, training, self.baselines, seed, listener)
        made = arm.untrained() if config.mode == "head" else arm.trained(checkpoint)
        return RefinedRecommender(
            data=data.showing("full"),
            base_recommender=base,
            refined=with_newer_counts(made.head, data, config, made.neighbours),
            scores=aligned,
            guided=guided,
            config=config,
            training=training,
            baselines=self.baselines,
            seed=seed,
            doubt=doubt,
            neighbours=made.neighbours,
            curve=made.curve,
            summary={**made.summary, "control": config.control, "mode": config.mode},
            notices=(*notices, *made.notices),
        )


def _user_scores(
    data: SplitDataset, scores: AlignedScores, config: RefinementConfig
) -> tuple[np.ndarray | None, list[Notice]]:
    """Return standardised LLM user scores where an arm may use them."""
    foreign = config.control in ("second_training", "categories", "random_vectors")
    if foreign or config.mode == "head" or not config.use_user_scores or scores.users is None:
        return None, []
    if not _ends_alike(data.config, scores.user_split):
        kind = scores.user_split.kind
        message = f"LLM user scores were judged from {kind} training histories; not used with another split"
        return None, [Notice("user_scores_not_used", len(data.dataset.users), message)]
    return standardise_user_scores(scores.users.take(config.attributes).values), []


def _ends_alike(one: SplitConfig, other: SplitConfig) -> bool:
    """Tell whether training histories end at the same moments."""
    if one.kind == other.kind == "leave-one-out":
        return True
    first, second = ((split.kind, split.valid_fraction, split.test_fraction) for split in (one, other))
    return first == second


@dataclass(frozen=True)
class _Made:
    """A fitted head with what it stands on, and how it came about."""

    head: HeadModel
    neighbours: Any
    curve: pd.DataFrame | None
    summary: dict[str, Any]
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class _Arm:
    """What one refined model, or one of its controls, is made from."""

    data: SplitDataset
    base: BaseRecommender
    guided: GuidedEmbedding
    user_scores: np.ndarray | None
    config: RefinementConfig
    training: TrainingConfig
    baselines: BaselineConfig
    seed: int
    listener: Listener

    def trained(self, checkpoint: Path | None) -> _Made:
        """Train the additive or the literal form."""
        model = self._fresh()
        model.initialise(derive_seed(self.seed, "refined weights"))
        stage = STAGES[self.config.control]
        result = train_with_validation(
            model, self.data, self.training, self.seed, "refined", stage, self.listener, checkpoint
        )
        return self._with_head(model, curve(result), training_summary(result))

    def untrained(self) -> _Made:
        """Leave the base model as it is."""
        self.listener(Progress(STAGES[self.config.control], message="fitting attribute weights on validation data"))
        return self._with_head(None, None, {})

    def _with_head(self, model: Trained | None, training: pd.DataFrame | None, summary: dict[str, Any]) -> _Made:
        """Fit the head, and choose on the validation part all that is chosen there."""
        # Controls without attributes get the same freedom, so that no arm wins by an offset alone.
        ranks_cold = self._cold_items() is not None
        base = self.base.scorer
        head = head_over(base, model, self.guided, self.config, self.data, ranks_cold, self._neighbours())
        cases = HeadCases(*head_cases(self.data, self.seed))
        choice = fit_chosen(head, cases, self.seed, self.config.neighbours)
        # Where items are named columns, cold ones are ranked by them unless validation knows better.
        if head.cold.any() and (self.config.mode != "named" or asks_for_cold(head.cold, valid_cases(self.data))):
            head.cold_offset = choose_cold_offset(head, head.cold, self.data, valid_cases(self.data))
            summary = {**summary, "cold_items": int(head.cold.sum()), "cold_offset": head.cold_offset}
        shares = dict(zip(head.models, head.learned.models.tolist(), strict=True))
        summary = {**summary, "head": {**shares, "popularity": head.learned.popularity.tolist()}}
        summary = {**summary, "head_choice": choice.summary()}
        knn: Any = head.neighbours
        settings = None if knn is None else knn.config
        return _Made(head, settings, training, summary, (*choice.notices, *head.notices()))

    def _neighbours(self) -> ItemKNNModel | None:
        """Choose the settings of item-kNN, unless it is not wanted, or scores are to stand alone."""
        if self.config.neighbours == "off" or self.config.control == "guided_only":
            return None
        cases = choice_cases(self.data, self.seed)
        return choose_neighbours(self.data, self.baselines, lambda model: ndcg(model, self.data, cases))

    def _fresh(self) -> Trained:
        """Create the untrained model."""
        encoder = self.base.encoder
        n_attributes = self.guided.values.shape[1]
        if self.config.mode == "named":
            facts = facts_of(self.data, self.config)
            cold: np.ndarray = self.data.item_interactions == 0
            module = make_encoder(encoder, self.seed)
            return NamedRefinedModel(module, self.guided, facts.values, self.config, self.user_scores, cold)
        room = encoder.width - n_attributes
        if room <= 0:
            raise ConfigError(
                f"expected fewer attributes than the embedding width, got {n_attributes} attributes and width "
                f"{encoder.width}; use fewer attributes or a wider base model (--width)"
            )
        embedding = self.base.scorer.item_embedding()
        reduced = pca(embedding, min(room, *embedding.shape))
        module, bias = make_encoder(encoder, self.seed), self.base.scorer.item_bias()
        if self.config.mode == "literal":
            if self.config.control == "guided_only":
                reduced = np.zeros_like(reduced)
            # A narrow base leaves columns empty, so that the module keeps its width.
            reduced = np.pad(same_spread(reduced), ((0, 0), (0, room - reduced.shape[1])))
            users = np.zeros((len(self.data.dataset.users), n_attributes), np.float32)
            start = users if self.user_scores is None else self.user_scores
            return LiteralRefinedModel(module, self.guided, reduced, bias, self.config, start)
        if self.config.control == "guided_only":
            reduced = reduced[:, :0]
        return AdditiveRefinedModel(
            module, self.guided, reduced, bias, self.config, self.user_scores, self._cold_items()
        )

    def _cold_items(self) -> np.ndarray | None:
        """Mark the items without training events where items depend on their guided scores; else None."""
        if self.config.cold == "off":
            return None
        cold: np.ndarray = self.data.item_interactions == 0
        wanted = (
            self.config.cold == "anchored" or self.config.mode == "named" or asks_for_cold(cold, valid_cases(self.data))
        )
        return cold if wanted else None
