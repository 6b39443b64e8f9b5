"""The repeated passes behind a run of scores, where there are any."""

from guidedrec_core.attributes.repeated import RepeatedScores, read_repeated
from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.columns import ITEM
from guidedrec_core.data.bundled import bundled_passes, bundled_scores
from guidedrec_core.data.tables import read_table
from guidedrec_core.runs import Run, RunStore


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
        return RepeatedScores(values.astype("float64"), tuple(data.read_table("catalogue")[ITEM]), schema, positions)
    name = str(data.config["name"])
    files, passes = bundled_scores(name), bundled_passes(name)
    given = scores.config.get("item_scores") or {}
    if files is None or passes is None or given.get("file") != files.item_scores.name:
        return None
    if schema.hash() != AttributeSchema.read(files.attributes).hash():
        return None
    return read_repeated(read_table(passes), schema)[0]
