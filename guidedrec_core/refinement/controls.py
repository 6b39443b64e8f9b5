"""What stands where the guided scores stand: the scores themselves, or one of the controls."""

import numpy as np

from guidedrec_core import columns as c
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.errors import ConfigError
from guidedrec_core.randomness import generator
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.reliability.doubt import Doubt

STAGES = {
    "none": "refine",
    "second_training": "second training",
    "placebo": "placebo",
    "random_vectors": "random vectors",
    "categories": "categories",
    "guided_only": "guided only",
}
"""Names of the arms in progress messages."""


def guided_table(
    dataset: Dataset,
    scores: GuidedScores,
    config: RefinementConfig,
    width: int,
    seed: int,
    doubt: Doubt | None = None,
) -> GuidedEmbedding:
    """Return the table that an arm uses as its guided embedding.

    Parameters
    ----------
    dataset : Dataset
        For its categories.
    scores : GuidedScores
        Raw scores of all items on all attributes.
    config : RefinementConfig
        Which arm, and which attributes.
    width : int
        Of the refined embedding.
    seed : int
        Of shuffled rows and random vectors.
    doubt : Doubt, optional
        How far each score on the attributes used counts; wherever scores are used, shuffled or not.

    Raises
    ------
    ConfigError
        The categories control is requested, and the catalogue has no categories that tell items apart.
    """
    # Attributes left out must not enter by way of whitening, which mixes columns.
    raw, weights = scores.take(config.attributes).values, None if doubt is None else doubt.weights
    guided = GuidedEmbedding.of(raw, config.normalisation, weights)
    if config.control == "placebo":
        return guided.shuffled(generator(seed, "placebo"))
    if config.control == "random_vectors":
        # The name of the seed is an older one of this control: another would draw other vectors.
        noise = generator(seed, "gaussian").normal(size=guided.values.shape)
        return GuidedEmbedding.of(noise.astype(np.float32), config.normalisation)
    if config.control == "categories":
        return GuidedEmbedding.of(category_marks(dataset, min(32, width // 2)), "z")
    if config.control == "second_training":
        return guided.take([])
    return guided


def category_marks(dataset: Dataset, most: int) -> np.ndarray:
    """Mark each item's categories, ``[n_items, n]``; an item may have several, divided by ``|``.

    The `most` commonest are kept. A category that every item has, or none, tells nothing and is left out.

    Raises
    ------
    ConfigError
        None is left.
    """
    marks = dataset.catalogue.frame[c.CATEGORY].fillna("").astype(str).str.get_dummies("|")
    shares = marks.mean()
    kept = shares[(shares > 0) & (shares < 1)].sort_values(ascending=False, kind="stable").index[:most]
    if not len(kept):
        raise ConfigError("expected a catalogue with at least two categories for the categories control, got none")
    return marks[sorted(kept)].to_numpy(np.float32)
