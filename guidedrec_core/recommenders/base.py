"""`BaseRecommender`: a recommender that can be refined, because its scores are products of vectors."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd

from guidedrec_core.config import EncoderConfig, TrainingConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.models.base import BaseModel
from guidedrec_core.progress import Listener, silent
from guidedrec_core.recommenders.recommender import FittedLater


class BaseRecommender(FittedLater[BaseModel]):
    """A recommender whose score is ``user_vectors @ item_embedding.T + item_bias``.

    Attributes
    ----------
    encoder : EncoderConfig
        The sequence encoder; of an external recommender, the one that a refined model over it trains.
    training : TrainingConfig
        The training loop, resolved for this machine.
    seed : int
        The seed from which all others descend.
    curve : pandas.DataFrame or None
        ``epoch, loss, ndcg`` of the training, where there was one.
    summary : dict
        Small facts of the fit.
    notices : tuple of Notice
        What was odd about what it was made from.
    """

    name: str = "base"
    kind: ClassVar[str]

    def __init__(self, encoder: EncoderConfig, training: TrainingConfig, seed: int) -> None:
        self.encoder = encoder
        self.training = training
        self.seed = seed
        self.curve: pd.DataFrame | None = None
        self.summary: dict[str, Any] = {}
        self.notices: tuple[Notice, ...] = ()

    @abstractmethod
    def fit(self, data: SplitDataset, *, listener: Listener = silent, checkpoint: Path | None = None) -> Self:
        """Learn from the training part; see `Recommender.fit`.

        Parameters
        ----------
        data : SplitDataset
            Histories and split.
        listener : callable
            Receives progress events.
        checkpoint : Path, optional
            File to resume an interrupted training from; see `training.loop.train`.
        """
