"""Choosing settings on the validation part."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from guidedrec_core.config import BaselineConfig, ItemKNNConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.recommenders.heads import item_knn

Model = TypeVar("Model")


def best_on_validation(candidates: Iterable[Model], validate: Callable[[Model], float]) -> Model:
    """Return the candidate that does best; the first of equals.

    Parameters
    ----------
    candidates : iterable of Model
        Fitted models, at least one. Of a generator, the best so far and the current one are held, no more.
    validate : callable
        A model's quality on the validation part; higher is better.
    """
    remaining = iter(candidates)
    best = next(remaining)
    highest = None
    for candidate in remaining:
        highest = validate(best) if highest is None else highest  # an only candidate need not be looked at
        value = validate(candidate)
        if value > highest:
            best, highest = candidate, value
    return best


def choose_neighbours(
    data: SplitDataset, config: BaselineConfig, validate: Callable[[ItemScorer], float]
) -> ItemKNNModel:
    """Fit recency-weighted item-kNN with the settings that do best; see `evaluation.baselines.fit_baselines`."""
    return best_on_validation(_candidates(data, config), validate)


def _candidates(data: SplitDataset, config: BaselineConfig) -> Iterator[ItemKNNModel]:
    """Make one for each setting of the grid."""
    for neighbours, closeness, backward in itertools.product(
        config.recency_neighbours, config.closeness, config.backward
    ):
        settings = ItemKNNConfig(neighbours=neighbours, closeness=closeness, backward=backward)
        model = item_knn(settings, data)
        yield from (model.with_decay(decay) for decay in config.decay)
