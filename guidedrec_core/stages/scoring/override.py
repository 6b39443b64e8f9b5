"""What people say against single scores, laid over the scores that a refinement starts from."""

from collections.abc import Mapping
from typing import Any

from guidedrec_core import columns as c
from guidedrec_core.attributes.overrides import Override, OverrideLog, apply, current, digest
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, made_once
from guidedrec_core.stages.data import given_scores


def override_log(store: RunStore, data: Run) -> OverrideLog:
    """Return the log of a data set's overrides; all imports under one name share it."""
    return OverrideLog(store.home, str(data.config["name"]))


def override_score(
    store: RunStore,
    data: Run,
    item_id: str,
    attribute: str,
    value: float,
    who: str,
    why: str,
    version: int | None = None,
) -> Override:
    """Let a person's score stand for that of an item on an attribute, from the next refinement on.

    Raises
    ------
    UnknownIdError
        No such item, or the newest scores have no such attribute.
    DataError
        The value is outside the scale, or `who` or `why` is blank.
    ConflictError
        `version` is given, and somebody else has changed the score since; see `OverrideLog.set`.
    NotFoundError
        The data set has no scores.
    """
    scores = load_scores(given_scores(store, data))
    return override_log(store, data).set(scores, _items(data), item_id, attribute, value, who, why, version)


def withdraw_override(
    store: RunStore, data: Run, item_id: str, attribute: str, who: str, why: str, version: int | None = None
) -> Override:
    """Let the score stand again, from the next refinement on.

    Raises
    ------
    InputError
        No override of this score is in force, or `who` or `why` is blank.
    ConflictError
        As `override_score`.
    """
    return override_log(store, data).withdraw(item_id, attribute, who, why, version)


def find_scores(store: RunStore, data: Run) -> Run:
    """Return the scores to refine from: the newest stored ones, else bundled ones, with the overrides in force.

    Raises
    ------
    NotFoundError
        There are none; the message says how to bring some.
    """
    return overridden(store, given_scores(store, data))


def overridden(store: RunStore, scores: Run) -> Run:
    """Lay the overrides in force over a run of scores.

    Returns
    -------
    Run
        The same run where nothing is overridden. Else one of stage ``scores``, too, with all its files but other item
        scores, and the table ``overrides`` (see `Overridden.cells`); found again as long as nothing changes.
    """
    data = store.open(scores.inputs["data"], "data")
    layer = current(override_log(store, data).entries())
    if not layer:
        return scores
    config = {**scores.config, "overrides": {"scores": scores.id, "digest": digest(layer)}}
    inputs = {"data": data, "scores": scores}
    identity = Identity("scores", config, inputs, None)
    return made_once(store, identity, lambda _: _write_overridden(store, layer, config, inputs), room=0)


def _write_overridden(
    store: RunStore, layer: tuple[Override, ...], config: Mapping[str, Any], inputs: Mapping[str, Run]
) -> Run:
    """Lay overrides over the scores among the inputs, and store the result."""
    data, scores = inputs["data"], inputs["scores"]
    made = apply(layer, load_scores(scores), _items(data))
    with store.create("scores", config=config, inputs=inputs) as writer:
        writer.copy_files(scores, scores.manifest.files.keys() - {"item_scores.npy", "notices.json"})
        writer.write_array("item_scores", made.scores.values)
        writer.write_table("overrides", made.cells)
        writer.write_json("notices", [*scores.read_json("notices"), *(n.as_dict() for n in made.notices)])
        counts = {"scored": len(made.scores.values) - made.scores.n_unscored, "missing": made.scores.n_missing}
        writer.summary.update({**scores.summary, **counts, "overrides": len(made.cells)})
    return writer.run


def _items(data: Run) -> Vocabulary:
    """Return the items of a stored data set, whose catalogue has one row an item in index order."""
    return Vocabulary(data.read_table("catalogue")[c.ITEM], "item")
