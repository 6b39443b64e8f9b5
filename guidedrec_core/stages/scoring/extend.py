"""One more attribute for scores that are there: only it is scored, all else stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.config import ScoringConfig, SplitConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.discovery.proposal import with_attribute
from guidedrec_core.errors import InputError
from guidedrec_core.llm.chat import Chat
from guidedrec_core.progress import Listener, silent
from guidedrec_core.reliability.repeated import disagreement
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.scores import load_scores, newest_scores, repeated_scores
from guidedrec_core.runs.store import Run, RunStore, RunWriter
from guidedrec_core.scoring.offline import offline_scores
from guidedrec_core.scoring.prompts import PROMPT_VERSION, Kind
from guidedrec_core.scoring.scorer import Scorer
from guidedrec_core.stages.common import Identity, fitted_once, sha256
from guidedrec_core.stages.scoring.score import ScoredPart, ask_all, chat_client, listings_of, reply_cache
from guidedrec_core.vectors.text import Embed

FloatArray = npt.NDArray[np.float32]

_WRITTEN_ANEW = {
    *("attributes.json", "item_scores.npy", "user_scores.npy", "notices.json", "faults.parquet"),
    *("item_passes.npy", "item_positions.npy", "item_disagreement.npy"),
}


def add_attribute(
    store: RunStore,
    scores: Run,
    attribute: Attribute,
    config: ScoringConfig,
    listener: Listener = silent,
    client: Chat | None = None,
    embed: Embed | None = None,
    origin: Mapping[str, Any] | None = None,
) -> Run:
    """Score one more attribute, and store it behind those that are scored already, whose scores stay as they are.

    Users are scored, too, where they are on the other attributes. Answers that are kept are not paid for again, e.g.
    those of a trial.

    Parameters
    ----------
    store : RunStore
        Where runs and answers are.
    scores : Run
        Of stage ``scores``, without overrides.
    attribute : Attribute
        The new one.
    config : ScoringConfig
        The language model, and how it is asked.
    listener : callable
        Hears progress; may raise `JobCancelledError`.
    client : Chat, optional
        What answers; default is the server of `config`.
    embed : callable, optional
        A text model, called `config.model`, in place of a language model; it cannot score users.
    origin : mapping, optional
        Where the attribute comes from, as JSON; it is stored with the scores.

    Returns
    -------
    Run
        Of stage ``scores``, with the new attribute last; the given one where it has the attribute already.

    Raises
    ------
    JobCancelledError
        The listener asked to stop; nothing is stored but the answers.
    InputError
        Another attribute has this name, or the budget was reached.
    ConfigError, ServiceError
        As `score_with_llm`.
    """
    old = load_scores(scores)
    if attribute.name in old.schema.names:
        if old.schema.attributes[old.schema.index(attribute.name)] == attribute:
            return scores
        raise InputError(
            f"expected a new attribute, {attribute.name!r} is scored already, with other texts; give it another name"
        )
    data = store.open(scores.inputs["data"], "data")
    schema = with_attribute(old.schema, attribute)
    alone = schema.model_copy(update={"attributes": schema.attributes[-1:]})
    if embed is None:
        parts = _asked(store, data, scores, alone, config, listener, client)
    else:
        parts = [_read(data, schema, config, embed, listener)]
    return _extended(store, scores, data, schema, parts, config, origin or {})


@dataclass(frozen=True, eq=False)
class _Column:
    """Scores of items or users on the new attribute, and what is to be said of them."""

    kind: Kind
    passes: FloatArray
    """``[passes, n]``"""
    values: FloatArray
    """``[n]``, the median over passes."""
    faults: list[tuple[str, ...]]
    """``kind, id, reason``"""
    notices: list[Notice]


def _asked(
    store: RunStore,
    data: Run,
    scores: Run,
    alone: AttributeSchema,
    config: ScoringConfig,
    listener: Listener,
    client: Chat | None,
) -> list[_Column]:
    """Ask a language model about items and, where they are scored, users."""
    dataset, about_users = load_dataset(data), scores.config.get("user_scores")
    kinds: tuple[Kind, ...] = ("item", "user") if about_users else ("item",)
    split = SplitConfig.parse((about_users or {}).get("split", {}))
    read = {kind: listings_of(data, config, kind, split) for kind in kinds}
    listings = {kind: listed for kind, (listed, _) in read.items()}
    vocabularies = {"item": dataset.items, "user": dataset.users}
    with reply_cache(store) as cache:
        asked = Identity("scores", {"schema": alone.hash(), "model": config.model}, {"data": data}, None)
        with fitted_once(store, asked, listener, room=0):
            results = ask_all(cache, alone, config, listings, client or chat_client(config), listener)
        parts = [
            ScoredPart(
                kind=kind,
                vocabulary=vocabularies[kind],
                listings=listings[kind],
                notices=read[kind][1],
                result=result,
                in_all=Scorer(cache, alone, config, kind).recorded(listings[kind]),
            )
            for kind, result in results.items()
        ]
    found = []
    for part in parts:
        part.is_worth_keeping(config, keep_partial=False)  # raises where the run cannot go on
        found.append(
            _Column(
                part.kind,
                part.whole(part.result.passes_values)[..., 0],
                part.whole(part.result.values)[:, 0],
                [(part.kind, *fault) for fault in part.result.faults.items()],
                part.all_notices(config),
            )
        )
    return found


def _read(data: Run, schema: AttributeSchema, config: ScoringConfig, embed: Embed, listener: Listener) -> _Column:
    """Let a text model score the items, as it does in a trial."""
    listings, notices = listings_of(data, config)
    values, _ = offline_scores(schema, listings, embed, listener=listener)
    items = load_dataset(data).items
    column = np.full(len(items), np.nan, dtype=np.float32)
    column[items.indexes([listing.id for listing in listings])] = values[:, -1]
    return _Column("item", column[None], column, [], list(notices))


def _extended(
    store: RunStore,
    scores: Run,
    data: Run,
    schema: AttributeSchema,
    parts: list[_Column],
    config: ScoringConfig,
    origin: Mapping[str, Any],
) -> Run:
    """Store the new column behind the others."""
    columns = {part.kind: part for part in parts}
    items = np.column_stack([load_scores(scores).values, columns["item"].values]).astype(np.float32)
    users = None
    if "user_scores.npy" in scores.manifest.files:
        given = load_scores(scores, "user").values
        new = columns["user"].values if "user" in columns else np.full(len(given), np.nan, dtype=np.float32)
        users = np.column_stack([given, new]).astype(np.float32)
    attribute = schema.attributes[-1]
    added = {
        "attribute": attribute.name,
        "scored_by": config.model,
        "columns": list(config.columns),
        "prompt_version": PROMPT_VERSION,
        **origin,
    }
    settings = {
        **scores.config,
        "attributes": schema.model_dump(mode="json"),
        "item_scores": {**(scores.config.get("item_scores") or {}), "sha256": sha256(items.tobytes())},
        "user_scores": None if users is None else {**scores.config["user_scores"], "sha256": sha256(users.tobytes())},
        "added": [*scores.config.get("added", []), added],
    }
    newest = newest_scores(store, data)
    if newest is not None and newest.config == settings:
        return newest
    inputs = {"data": data, "extends": scores}
    with store.create("scores", config=settings, inputs=inputs) as writer:
        writer.copy_files(scores, scores.manifest.files.keys() - _WRITTEN_ANEW)
        writer.write_json("attributes", schema.model_dump(mode="json"))
        writer.write_array("item_scores", items)
        if users is not None:
            writer.write_array("user_scores", users)
        _write_passes(store, scores, data, columns["item"], writer)
        faults = [fault for part in parts for fault in part.faults]
        if "faults.parquet" in scores.manifest.files or faults:
            table = pd.DataFrame(faults, columns=["kind", "id", "reason"], dtype="str")
            earlier = scores.read_table("faults") if "faults.parquet" in scores.manifest.files else table.iloc[:0]
            writer.write_table("faults", pd.concat([earlier, table], ignore_index=True))
        notices = [notice.as_dict() for part in parts for notice in part.notices]
        known = scores.read_json("notices")
        writer.write_json("notices", [*known, *(notice for notice in notices if notice not in known)])
        counted = GuidedScores(items, schema)
        writer.summary.update(
            {
                **scores.summary,
                "attributes": len(schema),
                "schema_hash": schema.hash(),
                "scored": len(items) - counted.n_unscored,
                "missing": counted.n_missing,
                "added": attribute.name,
            }
        )
    return writer.run


def _write_passes(store: RunStore, scores: Run, data: Run, column: _Column, writer: RunWriter) -> None:
    """Store the passes behind all attributes, where anything was scored twice."""
    repeated = repeated_scores(store, scores)
    if repeated is None and len(column.passes) < 2:
        return
    given = load_scores(scores).values
    n_passes = max(len(column.passes), 1 if repeated is None else len(repeated.values))
    passes = np.full((n_passes, len(given), given.shape[1] + 1), np.nan, dtype=np.float32)
    positions = np.full(passes.shape[:2], np.nan, dtype=np.float32)
    if repeated is None:
        passes[0, :, :-1] = given
    else:
        items = Vocabulary(data.read_table("catalogue")[c.ITEM], "item")
        rows = items.indexes(repeated.item_ids, missing="negative")
        passes[: len(repeated.values), rows[rows >= 0], :-1] = repeated.values[:, rows >= 0]
        if repeated.positions is not None:
            positions[: len(repeated.values), rows[rows >= 0]] = repeated.positions[:, rows >= 0]
    passes[: len(column.passes), :, -1] = column.passes
    writer.write_array("item_passes", passes)
    writer.write_array("item_positions", positions)
    writer.write_array("item_disagreement", disagreement(passes).astype(np.float32))
