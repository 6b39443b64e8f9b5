"""The simple baselines at their best: each one's settings are chosen on the validation part from a short grid."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from guidedrec_core.config import BaselineConfig, EASEConfig, ItemKNNConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.prepared import PreparedData
from guidedrec_core.evaluation.report import ITEM_KNN, ITEM_KNN_RECENCY, LINEAR, POPULARITY
from guidedrec_core.models.base import Recommender
from guidedrec_core.models.ease import EASE, LARGEST_CATALOGUE
from guidedrec_core.models.itemknn import ItemKNN
from guidedrec_core.models.popularity import Popularity

Model = TypeVar("Model")


@dataclass(frozen=True)
class Baselines:
    """Fitted baselines.

    Attributes
    ----------
    models : dict of str to Recommender
        Keys from `report.MODELS`.
    settings : dict of str to dict
        What was chosen for each that has settings.
    notices : tuple of Notice
        Which baseline was left out, and why.
    """

    models: dict[str, Recommender]
    settings: dict[str, dict[str, Any]]
    notices: tuple[Notice, ...]


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


def fit_baselines(data: PreparedData, config: BaselineConfig, validate: Callable[[Recommender], float]) -> Baselines:
    """Fit all simple baselines: their settings are chosen with the training part alone.

    Where validation comes before all of the test part, what was chosen is then fitted on both, because nobody would
    leave out newer counts that cost nothing.

    Parameters
    ----------
    data : PreparedData
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
    models: dict[str, Recommender] = {
        POPULARITY: popular if newest is data else _popularity(newest, popular.half_life),
        ITEM_KNN: knn if newest is data else _item_knn(newest, knn.config),
        ITEM_KNN_RECENCY: recency if newest is data else _item_knn(newest, recency.config),
    }
    settings = {ITEM_KNN: knn.config.model_dump(mode="json"), ITEM_KNN_RECENCY: recency.config.model_dump(mode="json")}
    if popular.half_life is not None:
        settings[POPULARITY] = {"half_life": popular.half_life}
    n_items = data.sequences.n_items
    if n_items > LARGEST_CATALOGUE:
        message = f"EASE was left out: it is fitted for at most {LARGEST_CATALOGUE:,} items, and there are {n_items:,}"
        return Baselines(models, settings, (Notice("ease_left_out", n_items, message),))
    linear = best_on_validation(_linear(data, config), validate)
    models[LINEAR] = linear if newest is data else EASE(*newest.train_pairs, *_sizes(newest), linear.config)
    settings[LINEAR] = linear.config.model_dump(mode="json")
    return Baselines(models, settings, ())


def choose_neighbours(data: PreparedData, config: BaselineConfig, validate: Callable[[Recommender], float]) -> ItemKNN:
    """Fit recency-weighted item-kNN with the settings that do best; parameters as in `fit_baselines`."""
    return best_on_validation(_item_knns_in_order(data, config), validate)


def _popular(data: PreparedData, config: BaselineConfig) -> Iterator[Popularity]:
    """Make that of all times, and those of late where training ends at one moment."""
    yield _popularity(data, None)
    if data.is_temporal:
        yield from (_popularity(data, half_life) for half_life in config.half_lives)


def _popularity(data: PreparedData, half_life: float | None) -> Popularity:
    """Make one, of all times without a half-life."""
    if half_life is None:
        return Popularity(data.item_interactions)
    return Popularity(data.faded_interactions(half_life), half_life=half_life)


def _item_knn(data: PreparedData, config: ItemKNNConfig) -> ItemKNN:
    """Make one."""
    return ItemKNN(*data.train_pairs, *_sizes(data), config)


def _item_knns(data: PreparedData, config: BaselineConfig) -> Iterator[ItemKNN]:
    """Make the plain ones."""
    for neighbours in config.neighbours:
        yield _item_knn(data, ItemKNNConfig(neighbours=neighbours))


def _item_knns_in_order(data: PreparedData, config: BaselineConfig) -> Iterator[ItemKNN]:
    """Make those that mind order."""
    for neighbours, closeness, backward in itertools.product(
        config.recency_neighbours, config.closeness, config.backward
    ):
        settings = ItemKNNConfig(neighbours=neighbours, closeness=closeness, backward=backward)
        model = _item_knn(data, settings)
        yield from (model.with_decay(decay) for decay in config.decay)


def _linear(data: PreparedData, config: BaselineConfig) -> Iterator[EASE]:
    """Make the linear ones."""
    for penalty in config.penalty:
        model = EASE(*data.train_pairs, *_sizes(data), EASEConfig(penalty=penalty))
        yield from (model.with_decay(decay) for decay in config.decay)


def _sizes(data: PreparedData) -> tuple[int, int]:
    """Return the numbers of users and items."""
    return data.sequences.n_users, data.sequences.n_items
