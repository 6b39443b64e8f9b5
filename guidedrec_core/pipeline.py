"""The pipeline: one function a stage, each from runs to a run. The command line, jobs and tests all call these.

A stage whose configuration, seed, inputs and package version equal a stored run's is not done again: the stored run is
returned, because it would come out the same. So a build that was interrupted goes on where it was, and interrupted
training goes on from its last epoch.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core import __version__
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import load_scores, read_scores
from guidedrec_core.config import BuildConfig, EncoderConfig, RefinementConfig
from guidedrec_core.data import dataset as datasets
from guidedrec_core.data.bundled import BUNDLED, ScoreFiles, build_settings, bundled_dataset, bundled_scores
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.prepared import PreparedData, load_prepared
from guidedrec_core.data.sequences import TrainingWindows
from guidedrec_core.data.split import Cases
from guidedrec_core.errors import ConfigError, NotFoundError
from guidedrec_core.evaluation.baselines import fit_baselines
from guidedrec_core.evaluation.highlights import highlights
from guidedrec_core.evaluation.report import (
    BASE,
    PLACEBO,
    REFINED,
    SECOND_TRAINING,
    evaluate_models,
)
from guidedrec_core.explanation.spaces import ItemSpace
from guidedrec_core.library import no_dataset
from guidedrec_core.models.base import Recommender
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.models.training import TrainingResult, train
from guidedrec_core.progress import Listener, Progress, StageProgress, silent
from guidedrec_core.projection import project
from guidedrec_core.randomness import derive_seed, generator
from guidedrec_core.ranking import ndcg_at, target_ranks
from guidedrec_core.recommend import recommend
from guidedrec_core.reduction import pca
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding, standardise_user_scores
from guidedrec_core.runs import Run, RunStore
from guidedrec_core.system import load_base, load_refined, weight_arrays

_CONTROL_STAGES = {"none": "refine", "second_training": "second training", "shuffled": "placebo"}


def store_dataset(store: RunStore, dataset: Dataset) -> Run:
    """Store a data set; the same content under the same name is stored once."""
    config = {"name": dataset.name, "source": dict(dataset.source), "content": _content_hash(dataset)}
    found = _find(store, "data", config, {}, None)
    if found is not None:
        return found
    with store.create("data", config=config) as writer:
        datasets.save(dataset, writer)
        facts = dataset.describe()
        writer.summary.update({k: facts[k] for k in ("name", "users", "items", "interactions", "first", "last")})
    return writer.run


def find_data(store: RunStore, name: str) -> Run:
    """Return the newest stored data set of a name; a bundled one is stored at first use.

    Raises
    ------
    NotFoundError
        There is none; the message says how to get it.
    """
    for info in store.list("data"):
        if info.problem is None and info.config.get("name") == name:
            return store.open(info.id, "data")
    if name in BUNDLED:
        return store_dataset(store, bundled_dataset(name))
    raise no_dataset(store, name)


def score_attributes(store: RunStore, data: Run, files: ScoreFiles) -> Run:
    """Store a data set's guided scores, read from tables.

    Raises
    ------
    ConfigError, DataError
        The schema or a table is wrong; see `read_scores`.
    """
    schema = AttributeSchema.read(files.attributes)
    dataset = datasets.load(data)
    items, notices = read_scores(files.item_scores, schema, dataset.items)
    users = None
    if files.user_scores is not None:
        users, user_notices = read_scores(files.user_scores, schema, dataset.users)
        notices = (*notices, *user_notices)
    config = {
        "attributes": schema.model_dump(mode="json"),
        "item_scores": {"file": files.item_scores.name, "sha256": _sha256(items.values.tobytes())},
        "user_scores": files.user_scores
        and users
        and {"file": files.user_scores.name, "sha256": _sha256(users.values.tobytes())},
    }
    found = _find(store, "scores", config, {"data": data.id}, None)
    if found is not None:
        return found
    with store.create("scores", config=config, inputs={"data": data}) as writer:
        writer.write_json("attributes", schema.model_dump(mode="json"))
        writer.write_array("item_scores", items.values)
        if users is not None:
            writer.write_array("user_scores", users.values)
        writer.write_json("notices", [n.as_dict() for n in notices])
        writer.summary.update(
            attributes=len(schema),
            schema_hash=schema.hash(),
            items=len(items.values),
            scored=len(items.values) - items.n_unscored,
            missing=items.n_missing,
            users_scored=0 if users is None else len(users.values) - users.n_unscored,
        )
    return writer.run


def find_scores(store: RunStore, data: Run) -> Run:
    """Return the newest stored scores of a data set; bundled ones are stored at first use.

    Raises
    ------
    NotFoundError
        There are none; the message says how to bring some.
    """
    found = store.find("scores", inputs={"data": data.id})
    if found is not None:
        return found
    name = str(data.config["name"])
    files = bundled_scores(name)
    if files is None:
        raise NotFoundError(
            f"data set {name!r} has no guided scores; bring a table with "
            f"`guidedrec score {name} --attributes attributes.json --item-scores scores.csv`"
        )
    return score_attributes(store, data, files)


def train_base(store: RunStore, data: Run, config: BuildConfig, listener: Listener = silent) -> Run:
    """Train a base model on the training part; it never sees a guided score."""
    settings = {name: getattr(config, name).model_dump(mode="json") for name in ("split", "encoder", "training")}
    found = _find(store, "base", settings, {"data": data.id}, config.seed)
    if found is not None:
        return found
    prepared = PreparedData.of(data, config.split)
    model = make_base(config.encoder, prepared.sequences.n_items, config.seed)
    checkpoint = _checkpoint(store, "base", settings, {"data": data.id}, config.seed)
    result = _fit(model, prepared, config, "base", "train base", listener, checkpoint)
    with store.create("base", config=settings, inputs={"data": data}, seed=config.seed) as writer:
        writer.write_arrays("weights", weight_arrays(model))
        writer.write_table("training", _curve(result))
        writer.summary.update(_training_summary(result))
    checkpoint.unlink(missing_ok=True)
    return writer.run


def refine(
    store: RunStore,
    base: Run,
    scores: Run,
    config: BuildConfig,
    listener: Listener = silent,
    control: str | None = None,
) -> Run:
    """Train the refined model, or one of its controls, over a base run.

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
    settings = {"refinement": wanted.model_dump(mode="json"), "training": config.training.model_dump(mode="json")}
    inputs = {"base": base, "scores": scores}
    ids = {role: run.id for role, run in inputs.items()}
    found = _find(store, "refined", settings, ids, config.seed)
    if found is not None:
        return found
    prepared = load_prepared(store, base)
    model, guided, user_scores, notices = _make_refined(prepared, base, scores, wanted, config.seed)
    checkpoint = _checkpoint(store, "refined", settings, ids, config.seed)
    stage = _CONTROL_STAGES[wanted.control]
    result = _fit(model, prepared, config, "refined", stage, listener, checkpoint)
    with store.create("refined", config=settings, inputs=inputs, seed=config.seed) as writer:
        writer.write_arrays("weights", weight_arrays(model))
        frozen: dict[str, np.ndarray] = {"values": guided.values, "missing": guided.missing.astype(np.uint8)}
        writer.write_arrays("guided", frozen if user_scores is None else {**frozen, "user_scores": user_scores})
        writer.write_table("training", _curve(result))
        writer.write_json("notices", [n.as_dict() for n in notices])
        writer.summary.update(_training_summary(result), control=wanted.control)
    checkpoint.unlink(missing_ok=True)
    return writer.run


def evaluate(store: RunStore, refined: Run, config: BuildConfig, listener: Listener = silent) -> Run:
    """Compare base, refined, controls and simple baselines on the test part, read here and nowhere else.

    Controls that do not exist yet are trained first, with the same settings as the refined model.
    """
    base, scores = store.open(refined.inputs["base"], "base"), store.open(refined.inputs["scores"], "scores")
    same = config.model_copy(
        update={
            "refinement": RefinementConfig.parse(refined.config["refinement"]),
            "training": config.training.parse(refined.config["training"]),
            "seed": refined.seed,
        }
    )
    second = refine(store, base, scores, same, listener, control="second_training")
    placebo = refine(store, base, scores, same, listener, control="shuffled")
    inputs = {BASE: base, REFINED: refined, SECOND_TRAINING: second, PLACEBO: placebo}
    settings = config.evaluation.model_dump(mode="json")
    ids = {role: run.id for role, run in inputs.items()}
    found = _find(store, "evaluation", settings, ids, config.seed)
    if found is not None:
        return found
    prepared = load_prepared(store, base)
    sequences, n_items = prepared.sequences, prepared.sequences.n_items
    valid_cases = prepared.split.cases(sequences, "valid")
    listener(Progress("evaluate", message="choosing the settings of simple baselines on the validation part"))
    baselines = fit_baselines(prepared, config.evaluation.baselines, lambda m: _ndcg(m, prepared, valid_cases))
    models: dict[str, Recommender] = {
        **baselines.models,
        BASE: load_base(base, n_items),
        **{role: load_refined(inputs[role], base) for role in (SECOND_TRAINING, PLACEBO, REFINED)},
    }
    progress = StageProgress("evaluate", len(models) + 2, listener)
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
    with store.create("evaluation", config=settings, inputs=inputs, seed=config.seed) as writer:
        for name in ("metrics", "differences", "cases", "slices", "lists"):
            writer.write_table(name, getattr(report, name))
        writer.write_table("highlights", highlights(report.cases))
        writer.write_table("recommendations", pd.concat(lists, ignore_index=True))
        writer.write_json("notices", [n.as_dict() for n in baselines.notices])
        writer.summary.update(
            split=base.config["split"]["kind"],
            baselines=baselines.settings,
            n_cases=len(report.cases),
            n_listed=report.n_listed,
            n_repeats=report.n_repeats,
            n_without_history=report.n_without_history,
        )
    return writer.run


def project_items(store: RunStore, refined: Run, config: BuildConfig, listener: Listener = silent) -> Run:
    """Lay out the base and the refined item space on comparable maps."""
    base = store.open(refined.inputs["base"], "base")
    settings, inputs = config.projection.model_dump(mode="json"), {"base": base, "refined": refined}
    found = _find(store, "projection", settings, {role: run.id for role, run in inputs.items()}, config.seed)
    if found is not None:
        return found
    listener(Progress("project", message="laying out both maps; UMAP does not tell how far it is"))
    n_items = load_prepared(store, base).sequences.n_items
    guided, reduced, _ = load_refined(refined, base).item_parts()
    base_space = ItemSpace.base(load_base(base, n_items).item_embedding())
    result = project(base_space, ItemSpace.refined(guided, reduced), config.projection, config.seed)
    with store.create("projection", config=settings, inputs=inputs, seed=config.seed) as writer:
        for name in ("base", "refined", "base_neighbours", "refined_neighbours", "overlap"):
            writer.write_array(name, getattr(result, name))
        writer.summary.update(items=n_items, neighbours_kept=float(result.overlap.mean()))
    return writer.run


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
    """Do all stages for a data set; what is stored already is not done again.

    Parameters
    ----------
    store : RunStore
        Where runs are found and stored.
    name : str
        A stored, or bundled, data set.
    config : BuildConfig
        Everything that can be chosen.
    files : ScoreFiles, optional
        Guided scores to read; default are the newest stored ones, else bundled ones.
    listener : callable
        Hears the progress of each stage.
    """
    listener(Progress("data", message="reading the data set"))
    data = find_data(store, name)
    listener(Progress("scores", message="reading guided scores"))
    scores = find_scores(store, data) if files is None else score_attributes(store, data, files)
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
        ``dataset`` (name) and optionally ``config`` (a `BuildConfig` as JSON; default is `build_settings`).
    home : Path
        The run store's folder.
    listener : callable
        Hears progress.
    """
    name = str(arguments["dataset"])
    config = BuildConfig.parse(arguments.get("config", build_settings(name)))
    return build(RunStore(home), name, config, listener=listener).refined.id


def _make_refined(
    prepared: PreparedData, base: Run, scores: Run, config: RefinementConfig, seed: int
) -> tuple[AdditiveRefinedModel, GuidedEmbedding, np.ndarray | None, list[Notice]]:
    """Create the untrained refined model of an arm."""
    encoder = EncoderConfig.parse(base.config["encoder"])
    guided = GuidedEmbedding.of(load_scores(scores).values, config.normalisation)
    if config.control == "shuffled":
        guided = guided.shuffled(generator(seed, "placebo"))
    elif config.control == "second_training":
        guided = guided.take([])
    n_attributes = guided.values.shape[1]
    if n_attributes >= encoder.width:
        raise ConfigError(
            f"expected fewer attributes than the embedding width, got {n_attributes} attributes and width "
            f"{encoder.width}; use fewer attributes or a wider base model (--width)"
        )
    notices: list[Notice] = []
    user_scores = None
    if config.use_user_scores and scores.config.get("user_scores") and n_attributes:
        if base.config["split"]["kind"] == "leave-one-out":
            user_scores = standardise_user_scores(load_scores(scores, "user").values)
        else:
            message = "LLM user scores were judged from leave-one-out training histories; not used with another split"
            notices.append(Notice("user_scores_not_used", len(prepared.dataset.users), message))
    base_model = load_base(base, prepared.sequences.n_items)
    model = AdditiveRefinedModel(
        make_encoder(encoder, seed),
        encoder.width,
        encoder.max_length,
        guided.values,
        pca(base_model.item_embedding(), min(encoder.width - n_attributes, prepared.sequences.n_items)),
        base_model.item_bias(),
        config,
        user_scores,
    )
    model.initialise(derive_seed(seed, "refined weights"))
    return model, guided, user_scores, notices


def _fit(
    model: Any,
    prepared: PreparedData,
    config: BuildConfig,
    purpose: str,
    stage: str,
    listener: Listener,
    checkpoint: Path,
) -> TrainingResult:
    """Train any model on the training part, validated on the valid part."""
    cases = prepared.split.cases(prepared.sequences, "valid")
    if not len(cases):
        raise ConfigError("expected validation cases, got none; users need 3 interactions with different items")
    encoder_length = model.encoder.config.max_length
    windows = TrainingWindows(prepared.sequences, prepared.split.n_train, encoder_length, config.training.batch_size)

    def validate() -> float:
        return _ndcg(model, prepared, cases)

    seed = derive_seed(config.seed, purpose)
    return train(model, windows, validate, config.training, seed, stage, listener, checkpoint)


def _ndcg(model: Recommender, prepared: PreparedData, cases: Cases) -> float:
    """Return NDCG@10 of some cases."""
    return float(ndcg_at(target_ranks(model, prepared.sequences, cases), 10).mean())


def _find(store: RunStore, stage: str, config: dict[str, Any], inputs: dict[str, str], seed: int | None) -> Run | None:
    """Return the stored run that this stage would only repeat."""
    found = store.find(stage, config=config, inputs=inputs, seed=seed)
    return found if found is not None and found.manifest.package_version == __version__ else None


def _checkpoint(store: RunStore, stage: str, config: dict[str, Any], inputs: dict[str, str], seed: int) -> Path:
    """Return the checkpoint file of exactly this training."""
    identity = json.dumps([stage, config, inputs, seed, __version__], sort_keys=True)
    return store.home / "checkpoints" / f"{stage}-{_sha256(identity.encode())[:16]}.safetensors"


def _curve(result: TrainingResult) -> pd.DataFrame:
    """Tabulate a training curve."""
    return pd.DataFrame([(e.epoch, e.loss, e.ndcg) for e in result.epochs], columns=["epoch", "loss", "ndcg"])


def _training_summary(result: TrainingResult) -> dict[str, Any]:
    """Return the facts of a training for listings."""
    best = result.epochs[result.best_epoch - 1]
    return {
        "epochs": len(result.epochs),
        "best_epoch": result.best_epoch,
        "validation_ndcg": round(best.ndcg, 6),
        "stopped_early": result.stopped_early,
    }


def _content_hash(dataset: Dataset) -> str:
    """Name a data set's content."""
    hashes = [
        pd.util.hash_pandas_object(f, index=False).to_numpy()
        for f in (dataset.interactions.frame, dataset.catalogue.frame)
    ]
    return _sha256(np.concatenate(hashes).tobytes())


def _sha256(content: bytes) -> str:
    """Return the hexadecimal checksum of some bytes."""
    return hashlib.sha256(content).hexdigest()
