"""Stage sparsity: what is left of the gain where histories are shorter."""

from dataclasses import replace

import pandas as pd

from guidedrec_core.config import SparsityConfig
from guidedrec_core.errors import ConfigError
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.base import train_base
from guidedrec_core.stages.common import Identity, config_of, made_once
from guidedrec_core.stages.evaluation import evaluate
from guidedrec_core.stages.refinement import refine


def measure_sparsity(store: RunStore, refined: Run, config: SparsityConfig, listener: Listener = silent) -> Run:
    """Train base, refined model and both controls on shorter histories, and evaluate each on the same test part.

    Of each user's training history the latest share is kept, in training and in what the models are shown. A held-out
    item that stood in the dropped part counts as new, so the number of cases may differ a little between shares.

    Returns
    -------
    Run
        With the tables ``metrics`` and ``differences``, as in an evaluation, with a column ``share`` and
        ``interactions`` (in training, in all).

    Raises
    ------
    ConfigError
        The base is external: it cannot be trained on shorter histories.
    """
    base = store.open(refined.inputs["base"], "base")
    if "external" in base.config:
        raise ConfigError("an external base cannot be trained on shorter histories; use a base that guidedrec trains")
    settings = config.model_dump(mode="json")
    identity = Identity("sparsity", settings, {"refined": refined}, refined.seed)
    return made_once(store, identity, lambda _: _measure(store, refined, config, listener), listener)


def _measure(store: RunStore, refined: Run, config: SparsityConfig, listener: Listener) -> Run:
    """Make and evaluate the models for each share, and store what is found."""
    base, scores = store.open(refined.inputs["base"], "base"), store.open(refined.inputs["scores"], "scores")
    data = store.open(base.inputs["data"], "data")
    build = config_of(base, refined)
    inputs, metrics, differences = {"refined": refined}, [], []
    for number, share in enumerate(config.shares):
        hear = _within(listener, number, len(config.shares), share)
        split = build.split.model_copy(update={"history_share": share})
        own_training = build.training.parse(base.config["training"])
        shorter = train_base(store, data, build.model_copy(update={"split": split, "training": own_training}), hear)
        evaluation = evaluate(store, refine(store, shorter, scores, build, hear), build, hear)
        inputs[f"evaluation_{100 * share:g}".replace(".", "_")] = evaluation
        interactions = int(load_split_dataset(store, shorter).split.n_train.sum())
        metrics.append(evaluation.read_table("metrics").assign(share=share, interactions=interactions))
        differences.append(evaluation.read_table("differences").assign(share=share, interactions=interactions))
    settings = config.model_dump(mode="json")
    with store.create("sparsity", config=settings, inputs=inputs, seed=refined.seed) as writer:
        writer.write_table("metrics", pd.concat(metrics, ignore_index=True))
        writer.write_table("differences", pd.concat(differences, ignore_index=True))
        writer.summary.update(shares=", ".join(f"{100 * share:g} %" for share in config.shares))
    return writer.run


def _within(listener: Listener, number: int, total: int, share: float) -> Listener:
    """Tell what happens for one share as a part of this stage."""

    def hear(event: Progress) -> None:
        message = f"{100 * share:g} % of each history: {event.stage}"
        listener(replace(event, stage="sparsity", step=number, total=total, message=f"{message}, {event.message}"))

    return hear
