"""The simple baselines at their best: each one's settings are chosen on the validation part from a short grid."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from guidedrec_core.config import BaselineConfig, EASEConfig, ItemKNNConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.evaluation.report import ITEM_KNN, ITEM_KNN_RECENCY, LINEAR, POPULARITY
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.models.ease import LARGEST_CATALOGUE, EASEModel
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.models.popularity import PopularityModel
from guidedrec_core.recommenders.heads import item_knn
from guidedrec_core.recommenders.selection import best_on_validation, choose_neighbours


@dataclass(frozen=True)
class Baselines:
    """Fitted baselines.

    Attributes
    ----------
    models : dict of str to ItemScorer
        Keys from `report.MODELS`.
    settings : dict of str to dict
        What was chosen for each that has settings.
    notices : tuple of Notice
        Which baseline was left out, and why.
    """

    models: dict[str, ItemScorer]
    settings: dict[str, dict[str, Any]]
    notices: tuple[Notice, ...]


def fit_baselines(data: SplitDataset, config: BaselineConfig, validate: Callable[[ItemScorer], float]) -> Baselines:
    """Fit all simple baselines: their settings are chosen with the training part alone.

    Where validation comes before all of the test part, what was chosen is then fitted on both, because nobody would
    leave out newer counts that cost nothing.

    Parameters
    ----------
    data : SplitDataset
        Histories and split.
    config : BaselineConfig
        The grids.
    validate : callable
        A model's quality on the validation part; higher is better.
    """
    popular = best_on_validation(_popular(data, config), validate)
    knn = best_on_validation(_item_knns(data, config), validate)
    recency = choose_neighbours(data, config, validate)
    newest = data.refreshed if data.is_temporal else data
    models: dict[str, ItemScorer] = {
        POPULARITY: popular if newest is data else _popularity(newest, popular.half_life),
        ITEM_KNN: knn if newest is data else item_knn(knn.config, newest),
        ITEM_KNN_RECENCY: recency if newest is data else item_knn(recency.config, newest),
    }
    settings = {ITEM_KNN: knn.config.model_dump(mode="json"), ITEM_KNN_RECENCY: recency.config.model_dump(mode="json")}
    if popular.half_life is not None:
        settings[POPULARITY] = {"half_life": popular.half_life}
    n_items = data.sequences.n_items
    if n_items > LARGEST_CATALOGUE:
        message = f"EASE was left out: it is fitted for at most {LARGEST_CATALOGUE:,} items, and there are {n_items:,}"
        return Baselines(models, settings, (Notice("ease_left_out", n_items, message),))
    linear = best_on_validation(_linear(data, config), validate)
    models[LINEAR] = linear if newest is data else EASEModel(*newest.train_pairs, *_sizes(newest), linear.config)
    settings[LINEAR] = linear.config.model_dump(mode="json")
    return Baselines(models, settings, ())


def _popular(data: SplitDataset, config: BaselineConfig) -> Iterator[PopularityModel]:
    """Make that of all times, and recent ones where training ends at one moment."""
    yield _popularity(data, None)
    if data.is_temporal:
        yield from (_popularity(data, half_life) for half_life in config.half_lives)


def _popularity(data: SplitDataset, half_life: float | None) -> PopularityModel:
    """Make one, of all times without a half-life."""
    if half_life is None:
        return PopularityModel(data.item_interactions)
    return PopularityModel(data.decayed_interactions(half_life), half_life=half_life)


def _item_knns(data: SplitDataset, config: BaselineConfig) -> Iterator[ItemKNNModel]:
    """Make the plain ones."""
    for neighbours in config.neighbours:
        yield item_knn(ItemKNNConfig(neighbours=neighbours), data)


def _linear(data: SplitDataset, config: BaselineConfig) -> Iterator[EASEModel]:
    """Make the linear ones."""
    for penalty in config.penalty:
        model = EASEModel(*data.train_pairs, *_sizes(data), EASEConfig(penalty=penalty))
        yield from (model.with_decay(decay) for decay in config.decay)


def _sizes(data: SplitDataset) -> tuple[int, int]:
    """Return the numbers of users and items."""
    return data.sequences.n_users, data.sequences.n_items
