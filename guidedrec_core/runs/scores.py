"""Guided scores as runs of stage ``scores``."""

import contextlib

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
