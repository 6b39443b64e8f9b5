"""Stage refined: the refined model, or one of its controls, over a base run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core.attributes.scores import load_scores
from guidedrec_core.config import BuildConfig, EncoderConfig, ItemKNNConfig, RefinementConfig, SplitConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.prepared import PreparedData, load_prepared
from guidedrec_core.errors import ConfigError
from guidedrec_core.evaluation.baselines import choose_neighbours
from guidedrec_core.models.base import BaseModel
from guidedrec_core.models.itemknn import ItemKNN
from guidedrec_core.models.registry import make_encoder
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.randomness import derive_seed, generator
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.cold import asks_for_cold, choose_cold_offset
from guidedrec_core.refinement.controls import STAGES, guided_table
from guidedrec_core.refinement.guided import GuidedEmbedding, standardise_user_scores
from guidedrec_core.refinement.literal import LiteralRefinedModel, same_spread
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import checkpoint_file, curve, find_equal, fit, ndcg, training_summary, valid_cases
from guidedrec_core.stages.scoring.passes import doubt_of
from guidedrec_core.stages.system import head_over, load_base, weight_arrays
from guidedrec_core.training.device import settled
from guidedrec_core.vectors.pca import pca

_HEAD_NUMBERS = 64 * 1024 * 1024
"""Validation cases times items that a head is fitted on at most: 256 MiB of float32 a model."""


def refine(
    store: RunStore,
    base: Run,
    scores: Run,
    config: BuildConfig,
    listener: Listener = silent,
    control: str | None = None,
) -> Run:
    """Make the refined model, or one of its controls, over a base run.

    Split and encoder are those of the base run, whatever `config` says, so that both are comparable.

    Raises
    ------
    ConfigError
        Base and scores belong to different data sets, or there are more attributes than the width leaves room for.
    """
    if base.inputs["data"] != scores.inputs["data"]:
        raise ConfigError(
            f"base run {base.id} and scores run {scores.id} belong to different data "
            f"({base.inputs['data']} and {scores.inputs['data']}); make both from one"
        )
    config = config.model_copy(update={"training": settled(config.training)})
    wanted = config.refinement if control is None else config.refinement.model_copy(update={"control": control})
    settings = {"refinement": wanted.model_dump(mode="json"), "training": config.training.model_dump(mode="json")}
    if wanted.neighbours:
        settings["baselines"] = config.evaluation.baselines.model_dump(mode="json")  # item-kNN is chosen from these
    inputs = {"base": base, "scores": scores}
    ids = {role: run.id for role, run in inputs.items()}
    found = find_equal(store, "refined", settings, ids, config.seed)
    if found is not None:
        return found
    prepared = load_prepared(store, base)
    doubt, doubts = (None, ()) if wanted.doubt == "ignore" else doubt_of(store, scores, wanted.attributes)
    guided = guided_table(prepared.dataset, scores, wanted, base.config["encoder"]["width"], config.seed, doubt)
    user_scores, notices = _user_scores(prepared, base, scores, wanted)
    arm = _Arm(
        prepared, base, load_base(base, prepared.sequences.n_items), guided, user_scores, wanted, config, listener
    )
    checkpoint = checkpoint_file(store, "refined", settings, ids, config.seed)
    made = arm.untrained() if wanted.mode == "head" else arm.trained(checkpoint)
    with store.create("refined", config=settings, inputs=inputs, seed=config.seed) as writer:
        for name, arrays in made.arrays.items():
            writer.write_arrays(name, arrays)
        writer.write_arrays("guided", guided.arrays())
        if doubt is not None:
            writer.write_arrays("doubt", {"weights": doubt.weights, "one_pass": doubt.one_pass})
        if made.training is not None:
            writer.write_table("training", made.training)
        if wanted.control == "none":
            writer.write_table("attribute_weights", _named_weights(scores, wanted, made.weights))
        writer.write_json("notices", [n.as_dict() for n in (*notices, *doubts)])
        if made.neighbours is not None:
            writer.write_json("item_knn", made.neighbours.model_dump(mode="json"))
        writer.summary.update(made.summary, control=wanted.control, mode=wanted.mode)
    checkpoint.unlink(missing_ok=True)
    return writer.run


def _user_scores(
    prepared: PreparedData, base: Run, scores: Run, config: RefinementConfig
) -> tuple[np.ndarray | None, list[Notice]]:
    """Return standardised LLM user scores where an arm may use them."""
    foreign = config.control in ("second_training", "categories", "gaussian")
    if foreign or config.mode == "head" or not config.use_user_scores or not scores.config.get("user_scores"):
        return None, []
    # Scores from tables do not say; the README asks for leave-one-out, the default.
    judged = SplitConfig.parse(scores.config["user_scores"].get("split", {}))
    if not _ends_alike(SplitConfig.parse(base.config["split"]), judged):
        message = f"LLM user scores were judged from {judged.kind} training histories; not used with another split"
        return None, [Notice("user_scores_not_used", len(prepared.dataset.users), message)]
    return standardise_user_scores(load_scores(scores, "user").take(config.attributes).values), []


def _ends_alike(one: SplitConfig, other: SplitConfig) -> bool:
    """Tell whether training histories end at the same moments."""
    if one.kind == other.kind == "leave-one-out":
        return True
    first, second = ((split.kind, split.valid_fraction, split.test_fraction) for split in (one, other))
    return first == second


def _named_weights(scores: Run, config: RefinementConfig, weights: np.ndarray) -> pd.DataFrame:
    """Tabulate the learned weight of each attribute used: ``attribute, weight``."""
    names = load_scores(scores).schema.names
    used = range(len(names)) if config.attributes is None else config.attributes
    return pd.DataFrame({"attribute": [names[place] for place in used], "weight": weights.astype(np.float64)})


@dataclass(frozen=True)
class _Made:
    """A finished refined model, ready to be stored."""

    arrays: dict[str, dict[str, np.ndarray]]
    weights: np.ndarray
    training: pd.DataFrame | None
    neighbours: ItemKNNConfig | None
    summary: dict[str, Any]


@dataclass(frozen=True)
class _Arm:
    """What one refined model is made from."""

    prepared: PreparedData
    base: Run
    base_model: BaseModel
    guided: GuidedEmbedding
    user_scores: np.ndarray | None
    config: RefinementConfig
    build: BuildConfig
    listener: Listener

    def trained(self, checkpoint: Path) -> _Made:
        """Train the additive or the literal form."""
        model = self._fresh()
        model.initialise(derive_seed(self.build.seed, "refined weights"))
        result = fit(
            model, self.prepared, self.build, "refined", STAGES[self.config.control], self.listener, checkpoint
        )
        arrays = {"weights": weight_arrays(model), "frozen": model.frozen()}
        return self._weighed(model, arrays, curve(result), training_summary(result))

    def untrained(self) -> _Made:
        """Leave the base model as it is."""
        self.listener(Progress(STAGES[self.config.control], message="weighing attributes on the validation part"))
        return self._weighed(None, {}, None, {})

    def _weighed(
        self, trained: Any, arrays: dict[str, Any], training: pd.DataFrame | None, summary: dict[str, Any]
    ) -> _Made:
        """Choose on the validation part all that is chosen there."""
        # Controls without attributes get the same freedom, so that no arm wins by an offset alone.
        ranks_cold = self._cold_items() is not None
        beside = self._neighbours()
        head = head_over(self.base_model, trained, self.guided, self.config, self.prepared, ranks_cold, beside)
        head.fit(*head_cases(self.prepared, self.build.seed))
        if head.cold.any():
            head.cold_offset = choose_cold_offset(head, head.cold, self.prepared, valid_cases(self.prepared))
            summary = {**summary, "cold_items": int(head.cold.sum()), "cold_offset": head.cold_offset}
        shares = dict(zip(head.models, head.learned.models.tolist(), strict=True))
        summary = {**summary, "head": {**shares, "popularity": head.learned.popularity.tolist()}}
        neighbours = None if beside is None else beside.config
        return _Made({**arrays, "head": head.arrays()}, head.weights(), training, neighbours, summary)

    def _neighbours(self) -> ItemKNN | None:
        """Choose item-kNN, if it shall stand beside the model; never where scores shall stand alone."""
        if not self.config.neighbours or self.config.control == "guided_only":
            return None
        cases, grid = valid_cases(self.prepared), self.build.evaluation.baselines
        return choose_neighbours(self.prepared, grid, lambda m: ndcg(m, self.prepared, cases))

    def _fresh(self) -> AdditiveRefinedModel | LiteralRefinedModel:
        """Create the untrained model."""
        encoder = EncoderConfig.parse(self.base.config["encoder"])
        n_attributes = self.guided.values.shape[1]
        room = encoder.width - n_attributes
        if room <= 0:
            raise ConfigError(
                f"expected fewer attributes than the embedding width, got {n_attributes} attributes and width "
                f"{encoder.width}; use fewer attributes or a wider base model (--width)"
            )
        embedding = self.base_model.item_embedding()
        reduced = pca(embedding, min(room, *embedding.shape))
        module, bias = make_encoder(encoder, self.build.seed), self.base_model.item_bias()
        if self.config.mode == "literal":
            if self.config.control == "guided_only":
                reduced = np.zeros_like(reduced)
            # A narrow base leaves columns empty, so that the module keeps its width.
            reduced = np.pad(same_spread(reduced), ((0, 0), (0, room - reduced.shape[1])))
            users = np.zeros((len(self.prepared.dataset.users), n_attributes), np.float32)
            start = users if self.user_scores is None else self.user_scores
            return LiteralRefinedModel(module, self.guided, reduced, bias, start)
        if self.config.control == "guided_only":
            reduced = reduced[:, :0]
        return AdditiveRefinedModel(
            module, self.guided, reduced, bias, self.config, self.user_scores, self._cold_items()
        )

    def _cold_items(self) -> np.ndarray | None:
        """Say which items have no training event, if items shall hang on their guided scores; else None."""
        if self.config.cold == "off":
            return None
        cold: np.ndarray = self.prepared.item_interactions == 0
        asked = self.config.cold == "anchored" or asks_for_cold(cold, valid_cases(self.prepared))
        return cold if asked else None


def head_cases(prepared: PreparedData, seed: int) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Return users, histories and targets of the validation cases that a head is fitted on; all, if they are not many.

    Parameters
    ----------
    prepared : PreparedData
        Histories and split.
    seed : int
        Of the draw.
    """
    sequences = prepared.sequences
    cases = prepared.valid_cases
    most = max(1, _HEAD_NUMBERS // sequences.n_items)
    drawn = cases.take(np.sort(generator(seed, "head cases").permutation(len(cases))[:most]))
    shown = zip(drawn.users.tolist(), drawn.lengths.tolist(), strict=True)
    return drawn.users, [sequences.history(user, length) for user, length in shown], drawn.targets
