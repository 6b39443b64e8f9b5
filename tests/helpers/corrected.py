"""A second refined run of the tiny shop, from one corrected score."""

from typing import TYPE_CHECKING

import tiny

if TYPE_CHECKING:
    from guidedrec_core.runs.store import Run, RunStore
    from guidedrec_core.stages import Build


def corrected_run(store: "RunStore", build: "Build") -> "Run":
    """Set the warmth of an item to its other end by hand and refine again, without an evaluation of the new run."""
    from guidedrec_core import stages

    data = store.open(build.data.id, "data")
    old = float(build.scores.read_array("item_scores", mmap=False)[3, 0])
    stages.override_score(store, data, "item-03", "warmth", 10.0 if old < 5 else 0.0, "Ann", "it is a <b>parka</b>")
    return stages.refine(store, store.open(build.base.id, "base"), stages.find_scores(store, data), tiny.CONFIG)
