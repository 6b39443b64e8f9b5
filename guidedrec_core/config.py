"""One frozen configuration model per component; the only place where defaults live.

Unknown keys and values out of range are refused. The same words are used on the command line, in the app and in
the manifests of stored runs.
"""

import hashlib
import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError

from guidedrec_core.errors import ConfigError


class Config(BaseModel):
    """Base of all configurations: frozen, unknown keys rejected, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Validate a plain dict, e.g. from a stored manifest.

        Raises
        ------
        ConfigError
            One line naming every wrong field.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or cls.__name__}: {e['msg']} (got {e['input']!r})"
                for e in error.errors()
            )
            raise ConfigError(f"{cls.__name__}: {problems}") from error

    def digest(self) -> str:
        """Return 12 hex digits that name this configuration's content."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class SplitConfig(Config):
    """How each user's history is cut into train, valid and test."""

    kind: Literal["leave-one-out", "temporal"] = "leave-one-out"
    """`leave-one-out`: a user's last interaction is test, the one before valid. `temporal`: two moments for all."""
    valid_fraction: float = Field(0.1, gt=0, lt=0.5)
    """Share of all interactions in the validation period (temporal only)."""
    test_fraction: float = Field(0.1, gt=0, lt=0.5)
    """Share of all interactions in the test period (temporal only)."""


class EncoderConfig(Config):
    """Size of the sequence encoder, the same for the base and the refined model."""

    kind: Literal["sasrec"] = "sasrec"
    """Architecture."""
    width: int = Field(64, ge=4, le=1024)
    """Embedding width d; a multiple of `heads`."""
    blocks: int = Field(1, ge=1, le=12)
    """Transformer blocks."""
    heads: int = Field(2, ge=1, le=16)
    """Attention heads."""
    feedforward: PositiveInt = 128
    """Width of the feed-forward layer."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout in the blocks."""
    item_dropout: float = Field(0.2, ge=0, lt=1)
    """Probability that an input item is hidden in training."""
    max_length: int = Field(30, ge=2, le=1000)
    """Most recent interactions read, L."""

    def model_post_init(self, _: Any) -> None:
        """Check what one field alone cannot show."""
        if self.width % self.heads:
            raise ConfigError(f"width must be a multiple of heads, got width {self.width} and heads {self.heads}")


class TrainingConfig(Config):
    """The training loop, the same for every arm of a comparison."""

    learning_rate: PositiveFloat = 0.01
    """AdamW step size after warm-up."""
    warmup_steps: NonNegativeInt = 50
    """Steps over which the step size grows from 0."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW decay of weight matrices."""
    table_weight_decay: float = Field(1.0, ge=0)
    """AdamW decay of the item table."""
    batch_size: PositiveInt = 128
    """Windows in a batch."""
    clip_norm: PositiveFloat = 5.0
    """Largest gradient norm."""
    ema: float = Field(0.99, ge=0, lt=1)
    """Decay of the moving average of weights, which is what is validated and kept."""
    max_epochs: PositiveInt = 80
    """Epochs at most."""
    patience: PositiveInt = 15
    """Epochs without a better validation NDCG@10 before training stops."""
    threads: PositiveInt = 2
    """CPU threads; fixed, because sums depend on it and a seed must give the same weights."""


class RefinementConfig(Config):
    """The refined model (DESIGN: additive form)."""

    mode: Literal["additive"] = "additive"
    """`additive`: guided profile times guided item, plus a retrained remainder over the reduced base embedding."""
    normalisation: Literal["z", "white"] = "z"
    """`z`: z-scores over items; `white`: ZCA-whitened, so that columns are uncorrelated."""
    decay: float = Field(0.85, gt=0, le=1)
    """Weight of an interaction in the guided profile relative to the next one; 1 is the plain mean."""
    shrinkage: float = Field(3.0, ge=0)
    """Pseudo-interactions that pull a short history's profile to the prior (the user's LLM scores, or 0)."""
    use_user_scores: bool = True
    """Let LLM user scores, where there are any, be the profile's prior."""
    control: Literal["none", "shuffled", "second_training"] = "none"
    """`shuffled`: guided rows permuted over items (placebo). `second_training`: the same training with no scores."""


class EvaluationConfig(Config):
    """What is measured on the test part."""

    cutoffs: tuple[PositiveInt, ...] = (10, 20)
    """K of Recall@K and NDCG@K."""
    bootstrap_samples: int = Field(2000, ge=100)
    """Resamples of users for the 95 % intervals."""
    neighbours: tuple[PositiveInt, ...] = (20, 100, 500)
    """Neighbours an item may keep in item-kNN; the best on the validation part is taken."""
    list_length: PositiveInt = 20
    """Length of the stored recommendation lists."""


class ProjectionConfig(Config):
    """UMAP maps of the base and refined item spaces."""

    neighbours: int = Field(15, ge=2)
    """UMAP's neighbourhood size."""
    min_dist: float = Field(0.15, ge=0, le=1)
    """UMAP's smallest distance between points on the map."""
    alignment: float = Field(0.01, ge=0)
    """AlignedUMAP's pull between an item's two positions."""
    compared_neighbours: int = Field(10, ge=1)
    """Neighbours compared between the two original spaces."""


class BuildConfig(Config):
    """Everything one build does, from a stored data set to maps."""

    split: SplitConfig = SplitConfig()
    encoder: EncoderConfig = EncoderConfig()
    training: TrainingConfig = TrainingConfig()
    refinement: RefinementConfig = RefinementConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    projection: ProjectionConfig = ProjectionConfig()
    seed: NonNegativeInt = 0
    """The seed from which all others descend."""
