"""Popularity, item-kNN and EASE: the simple recommenders every other one is measured against."""

from abc import abstractmethod
from typing import Any, Self

from guidedrec_core.config import Config, EASEConfig, ItemKNNConfig, PopularityConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.errors import ConfigError
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.models.ease import EASEModel
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.models.popularity import PopularityModel
from guidedrec_core.progress import Listener, silent
from guidedrec_core.recommenders.recommender import FittedLater
from guidedrec_core.recommenders.settings import by_part


class SimpleRecommender(FittedLater[ItemScorer]):
    """A recommender that is counted or solved for, not trained; the same data give the same model.

    Parameters
    ----------
    **settings
        Fields of its configuration.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    """

    config_type: type[Config]

    def __init__(self, **settings: Any) -> None:
        by_part(type(self).__name__, settings, {"settings": self.config_type})
        self.config = self.config_type.parse(settings)

    def fit(self, data: SplitDataset, *, listener: Listener = silent) -> Self:
        """Count the training part."""
        return self.fitted(data, self._model(data))

    @abstractmethod
    def _model(self, data: SplitDataset) -> ItemScorer:
        """Make the model of the training part."""


class Popularity(SimpleRecommender):
    """Recommends to everybody what most have interacted with; its setting is that of `PopularityConfig`."""

    name = "popularity"
    config_type = PopularityConfig
    config: PopularityConfig

    def _model(self, data: SplitDataset) -> ItemScorer:
        if self.config.half_life is None:
            return PopularityModel(data.item_interactions)
        if not data.is_temporal:
            raise ConfigError(
                "a half-life of popularity needs a temporal split, where training ends at one moment for all; "
                'leave out half_life, or split("temporal")'
            )
        return PopularityModel(data.decayed_interactions(self.config.half_life), half_life=self.config.half_life)


class ItemKNN(SimpleRecommender):
    """Scores an item by its similarity to the items of the history; settings are those of `ItemKNNConfig`."""

    name = "item_knn"
    config_type = ItemKNNConfig
    config: ItemKNNConfig

    def _model(self, data: SplitDataset) -> ItemScorer:
        return ItemKNNModel(*data.train_pairs, data.sequences.n_users, data.sequences.n_items, self.config)


class EASE(SimpleRecommender):
    """A linear model in closed form (Steck, WWW 2019); settings are those of `EASEConfig`."""

    name = "ease"
    config_type = EASEConfig
    config: EASEConfig

    def _model(self, data: SplitDataset) -> ItemScorer:
        return EASEModel(*data.train_pairs, data.sequences.n_users, data.sequences.n_items, self.config)
