"""All stages in order, for the command line and for jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from guidedrec_core.config import AblationConfig, BuildConfig, RefinementConfig
from guidedrec_core.data.bundled import ScoreFiles, build_settings
from guidedrec_core.progress import Listener, Progress, as_stage, silent
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.ablation import ablate
from guidedrec_core.stages.base import train_base
from guidedrec_core.stages.common import config_of
from guidedrec_core.stages.data import find_data, score_attributes
from guidedrec_core.stages.evaluation import evaluate
from guidedrec_core.stages.project import project_items
from guidedrec_core.stages.refinement import refine, repeat_refinement
from guidedrec_core.stages.scoring.override import find_scores, overridden


@dataclass(frozen=True)
class Build:
    """The runs of one build.

    Attributes
    ----------
    data, scores, base, refined, evaluation, projection : Run
    """

    data: Run
    scores: Run
    base: Run
    refined: Run
    evaluation: Run
    projection: Run


def build(
    store: RunStore,
    name: str,
    config: BuildConfig,
    files: ScoreFiles | None = None,
    listener: Listener = silent,
) -> Build:
    """Run all stages for a data set; what is stored already is not done again.

    Parameters
    ----------
    store : RunStore
        Where runs are found and stored.
    name : str
        A stored, or bundled, data set.
    config : BuildConfig
        Everything that can be chosen.
    files : ScoreFiles, optional
        Guided scores to read; default are the newest stored ones, else bundled ones. Overrides are laid over either.
    listener : callable
        Hears the progress of each stage.
    """
    listener(Progress("data", message="reading the data set"))
    data = find_data(store, name)
    listener(Progress("scores", message="reading the attribute scores"))
    scores = find_scores(store, data) if files is None else overridden(store, score_attributes(store, data, files))
    base = train_base(store, data, config, listener)
    refined = refine(store, base, scores, config, listener)
    evaluation = evaluate(store, refined, config, listener)
    projection = project_items(store, refined, config, listener)
    return Build(data, scores, base, refined, evaluation, projection)


def build_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Run a build as a job; return the refined run's id.

    Parameters
    ----------
    arguments : mapping
        ``dataset`` (name), and optionally ``config`` (a `BuildConfig` as JSON; default is `build_settings`) and
        ``again_since`` (ISO 8601: models made before are made again; data and scores are read as they are stored).
    home : Path
        The run store's folder.
    listener : callable
        Hears progress.
    """
    name = str(arguments["dataset"])
    config = BuildConfig.parse(arguments.get("config", build_settings(name)))
    since = arguments.get("again_since")
    store = RunStore(home, reuse_since=None if since is None else datetime.fromisoformat(since))
    return build(store, name, config, listener=listener).refined.id


def refine_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Refine anew as a job, from the newest scores with the overrides over them; return the new refined run's id.

    Base model and settings are those of an earlier refined run, which stays as it is, but for what `arguments` change.
    Evaluation and maps follow.

    Parameters
    ----------
    arguments : mapping
        ``run`` (the earlier refined run's id) and optionally ``doubt`` (see `RefinementConfig`) and ``repeat`` (train
        the earlier run again with another seed, too, so that a comparison can tell effect from chance).
    home, listener
        As in `build_task`.
    """
    store = RunStore(home)
    earlier = store.open(str(arguments["run"]), "refined")
    changes = {"doubt": arguments["doubt"]} if "doubt" in arguments else {}
    return refine_again(store, earlier, listener, bool(arguments.get("repeat")), changes).id


def refine_again(
    store: RunStore,
    earlier: Run,
    listener: Listener = silent,
    repeat: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> Run:
    """Refine anew from the newest scores with the overrides over them; evaluate, and lay out the maps.

    Parameters
    ----------
    store : RunStore
        Where runs are.
    earlier : Run
        The refined run whose base model and settings are used.
    listener : callable
        Hears progress.
    repeat : bool
        Train the earlier run again with another seed, too, so that a comparison can tell effect from chance.
    changes : mapping, optional
        Fields of `RefinementConfig` to be used instead.

    Returns
    -------
    Run
        Of stage ``refined``; the earlier one where scores and settings are the same.
    """
    base = store.open(earlier.inputs["base"], "base")
    config = config_of(base, earlier)
    if changes:
        changed = {**config.refinement.model_dump(mode="json"), **changes}
        config = config.model_copy(update={"refinement": RefinementConfig.parse(changed)})
    scores = find_scores(store, store.open(base.inputs["data"], "data"))
    if repeat:
        repeat_refinement(store, earlier, as_stage("repeat", listener))
    refined = refine(store, base, scores, config, listener)
    evaluate(store, refined, config, listener)
    project_items(store, refined, config, listener)
    return refined


def repeat_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Train a refined run again with another seed as a job; return the repeat's id.

    Parameters
    ----------
    arguments : mapping
        ``run`` (a refined run's id).
    home, listener
        As in `build_task`.
    """
    store = RunStore(home)
    refined = store.open(str(arguments["run"]), "refined")
    return repeat_refinement(store, refined, as_stage("repeat", listener)).id


def evaluate_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Evaluate a refined run as a job, and lay out its maps if there are none; return the evaluation's id.

    Parameters
    ----------
    arguments : mapping
        ``run`` (a refined run's id) and optionally ``evaluation`` (an `EvaluationConfig` as JSON).
    home, listener
        As in `build_task`.
    """
    store = RunStore(home)
    refined = store.open(str(arguments["run"]), "refined")
    config = BuildConfig.parse({"evaluation": arguments.get("evaluation", {}), "seed": refined.seed})
    evaluation = evaluate(store, refined, config, listener)
    if store.find("projection", inputs={"refined": refined.id}) is None:
        project_items(store, refined, config, listener)
    return evaluation.id


def ablate_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Ablate the attributes of a refined run as a job; return the ablation's id.

    Parameters
    ----------
    arguments : mapping
        ``run`` (a refined run's id).
    home, listener
        As in `build_task`.
    """
    store = RunStore(home)
    return ablate(store, store.open(str(arguments["run"]), "refined"), AblationConfig(), listener).id
