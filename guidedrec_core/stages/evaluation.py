"""Stage evaluation: every model on the same test cases."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.config import BaselineConfig, BuildConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.errors import ConfigError
from guidedrec_core.evaluation.baselines import fit_baselines
from guidedrec_core.evaluation.highlights import highlights
from guidedrec_core.evaluation.named import named_report
from guidedrec_core.evaluation.report import (
    BASE,
    CATEGORIES,
    GUIDED_ONLY,
    PLACEBO,
    RANDOM_VECTORS,
    REFINED,
    SECOND_TRAINING,
    evaluate_models,
)
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.naming.shares import RANGE
from guidedrec_core.progress import Listener, Progress, StageProgress, silent
from guidedrec_core.ranking.recommend import recommend
from guidedrec_core.recommenders.fitting import choice_cases, ndcg
from guidedrec_core.recommenders.reading import load_base, load_refined
from guidedrec_core.refinement.controls import category_marks
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, config_of, made_once
from guidedrec_core.stages.refinement import refine

_CORE = (SECOND_TRAINING, PLACEBO)
_MORE = (RANDOM_VECTORS, CATEGORIES, GUIDED_ONLY)


def evaluate(store: RunStore, refined: Run, config: BuildConfig, listener: Listener = silent) -> Run:
    """Compare base, refined, controls and simple baselines on the test part, read here and nowhere else.

    Controls that do not exist yet are trained first, with the same settings as the refined model.
    """
    base, scores = store.open(refined.inputs["base"], "base"), store.open(refined.inputs["scores"], "scores")
    grid = config.evaluation.model_copy(update={"baselines": _item_knn_grid(refined, config)})
    same = config_of(base, refined).model_copy(update={"evaluation": grid})
    prepared = load_split_dataset(store, base)
    controls, notices = _controls(prepared, config.evaluation.controls)
    inputs = {BASE: base, REFINED: refined}
    for control in controls:
        inputs[control] = refine(store, base, scores, same, listener, control=control)
    settings = config.evaluation.model_dump(mode="json")
    if prepared.is_temporal:
        settings["counts"] = "train+valid"  # of popularity and item-kNN, see `SplitDataset.refreshed`

    def make(_: Path) -> Run:
        return _measure(store, prepared, inputs, settings, config, notices, listener)

    return made_once(store, Identity("evaluation", settings, inputs, config.seed), make, listener)


def _measure(
    store: RunStore,
    prepared: SplitDataset,
    inputs: Mapping[str, Run],
    settings: Mapping[str, Any],
    config: BuildConfig,
    notices: tuple[Notice, ...],
    listener: Listener,
) -> Run:
    """Measure the base, the refined model and its controls among the inputs, and store what is found."""
    base, scores = inputs[BASE], store.open(inputs[REFINED].inputs["scores"], "scores")
    sequences = prepared.sequences
    base_recommender = load_base(base, prepared)
    listener(Progress("evaluate", message="tuning the simple models on validation data"))
    chosen_on = choice_cases(prepared, inputs[REFINED].seed or 0)
    baselines = fit_baselines(prepared, config.evaluation.baselines, lambda m: ndcg(m, prepared, chosen_on))
    refined_recommender = load_refined(inputs[REFINED], base_recommender, scores)
    controls = [role for role in inputs if role not in (BASE, REFINED)]
    models: dict[str, ItemScorer] = {
        **baselines.models,
        BASE: base_recommender.scorer,
        **{role: load_refined(inputs[role], base_recommender, scores).refined for role in controls},
        REFINED: refined_recommender.refined,
    }
    progress = StageProgress("evaluate", len(models) + 3, listener)
    progress.say("ranking the whole catalogue for every test case")
    report = evaluate_models(
        models,
        sequences,
        prepared.test_cases,
        prepared.item_interactions,
        prepared.split.n_train + prepared.split.n_valid,
        GuidedEmbedding.of(load_scores(scores).values).values,
        prepared.dataset.users.ids,
        prepared.dataset.items.ids,
        config.evaluation,
        config.seed,
        on_model=progress.step,
    )
    lists = []
    for role in (BASE, REFINED):
        everybody = np.arange(sequences.n_users)
        lists.append(recommend(models[role], role, prepared, everybody, config.evaluation.list_length))
        progress.step(f"lists of {role}")
    samples = config.evaluation.bootstrap_samples
    named = named_report(refined_recommender, prepared.test_cases, samples, config.seed)
    progress.step("names")
    with store.create("evaluation", config=settings, inputs=inputs, seed=config.seed) as writer:
        for name in ("metrics", "differences", "cases", "slices", "lists"):
            writer.write_table(name, getattr(report, name))
        writer.write_table("named_ranks", report.cases[[c.USER, c.ITEM]].assign(rank=named.ranks))
        writer.write_table("named_shares", named.shares)
        writer.write_table("named_lines", named.lines)
        writer.write_table("frontier", named.frontier)
        writer.write_table("highlights", highlights(report.cases))
        writer.write_table("recommendations", pd.concat(lists, ignore_index=True))
        writer.write_json("notices", [n.as_dict() for n in (*baselines.notices, *notices)])
        writer.summary.update(
            split=base.config["split"]["kind"],
            baselines=baselines.settings,
            n_cases=len(report.cases),
            n_listed=report.n_listed,
            n_repeats=report.n_repeats,
            n_without_history=report.n_without_history,
            named={"range": RANGE, "penalty": named.penalty, "stable_lines": named.stability},
        )
    return writer.run


def _item_knn_grid(refined: Run, config: BuildConfig) -> BaselineConfig:
    """Return what the item-kNN in a refined model was chosen from, for its controls to choose from the same."""
    stored = refined.config.get("baselines")
    return config.evaluation.baselines if stored is None else BaselineConfig.parse(stored)


def _controls(prepared: SplitDataset, which: str) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
    """Name the controls to be made, and say which one cannot be."""
    if which == "core":
        return _CORE, ()
    try:
        category_marks(prepared.dataset, 1)
    except ConfigError as error:
        left = tuple(control for control in _MORE if control != CATEGORIES)
        return _CORE + left, (Notice("categories_left_out", len(prepared.dataset.items), str(error)),)
    return _CORE + _MORE, ()
