"""Stage audit: whether the explanations of a refined model are true. Nothing is chosen by what is found here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import read_scores
from guidedrec_core.audit.fidelity import attribute_fidelity, history_fidelity
from guidedrec_core.audit.meaning import meaning
from guidedrec_core.audit.planted import planted_truth, truth_of
from guidedrec_core.audit.stability import stability
from guidedrec_core.columns import ITEM
from guidedrec_core.config import AuditConfig
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.data.tables import read_table
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError
from guidedrec_core.evaluation.report import PLACEBO
from guidedrec_core.explanation.question import Question, UserHistory
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.randomness import generator
from guidedrec_core.ranking.ranks import top_lists
from guidedrec_core.recommenders.reading import load_refined, open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.scores import repeated_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, made_once, sha256

FILE, PASSES, STORED = "file", "passes", "stored"
"""Where the scores come from that attributes are held against: judged again; as recorded in scoring; as stored."""


def audit(
    store: RunStore,
    refined: Run,
    config: AuditConfig,
    seed: int,
    reference: Path | None = None,
    listener: Listener = silent,
) -> Run:
    """Ask whether the explanations of a refined model are true.

    Parameters
    ----------
    store : RunStore
        Where it is stored, and the audit will be.
    refined : Run
        Of stage ``refined``.
    config : AuditConfig
        Number of users whose values are tested.
    seed : int
        Of the sample of users and of all resampling.
    reference : Path, optional
        A table of item scores judged again: ``item_id`` and a column for each attribute that was. Without one,
        attributes are held against the recorded passes of scoring, else against the scores as they are stored.
    listener : callable
        Hears progress.

    Returns
    -------
    Run
        With the tables ``meaning`` (see `explanation.meaning.meaning`), ``fidelity`` and ``curves`` (areas and curves
        of `explanation.fidelity`, with ``part``: history or attributes), ``stability`` (the summary of
        `explanation.stability`) and, on the bundled shop, ``planted`` (see `evaluation.planted.planted_truth`); its
        summary says what they rest on.

    Raises
    ------
    DataError
        The reference has no attribute or no item of the data set, or holds what is no score.
    """
    scores = store.open(refined.inputs["scores"], "scores")
    base = store.open(refined.inputs["base"], "base")
    items = Vocabulary(store.open(base.inputs["data"], "data").read_table("catalogue")[ITEM], "item")
    schema = AttributeSchema.parse(scores.read_json("attributes"))
    again = None if reference is None else _read_reference(reference, schema, items)
    reference_file = (
        None if again is None or reference is None else {"file": reference.name, "sha256": sha256(again.tobytes())}
    )
    settings = {**config.model_dump(mode="json"), "reference": reference_file}
    placebo = _placebo(store, refined)
    inputs = {"refined": refined} if placebo is None else {"refined": refined, PLACEBO: placebo}

    def make(_: Path) -> Run:
        return _audit(store, inputs, settings, config, seed, again, listener)

    return made_once(store, Identity("audit", settings, inputs, seed), make, listener)


def _audit(
    store: RunStore,
    inputs: Mapping[str, Run],
    settings: Mapping[str, Any],
    config: AuditConfig,
    seed: int,
    again: np.ndarray | None,
    listener: Listener,
) -> Run:
    """Audit the refined model among the inputs, and store what is found; `again` are scores judged once more."""
    refined, placebo = inputs["refined"], inputs.get(PLACEBO)
    scores = store.open(refined.inputs["scores"], "scores")
    progress = StageProgress("audit", 6, listener)
    progress.say("opening the models")
    system = open_refined(store, refined.id).showing("train+valid")
    data, names = system.data, system.schema.names
    everybody = np.flatnonzero(data.split.n_train > 0)
    draw = generator(seed, "audit users")
    users = np.sort(draw.choice(everybody, min(config.users, len(everybody)), replace=False))
    histories = [data.shown_history(user) for user in users.tolist()]
    tables: dict[str, pd.DataFrame] = {}
    progress.step("does each attribute still mean what its name says?")
    schema = AttributeSchema.parse(scores.read_json("attributes"))
    values, source = _reference(store, scores, schema, again, data.dataset.items)
    places = [schema.index(name) for name in names]
    judged = np.where(system.missing, np.nan, values[:, places])
    stored = np.where(system.missing, np.nan, system.item_scores.values)
    tables["meaning"] = meaning(system.refined, users, histories, judged, stored, names, config.list_length)
    progress.step("do explanations find what shoppers really want?")
    truth, reason = truth_of(data.dataset, names)
    if truth is not None:
        shuffled = None if placebo is None else load_refined(placebo, system.base_recommender, scores).refined
        tables["planted"] = planted_truth(
            system.refined,
            shuffled,
            data,
            users,
            system.item_scores.values,
            truth,
            config.bootstrap_samples,
            generator(seed, "planted truth"),
        )
    progress.step("does removing the named past items change the score?")
    some = _explained(system, draw.permutation(users), config.explained)
    tested = {"history": history_fidelity(system.refined, some, seed=seed, samples=config.bootstrap_samples)}
    progress.step("does removing the named attributes change the score?")
    tested["attributes"] = attribute_fidelity(system.refined, some, seed=seed, samples=config.bootstrap_samples)
    tables["fidelity"] = pd.concat([each.areas.assign(part=part) for part, each in tested.items()], ignore_index=True)
    tables["curves"] = pd.concat([each.curves.assign(part=part) for part, each in tested.items()], ignore_index=True)
    progress.step("do near-identical users get the same reasons?")
    tables["stability"] = stability(system.refined, some, seed=seed, samples=config.bootstrap_samples).summary
    progress.step("done")
    with store.create("audit", config=settings, inputs=inputs, seed=seed) as writer:
        for name, table in tables.items():
            writer.write_table(name, table)
        writer.summary.update(
            users=len(users),
            of_users=len(everybody),
            explained=len(some),
            reference=source,
            judged=int((~np.isnan(judged)).any(axis=1).sum()),
            alarms=int(tables["meaning"]["alarm"].sum()),
            no_planted_truth=reason,
        )
    return writer.run


def audit_task(arguments: Mapping[str, Any], home: Path, listener: Listener) -> str:
    """Audit the explanations of a refined run as a job; return the audit's id.

    Parameters
    ----------
    arguments : mapping
        ``run`` (a refined run's id).
    home : Path
        The run store's folder.
    listener : callable
        Hears progress.
    """
    store = RunStore(home)
    refined = store.open(str(arguments["run"]), "refined")
    return audit(store, refined, AuditConfig(), refined.seed or 0, listener=listener).id


def _explained(system: RefinedRecommender, users: IntArray, count: int) -> list[Question]:
    """Ask about what the first users with a history to choose from are recommended, at most so many.

    A history of one item can be taken away in one order only, which tests nothing.
    """
    shown = [UserHistory.shown(system.data, user) for user in users.tolist()]
    chosen = sorted([given for given in shown if len(given.history) > 1][:count], key=lambda given: given.user)
    who = np.array([given.user for given in chosen], dtype=np.int64)
    lengths = np.array([len(given.history) for given in chosen])
    best = top_lists(system.refined, system.data.sequences, who, lengths, 1)[:, 0]
    return [given.ask(item) for given, item in zip(chosen, best.tolist(), strict=True) if item >= 0]


def _placebo(store: RunStore, refined: Run) -> Run | None:
    """Return the placebo of a refined run's newest evaluation, if there is one."""
    for info in store.list("evaluation"):
        if info.problem is None and info.inputs.get("refined") == refined.id and PLACEBO in info.inputs:
            return store.open(info.inputs[PLACEBO], "refined")
    return None


def _read_reference(path: Path, schema: AttributeSchema, items: Vocabulary) -> np.ndarray:
    """Read scores judged again, ``[n_items, A]``; NaN where an item or attribute was not.

    Raises
    ------
    DataError
        It has none of the attributes; else see `read_scores`.
    """
    columns = read_table(path).columns
    kept = tuple(attribute for attribute in schema.attributes if attribute.name in columns)
    if not kept:
        raise DataError(
            f"expected a column for at least one attribute ({', '.join(schema.names)}) in {path}, "
            f"got {', '.join(map(str, columns))}"
        )
    read, _ = read_scores(path, schema.model_copy(update={"attributes": kept}), items)
    values = np.full((len(items), len(schema)), np.nan, dtype=np.float32)
    values[:, [schema.index(attribute.name) for attribute in kept]] = read.values
    return values


def _reference(
    store: RunStore, scores: Run, schema: AttributeSchema, again: np.ndarray | None, items: Vocabulary
) -> tuple[np.ndarray, str]:
    """Return the scores that attributes are held against, ``[n_items, A]``, and where they come from."""
    if again is not None:
        return again, FILE
    repeated = repeated_scores(store, scores)
    if repeated is None:
        stored: Any = scores.read_array("item_scores", mmap=False)
        return stored, STORED
    values = np.full((len(items), len(schema)), np.nan)
    rows = items.indexes(repeated.item_ids, missing="negative")
    values[rows[rows >= 0]] = repeated.scores()[rows >= 0]
    return values, PASSES
