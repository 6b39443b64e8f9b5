"""Stage refined: the refined recommender, one of its controls, or a repeat, over a base run."""

from dataclasses import replace
from pathlib import Path

from guidedrec_core.config import BaselineConfig, BuildConfig
from guidedrec_core.errors import ConfigError
from guidedrec_core.progress import Listener, silent
from guidedrec_core.recommenders.reading import load_base
from guidedrec_core.recommenders.refiner import Refiner
from guidedrec_core.recommenders.writing import refined_settings
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.library import REPEAT
from guidedrec_core.runs.scores import load_aligned_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, config_of, made_once
from guidedrec_core.stages.scoring.passes import doubt_of
from guidedrec_core.training.device import resolve_device


def refine(
    store: RunStore,
    base: Run,
    scores: Run,
    config: BuildConfig,
    listener: Listener = silent,
    control: str | None = None,
    repeat: bool = False,
) -> Run:
    """Make the refined recommender, or one of its controls, over a base run.

    Split and encoder are those of the base run, whatever `config` says, so that both are comparable. A `repeat` is the
    same with the next seed; it is not offered for study, and serves to tell what chance in training changes.

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
    wanted = config.refinement if control is None else config.refinement.model_copy(update={"control": control})
    training, baselines = resolve_device(config.training), config.evaluation.baselines
    settings = refined_settings(wanted, training, baselines)
    seed = config.seed
    if repeat:
        settings, seed = {**settings, REPEAT: True}, config.seed + 1
    inputs = {"base": base, "scores": scores}

    def make(checkpoint: Path) -> Run:
        data = load_split_dataset(store, base)
        doubt, doubts = (None, ()) if wanted.doubt == "ignore" else doubt_of(store, scores, wanted.attributes)
        refiner = Refiner.of(wanted, training, baselines, seed)
        given = load_base(base, data), load_aligned_scores(scores)
        made = refiner.fit(data, *given, doubt=doubt, listener=listener, checkpoint=checkpoint)
        return replace(made, notices=(*made.notices, *doubts)).write(store, settings, inputs)

    return made_once(store, Identity("refined", settings, inputs, seed), make, listener)


def repeat_refinement(store: RunStore, refined: Run, listener: Listener = silent) -> Run:
    """Train a refined run again with the next seed, from the same base and scores.

    Parameters
    ----------
    store : RunStore
        Where it is.
    refined : Run
        Of stage ``refined``.
    listener : callable
        Hears progress.
    """
    base, scores = store.open(refined.inputs["base"], "base"), store.open(refined.inputs["scores"], "scores")
    config = config_of(base, refined)
    if "baselines" in refined.config:  # from which item-kNN was chosen
        grid = config.evaluation.model_copy(update={"baselines": BaselineConfig.parse(refined.config["baselines"])})
        config = config.model_copy(update={"evaluation": grid})
    return refine(store, base, scores, config, listener, repeat=True)
