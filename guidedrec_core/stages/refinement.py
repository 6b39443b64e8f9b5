"""Stage refined: the refined recommender, or one of its controls, over a base run."""

from dataclasses import replace
from pathlib import Path

from guidedrec_core.config import BuildConfig
from guidedrec_core.errors import ConfigError
from guidedrec_core.progress import Listener, silent
from guidedrec_core.recommenders.reading import load_base
from guidedrec_core.recommenders.refiner import Refiner
from guidedrec_core.recommenders.writing import refined_settings
from guidedrec_core.runs.datasets import load_split_dataset
from guidedrec_core.runs.scores import load_aligned_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, made_once
from guidedrec_core.stages.scoring.passes import doubt_of
from guidedrec_core.training.device import resolve_device


def refine(
    store: RunStore,
    base: Run,
    scores: Run,
    config: BuildConfig,
    listener: Listener = silent,
    control: str | None = None,
) -> Run:
    """Make the refined recommender, or one of its controls, over a base run.

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
    wanted = config.refinement if control is None else config.refinement.model_copy(update={"control": control})
    training, baselines = resolve_device(config.training), config.evaluation.baselines
    settings = refined_settings(wanted, training, baselines)
    inputs = {"base": base, "scores": scores}

    def make(checkpoint: Path) -> Run:
        data = load_split_dataset(store, base)
        doubt, doubts = (None, ()) if wanted.doubt == "ignore" else doubt_of(store, scores, wanted.attributes)
        refiner = Refiner.of(wanted, training, baselines, config.seed)
        given = load_base(base, data), load_aligned_scores(scores)
        made = refiner.fit(data, *given, doubt=doubt, listener=listener, checkpoint=checkpoint)
        return replace(made, notices=(*made.notices, *doubts)).write(store, settings, inputs)

    return made_once(store, Identity("refined", settings, inputs, config.seed), make, listener)
