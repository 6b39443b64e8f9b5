"""Heads over base and refined models: what is counted for them, and kept up to date."""

import numpy as np

from guidedrec_core.config import ItemKNNConfig, RefinementConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.facts.derive import derive_facts
from guidedrec_core.facts.fact import Facts
from guidedrec_core.models.base import BaseModel
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.randomness import generator
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_blocks import MOST_CASES
from guidedrec_core.refinement.literal import LiteralRefinedModel
from guidedrec_core.refinement.named import NamedRefinedModel


def head_over(
    base: BaseModel,
    trained: AdditiveRefinedModel | LiteralRefinedModel | None,
    guided: GuidedEmbedding,
    config: RefinementConfig,
    data: SplitDataset,
    ranks_cold: bool = False,
    neighbours: ItemKNNModel | None = None,
) -> HeadModel:
    """Put a head, not yet fitted, on a base model, and on a trained refined model and item-kNN, if there are any.

    In the guided-only control the base model has no say, and neither has it where all parts of a score are to be named.
    """
    embedding = base.item_embedding() if trained is None else trained.item_remainders()
    frozen = None if config.control == "guided_only" or config.mode == "named" else base
    counts = _interactions(data, config)
    return HeadModel(frozen, trained, embedding, guided, counts, config, ranks_cold, neighbours)


def head_cases(data: SplitDataset, seed: int) -> tuple[IntArray, list[IntArray], IntArray]:
    """Return users, histories and targets of the validation cases that a head is fitted on; all up to some 200,000.

    Parameters
    ----------
    data : SplitDataset
        Histories and split.
    seed : int
        The seed from which that of the sample descends.
    """
    sequences = data.sequences
    cases = data.valid_cases
    drawn = cases.take(np.sort(generator(seed, "head cases").permutation(len(cases))[:MOST_CASES]))
    shown = zip(drawn.users.tolist(), drawn.lengths.tolist(), strict=True)
    return drawn.users, [sequences.history(user, length) for user, length in shown], drawn.targets


def up_to_date(data: SplitDataset) -> SplitDataset:
    """Return the data as of the end of the validation period, where there is one; see `SplitDataset.refreshed`."""
    return data.refreshed if data.is_temporal else data


def with_newer_counts(
    head: HeadModel, data: SplitDataset, config: RefinementConfig, neighbours: ItemKNNConfig | None = None
) -> HeadModel:
    """Bring a fitted head's popularity and item-kNN up to date for what comes after validation."""
    newest = up_to_date(data)
    counted = head.neighbours if neighbours is None else item_knn(neighbours, newest)
    fresh = head.refreshed(_interactions(newest, config), counted)
    if isinstance(fresh.refined, NamedRefinedModel):
        fresh.refined = fresh.refined.with_facts(facts_of(data, config, newest).values)
    return fresh


def facts_of(data: SplitDataset, config: RefinementConfig, newest: SplitDataset | None = None) -> Facts:
    """Return the facts of a data set that a configuration chooses, with values as of `newest`, by default the same."""
    return derive_facts(data, config.facts, config.trend, newest)


def item_knn(config: ItemKNNConfig, data: SplitDataset) -> ItemKNNModel:
    """Fit item-kNN on the training part."""
    return ItemKNNModel(*data.train_pairs, data.sequences.n_users, data.sequences.n_items, config)


def _interactions(data: SplitDataset, config: RefinementConfig) -> np.ndarray:
    """Count training interactions of each item, ``[n_items, P]``: all, and recent ones where time allows."""
    trend = config.trend if data.is_temporal else ()
    return np.stack([data.item_interactions, *(data.decayed_interactions(h) for h in trend)], axis=1)
