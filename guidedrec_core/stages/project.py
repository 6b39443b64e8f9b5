"""Stage projection: maps of the base and the refined item space."""

from collections.abc import Mapping
from pathlib import Path

from guidedrec_core.config import BuildConfig
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.projection.layout import project
from guidedrec_core.projection.spaces import ItemSpace
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages.common import Identity, made_once


def project_items(store: RunStore, refined: Run, config: BuildConfig, listener: Listener = silent) -> Run:
    """Lay out the base and the refined item space on comparable maps."""
    base = store.open(refined.inputs["base"], "base")
    settings, inputs = config.projection.model_dump(mode="json"), {"base": base, "refined": refined}

    def make(_: Path) -> Run:
        return _lay_out(store, inputs, config, listener)

    return made_once(store, Identity("projection", settings, inputs, config.seed), make, listener)


def _lay_out(store: RunStore, inputs: Mapping[str, Run], config: BuildConfig, listener: Listener) -> Run:
    """Lay out both spaces, and store the maps."""
    settings, refined = config.projection.model_dump(mode="json"), inputs["refined"]
    listener(Progress("project", message="laying out both maps; this step shows no progress"))
    recommender = open_refined(store, refined.id)
    base_space = ItemSpace.base(recommender.base.item_embedding())
    refined_space = ItemSpace.refined(recommender.refined.item_values(), recommender.refined.item_remainders())
    result = project(base_space, refined_space, config.projection, config.seed)
    with store.create("projection", config=settings, inputs=inputs, seed=config.seed) as writer:
        for name in ("base", "refined", "base_neighbours", "refined_neighbours", "overlap"):
            writer.write_array(name, getattr(result, name))
        writer.summary.update(items=recommender.refined.n_items, neighbours_kept=float(result.overlap.mean()))
    return writer.run
