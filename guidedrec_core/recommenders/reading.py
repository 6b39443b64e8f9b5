"""How base and refined recommenders are read from runs; the weights and scores are those that were written."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from guidedrec_core.config import (
    BaselineConfig,
    EncoderConfig,
    ItemKNNConfig,
    RefinementConfig,
    TrainingConfig,
)
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import RunCorruptError
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.recommenders.base import BaseRecommender
from guidedrec_core.recommenders.external import External
from guidedrec_core.recommenders.heads import facts_of, head_over, item_knn, up_to_date, with_newer_counts
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.recommenders.sequence import SequenceRecommender
from guidedrec_core.recommenders.writing import split_path
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.literal import LiteralRefinedModel
from guidedrec_core.refinement.named import NamedRefinedModel
from guidedrec_core.reliability.doubt import Doubt
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.library import find_entry
from guidedrec_core.runs.manifest import ID
from guidedrec_core.runs.scores import load_aligned_scores
from guidedrec_core.runs.store import Run, RunStore


def open_recommender(path: str | Path) -> RefinedRecommender:
    """Open a stored refined recommender.

    Parameters
    ----------
    path : path
        ``HOME/NAME``: a folder of runs, and the name of a data set in it, whose newest refined run is opened; or the id
        of a refined run in place of the name.

    Raises
    ------
    NotFoundError
        There is no such run; the message says what to do.
    RunCorruptError
        A file of it, or of a run that it was made from, is missing or damaged.

    Examples
    --------
    >>> open_recommender("runs/no-such-data")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    guidedrec_core.errors.NotFoundError: no data set named 'no-such-data'; ...
    """
    store, name = split_path(path)
    return open_refined(store, name if ID.fullmatch(name) else find_entry(store, name).run.id)


def open_refined(store: RunStore, run_id: str) -> RefinedRecommender:
    """Open a refined run with all it was made from, checking that these belong together."""
    run = store.open(run_id, "refined")
    base_run = store.open(run.inputs["base"], "base")
    scores_run = store.open(run.inputs["scores"], "scores")
    data = load_split_dataset(store, base_run)
    return load_refined(run, load_base(base_run, data), scores_run)


def load_base(run: Run, data: SplitDataset) -> BaseRecommender:
    """Load a base recommender over the data that it was fitted on."""
    encoder, training = EncoderConfig.parse(run.config["encoder"]), TrainingConfig.parse(run.config["training"])
    seed = int(run.seed or 0)
    if "external" in run.config:
        vectors = ExternalModel.from_arrays(run.read_arrays("weights"), run.summary["similarity"], run.summary["decay"])
        base: BaseRecommender = External.stored(run.config["external"], encoder, training, seed).fitted(data, vectors)
    else:
        model = make_base(encoder, data.sequences.n_items, seed=0)
        model.load_state_dict(_tensors(run))
        model.eval()
        base = SequenceRecommender.of(encoder, training, seed).fitted(data, model)
        base.curve = run.read_table("training")
    base.summary = dict(run.summary)
    base.notices = _notices(run)
    return base


def load_refined(run: Run, base: BaseRecommender, scores: Run) -> RefinedRecommender:
    """Load a refined recommender of any mode, or one of its controls, over its base recommender."""
    config = RefinementConfig.parse(run.config["refinement"])
    table = run.read_arrays("guided")
    none = np.zeros(0, np.float32)
    guided = GuidedEmbedding(table["values"], table["missing"].astype(bool), none, none, table.get("moments"))
    files = run.manifest.files
    learned = run.read_arrays("head")
    neighbours = ItemKNNConfig.parse(run.read_json("item_knn")) if "item_knn.json" in files else None
    data = base.data
    newest = None if neighbours is None else item_knn(neighbours, up_to_date(data))
    trained, ranks_cold = _trained(run, config, base, guided), bool(learned["ranks_cold"][0])
    head = head_over(base.scorer, trained, guided, config, data, ranks_cold, newest)
    head.load(learned)
    doubt = run.read_arrays("doubt") if "doubt.safetensors" in files else None
    return RefinedRecommender(
        data=data.showing("full"),
        base_recommender=base,
        refined=with_newer_counts(head, data, config),
        scores=load_aligned_scores(scores),
        guided=guided,
        config=config,
        training=TrainingConfig.parse(run.config["training"]),
        baselines=BaselineConfig.parse(run.config.get("baselines", {})),
        seed=int(run.seed or 0),
        doubt=None if doubt is None else Doubt(doubt["weights"], doubt["one_pass"], 0),
        neighbours=neighbours,
        curve=run.read_table("training") if "training.parquet" in files else None,
        summary=dict(run.summary),
        notices=_notices(run),
        run_id=run.id,
    )


def _trained(
    run: Run, config: RefinementConfig, base: BaseRecommender, guided: GuidedEmbedding
) -> AdditiveRefinedModel | LiteralRefinedModel | None:
    """Load the trained model under a head; None where nothing was trained."""
    if config.mode == "head":
        return None
    tensors, frozen = _tensors(run), run.read_arrays("frozen")
    module, bias = make_encoder(base.encoder, seed=0), tensors["bias"].numpy()
    if config.mode == "named":
        facts = facts_of(base.data, config).values
        if len(facts.T) != len(tensors["fact_bias"]):
            raise RunCorruptError(
                f"refined run {run.id} was trained on {len(tensors['fact_bias'])} columns of facts, but its data has "
                f"{len(facts.T)}; refine again"
            )
        named = NamedRefinedModel(module, guided, facts, config, frozen.get("user_scores"), frozen["cold"].astype(bool))
        named.load_state_dict(tensors)
        named.eval()
        return named
    model: AdditiveRefinedModel | LiteralRefinedModel
    if config.mode == "literal":
        model = LiteralRefinedModel(module, guided, frozen["reduced"], bias, config, tensors["users"].numpy())
    else:
        cold = frozen["cold"].astype(bool) if "cold" in frozen else None
        reduced, user_scores = tensors["reduced"].numpy(), frozen.get("user_scores")
        model = AdditiveRefinedModel(module, guided, reduced, bias, config, user_scores, cold)
    model.load_state_dict(tensors)
    model.eval()
    return model


def _tensors(run: Run) -> dict[str, Any]:
    """Read trained tensors from a run."""
    return {name: torch.from_numpy(value) for name, value in run.read_arrays("weights").items()}


def _notices(run: Run) -> tuple[Notice, ...]:
    """Read what was odd."""
    return tuple(Notice(**notice) for notice in run.read_json("notices"))
