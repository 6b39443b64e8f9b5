"""`External`: a recommender of vectors that the user brings, e.g. those of the model a team already runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import pandas as pd

from guidedrec_core.config import EncoderConfig, ExternalConfig, TrainingConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import ConfigError
from guidedrec_core.models.external import ExternalModel, choose_decay, external_of
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.recommenders.base import BaseRecommender
from guidedrec_core.recommenders.fitting import ndcg
from guidedrec_core.training.device import resolve_device
from guidedrec_core.vectors.table import (
    Vectors,
    frame_identity,
    match_frame,
    read_biases,
    read_vectors,
    source_identity,
)

Source = pd.DataFrame | str | Path
"""A table of ids and numbers, or ``FILE`` or ``FILE::TENSOR``."""


class External(BaseRecommender):
    """Scores are products of user and item vectors that were made elsewhere; nothing is trained.

    Parameters
    ----------
    item_vectors : source or sequence of sources
        ``item_id`` and one column per dimension, or a file; several are fused.
    user_vectors, item_bias : source, optional
        Vectors that go with the item vectors, and one number an item; without user vectors they are made from the
        histories.
    similarity, decay, width
        See `ExternalConfig`. A decay that is not given is chosen on the validation part.
    encoder, training : EncoderConfig, TrainingConfig, optional
        What a refined model over these vectors trains.
    seed : int
        Of what is trained over it.

    Raises
    ------
    ConfigError
        A setting is out of range, or user vectors come with several sources of item vectors.
    """

    kind: ClassVar[str] = "external"

    def __init__(
        self,
        item_vectors: Source | Sequence[Source],
        *,
        user_vectors: Source | None = None,
        item_bias: Source | None = None,
        similarity: Literal["dot", "cosine"] | None = None,
        decay: float | None = None,
        width: int | None = None,
        encoder: EncoderConfig | None = None,
        training: TrainingConfig | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(encoder or EncoderConfig(), resolve_device(training or TrainingConfig()), seed)
        single = isinstance(item_vectors, pd.DataFrame | str | Path)
        self._items: list[Source] = [item_vectors] if single else list(item_vectors)  # type: ignore[list-item, arg-type]
        self._users, self._bias = user_vectors, item_bias
        self._identity: dict[str, Any] | None = None
        if not self._items:
            raise ConfigError("expected item vectors, got none; bring a table or a file of them")
        self.config = ExternalConfig.parse(
            {
                "item_vectors": tuple(_label(source) for source in self._items),
                "user_vectors": None if user_vectors is None else _label(user_vectors),
                "item_bias": None if item_bias is None else _label(item_bias),
                "similarity": similarity,
                "decay": decay,
                "width": width,
            }
        )

    @classmethod
    def of(cls, config: ExternalConfig, encoder: EncoderConfig, training: TrainingConfig, seed: int) -> "External":
        """Create the recommender of a configuration, whose sources are files."""
        if not config.item_vectors:
            raise ConfigError("the external base needs item vectors; name a file with --item-vectors")
        settings = config.model_dump()
        return cls(**settings, encoder=encoder, training=training, seed=seed)

    @classmethod
    def stored(
        cls, identity: dict[str, Any], encoder: EncoderConfig, training: TrainingConfig, seed: int
    ) -> "External":
        """Create the recommender of vectors that were stored; it has no sources, so it cannot be fitted again."""
        made = cls("stored", encoder=encoder, training=training, seed=seed)
        made._items, made._identity = [], identity
        return made

    def identity(self) -> dict[str, Any]:
        """Return the configuration with each source named by its content (SHA-256) and not by its place."""
        if self._identity is not None:
            return self._identity
        return {
            **self.config.model_dump(mode="json"),
            "item_vectors": [_identity(source) for source in self._items],
            "user_vectors": None if self._users is None else _identity(self._users),
            "item_bias": None if self._bias is None else _identity(self._bias),
        }

    def matched(self, items: Vocabulary, users: Vocabulary) -> tuple[ExternalModel, tuple[Notice, ...]]:
        """Match the vectors to ids and make a model of them; its decay is 1 where it is still to be chosen.

        Raises
        ------
        DataError
            A source cannot be used, or sources do not fit together.
        """
        return external_of(
            self.config,
            [_vectors(source, items) for source in self._items],
            None if self._users is None else _vectors(self._users, users),
            None if self._bias is None else _biases(self._bias, items),
        )

    def fit(self, data: SplitDataset, *, listener: Listener = silent, checkpoint: Path | None = None) -> Self:
        """Match the vectors to the data set; only how user vectors decay is chosen, on the validation part."""
        if not self._items:
            raise ConfigError(
                "expected the sources of the vectors, but a stored run has none; create an External of them"
            )
        listener(Progress("train base", message="reading the vectors of the external base model"))
        users, items = data.dataset.users, data.dataset.items
        model, self.notices = self.matched(items, users)
        if self.config.decay is None:
            model = choose_decay(model, lambda one: ndcg(one, data, data.valid_cases)).model
        self.summary = {"kind": "external", "similarity": model.similarity, "decay": model.decay}
        self.summary["items_with_vectors"] = len(items) - _without("item", self.notices)
        if self._users is not None:
            self.summary["users_with_vectors"] = len(users) - _without("user", self.notices)
        return self.fitted(data, model)


def _label(source: Source) -> str:
    """Name a source in a configuration."""
    return "DataFrame" if isinstance(source, pd.DataFrame) else str(source)


def _identity(source: Source) -> dict[str, str]:
    """Name a source by its content."""
    return frame_identity(source) if isinstance(source, pd.DataFrame) else source_identity(str(source))


def _vectors(source: Source, vocabulary: Vocabulary) -> Vectors:
    """Read vectors in vocabulary order."""
    return (
        match_frame(source, vocabulary) if isinstance(source, pd.DataFrame) else read_vectors(str(source), vocabulary)
    )


def _biases(source: Source, vocabulary: Vocabulary) -> Vectors:
    """Read one number an id in vocabulary order."""
    if isinstance(source, pd.DataFrame):
        return match_frame(source, vocabulary, "biases")
    return read_biases(str(source), vocabulary)


def _without(kind: str, notices: tuple[Notice, ...]) -> int:
    """Count what has no vector of its own; of several sources, the one that lacks most tells."""
    return max((notice.count for notice in notices if notice.code == f"{kind}s_without_vectors"), default=0)
