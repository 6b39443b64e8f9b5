"""Guided scores as runs of stage ``scores``."""

import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import AlignedScores, GuidedScores
from guidedrec_core.columns import ITEM
from guidedrec_core.config import SplitConfig
from guidedrec_core.data.bundled import bundled_passes, bundled_scores
from guidedrec_core.data.tables import read_table
from guidedrec_core.errors import NotFoundError, RunCorruptError
from guidedrec_core.reliability.repeated import RepeatedScores, read_repeated
from guidedrec_core.runs.files import Run
from guidedrec_core.runs.store import RunStore


def scores_settings(
    scores: AlignedScores, item_file: str = "DataFrame", user_file: str = "DataFrame"
) -> dict[str, Any]:
    """Return what names scores from tables among runs.

    Parameters
    ----------
    scores : AlignedScores
        The scores.
    item_file, user_file : str
        Names of the tables that they were read from.
    """

    def named(file: str, values: np.ndarray) -> dict[str, Any]:
        return {"file": file, "sha256": hashlib.sha256(values.tobytes()).hexdigest()}

    users = None if scores.users is None else named(user_file, scores.users.values)
    if users is not None and scores.user_split != SplitConfig():
        users["split"] = scores.user_split.model_dump(mode="json")
    return {
        "attributes": scores.items.schema.model_dump(mode="json"),
        "item_scores": named(item_file, scores.items.values),
        "user_scores": users,
    }


def write_scores(store: RunStore, scores: AlignedScores, settings: Mapping[str, Any], data: Run) -> Run:
    """Write guided scores as a run of stage ``scores``."""
    items, users, schema = scores.items, scores.users, scores.items.schema
    with store.create("scores", config=settings, inputs={"data": data}) as writer:
        writer.write_json("attributes", schema.model_dump(mode="json"))
        writer.write_array("item_scores", items.values)
        if users is not None:
            writer.write_array("user_scores", users.values)
        writer.write_json("notices", [notice.as_dict() for notice in scores.notices])
        writer.summary.update(
            attributes=len(schema),
            schema_hash=schema.hash(),
            items=len(items.values),
            scored=len(items.values) - items.n_unscored,
            missing=items.n_missing,
            users_scored=0 if users is None else len(users.values) - users.n_unscored,
        )
    return writer.run


def load_scores(run: Run, kind: str = "item") -> GuidedScores:
    """Load raw scores of items or users from a run of stage ``scores``."""
    schema = AttributeSchema.parse(run.read_json("attributes"))
    return GuidedScores(run.read_array(f"{kind}_scores", mmap=False), schema)


def load_aligned_scores(run: Run) -> AlignedScores:
    """Load the raw scores of items, and of users where there are any."""
    about_users, scoring = run.config.get("user_scores"), run.config.get("scoring", {})
    if not about_users:
        return AlignedScores(load_scores(run), scoring=scoring)
    # Scores read from tables do not name their split; the documentation asks for leave-one-out, the default.
    split = SplitConfig.parse(about_users.get("split", {}))
    return AlignedScores(load_scores(run), load_scores(run, "user"), split, scoring)


def newest_scores(store: RunStore, data: Run) -> Run | None:
    """Return the newest stored scores of a data set, as they were given; None when there are none."""
    for info in store.list("scores"):
        if info.problem is None and info.inputs.get("data") == data.id and "overrides" not in info.config:
            with contextlib.suppress(RunCorruptError, NotFoundError):
                return store.open(info.id, "scores")
    return None


def repeated_scores(store: RunStore, scores: Run) -> RepeatedScores | None:
    """Return the passes that a run of scores is the median of; None when nothing was scored twice.

    Parameters
    ----------
    store : RunStore
        Where the run is.
    scores : Run
        Of stage ``scores``: made by a language model in several passes, or bundled.
    """
    data = store.open(scores.inputs["data"], "data")
    schema = AttributeSchema.parse(scores.read_json("attributes"))
    if "item_passes.npy" in scores.manifest.files:
        values, positions = (scores.read_array(name, mmap=False) for name in ("item_passes", "item_positions"))
        return RepeatedScores(values.astype(np.float64), tuple(data.read_table("catalogue")[ITEM]), schema, positions)
    name = str(data.config["name"])
    files, passes = bundled_scores(name), bundled_passes(name)
    given = scores.config.get("item_scores") or {}
    if files is None or passes is None or given.get("file") != files.item_scores.name:
        return None
    if schema.hash() != AttributeSchema.read(files.attributes).hash():
        return None
    return read_repeated(read_table(passes), schema)[0]
