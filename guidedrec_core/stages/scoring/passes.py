"""The repeated passes behind a run of scores, where there are any, and what they say of how far scores can count."""

import numpy as np

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.columns import ITEM
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.reliability.doubt import Doubt, score_doubt
from guidedrec_core.runs.scores import load_scores, repeated_scores
from guidedrec_core.runs.store import Run, RunStore


def doubt_of(
    store: RunStore, scores: Run, attributes: tuple[int, ...] | None = None
) -> tuple[Doubt | None, tuple[Notice, ...]]:
    """Return how far each score of a run counts, by how far its passes agree, and what is to be said of it.

    Parameters
    ----------
    store : RunStore
        Where the run is.
    scores : Run
        Of stage ``scores``; overridden ones are beyond doubt.
    attributes : tuple of int, optional
        Positions of those used; all by default.

    Returns
    -------
    tuple of (Doubt or None, tuple of Notice)
        None where nothing was scored twice: all scores then count in full.
    """
    repeated = repeated_scores(store, scores)
    if repeated is None:
        message = "no item was scored twice, so nobody knows how far scores can be trusted; all count in full"
        return None, (Notice("nothing_scored_twice", 0, message),)
    used = load_scores(scores)
    items = Vocabulary(store.open(scores.inputs["data"], "data").read_table("catalogue")[ITEM], "item")
    rows = items.indexes(repeated.item_ids, missing="negative")
    passes = np.full((len(repeated.values), *used.values.shape), np.nan)
    passes[:, rows[rows >= 0]] = repeated.values[:, rows >= 0]
    certain = np.zeros(used.values.shape, dtype=bool)
    if "overrides.parquet" in scores.manifest.files:
        cells = scores.read_table("overrides")
        certain[items.indexes(cells[ITEM]), [used.schema.index(name) for name in cells["attribute"]]] = True
    doubt = score_doubt(used.values, passes, certain).take(attributes)
    return doubt, _said(doubt, used.take(attributes).schema)


def _said(doubt: Doubt, schema: AttributeSchema) -> tuple[Notice, ...]:
    """Say how much scores count, and which attributes count for nothing."""
    low, high = int(doubt.one_pass.argmin()), int(doubt.one_pass.argmax())
    said = [
        Notice(
            "doubted_scores",
            doubt.repeated,
            f"scores count by how far passes agree, which {doubt.repeated:,} items scored repeatedly tell: one pass "
            f"counts for {100 * doubt.one_pass[low]:.0f} % on {schema.names[low]}, the most doubtful attribute, "
            f"and for {100 * doubt.one_pass[high]:.0f} % on {schema.names[high]}, the surest",
        )
    ]
    if noisy := [name for name, share in zip(schema.names, doubt.one_pass, strict=True) if share == 0]:
        message = (
            f"passes differ on an item as much as items differ from each other, so these count for nothing: "
            f"{', '.join(noisy)}; sharpen what their ends mean, or drop them"
        )
        said.append(Notice("attributes_of_noise", len(noisy), message))
    return tuple(said)
