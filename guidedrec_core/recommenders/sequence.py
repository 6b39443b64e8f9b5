"""SASRec, GRU4Rec and BERT4Rec, trained here."""

from pathlib import Path
from typing import Any, ClassVar, Self

from guidedrec_core.config import BuildConfig, EncoderConfig, TrainingConfig
from guidedrec_core.data.dataset import SplitDataset
from guidedrec_core.errors import ConfigError
from guidedrec_core.models.registry import make_base
from guidedrec_core.progress import Listener, silent
from guidedrec_core.recommenders.base import BaseRecommender
from guidedrec_core.recommenders.fitting import curve, train_with_validation, training_summary
from guidedrec_core.recommenders.settings import by_part
from guidedrec_core.training.device import resolve_device


class SequenceRecommender(BaseRecommender):
    """A sequence model of one architecture.

    Parameters
    ----------
    seed : int
        The seed from which those of weights, batches and dropout descend.
    **settings
        Fields of `EncoderConfig` (``width``, ``blocks``, ``max_length``, ...) and of `TrainingConfig`
        (``max_epochs``, ``learning_rate``, ``threads``, ...).

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    """

    def __init__(self, *, seed: int = 0, **settings: Any) -> None:
        if "kind" in settings:
            raise ConfigError(
                f"{type(self).__name__} is an architecture of its own, got kind={settings['kind']!r}; leave it out"
            )
        parts = by_part(type(self).__name__, settings, {"encoder": EncoderConfig, "training": TrainingConfig})
        config = BuildConfig.parse({**parts, "encoder": {"kind": self.kind, **parts["encoder"]}, "seed": seed})
        super().__init__(config.encoder, resolve_device(config.training), config.seed)

    @classmethod
    def of(cls, encoder: EncoderConfig, training: TrainingConfig, seed: int) -> "SequenceRecommender":
        """Create the recommender of an encoder's architecture."""
        chosen = {"encoder": encoder, "training": training}
        settings = {name: value for config in chosen.values() for name, value in config.model_dump().items()}
        settings.pop("kind")
        return BY_KIND[encoder.kind](seed=seed, **settings)

    def fit(self, data: SplitDataset, *, listener: Listener = silent, checkpoint: Path | None = None) -> Self:
        """Train on the training part; the epoch is chosen on the validation part."""
        model = make_base(self.encoder, data.sequences.n_items, self.seed)
        result = train_with_validation(
            model, data, self.training, self.seed, "base", "train base", listener, checkpoint
        )
        self.curve = curve(result)
        self.summary = {**training_summary(result), "kind": self.kind}
        return self.fitted(data, model)


class SASRec(SequenceRecommender):
    """Self-attention over the history (Kang and McAuley, ICDM 2018); see `models.sasrec` for the differences.

    Examples
    --------
    >>> SASRec(width=32, max_epochs=3, threads=1).encoder.width
    32
    """

    kind: ClassVar[str] = "sasrec"


class GRU4Rec(SequenceRecommender):
    """A recurrent network over the history (Hidasi et al., ICLR 2016); see `models.gru4rec` for the differences."""

    kind: ClassVar[str] = "gru4rec"


class BERT4Rec(SequenceRecommender):
    """A bidirectional transformer over the history (Sun et al., CIKM 2019); see `models.bert4rec`."""

    kind: ClassVar[str] = "bert4rec"


BY_KIND: dict[str, type[SequenceRecommender]] = {kind.kind: kind for kind in (SASRec, GRU4Rec, BERT4Rec)}
