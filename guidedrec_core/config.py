"""One frozen configuration model per component; the only place where defaults live.

Unknown keys and values out of range are refused. The same words are used on the command line, in the app and in
the manifests of stored runs.
"""

import hashlib
import json
import reprlib
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from guidedrec_core.errors import ConfigError

_FORMER_CONTROLS = {"shuffled": "placebo", "gaussian": "random_vectors"}
Control = Annotated[
    Literal["none", "placebo", "random_vectors", "categories", "second_training", "guided_only"],
    BeforeValidator(lambda name: _FORMER_CONTROLS.get(name, name) if isinstance(name, str) else name),
]
"""Name of a control; runs stored before version 0.2.0 have other names for two of them."""

Neighbours = Annotated[
    Literal["auto", "on", "off"],
    BeforeValidator(lambda value: ("on" if value else "off") if isinstance(value, bool) else value),
]
"""Whether item-kNN stands next to a model; settings stored before version 0.3.0 say true or false."""

Share = Annotated[float, Field(gt=0, le=1)]
"""A weight relative to a full one."""


_MOST_FIELDS, _LONGEST_VALUE = 10, 200  # of a message
# Values come from files of any size and depth.
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother, _REPR.maxlong = 6, _LONGEST_VALUE, _LONGEST_VALUE, _LONGEST_VALUE


def _named_fields(name: str, error: ValidationError) -> ConfigError:
    """Return our error for pydantic's: the wrong fields with what they got, the first of them if there are many."""
    found = error.errors()
    problems = [
        f"{_short('.'.join(map(str, e['loc']))) or name}: {e['msg']} (got {_short(_REPR.repr(e['input']))})"
        for e in found[:_MOST_FIELDS]
    ]
    more = f"; and {len(found) - _MOST_FIELDS:,} more" if len(found) > _MOST_FIELDS else ""
    return ConfigError(f"{name}: {'; '.join(problems)}{more}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass  # of no public name
else:
    ModelMetaclass = type(BaseModel)


class _OneError(ModelMetaclass):
    """Lets a constructor raise what `Config.parse` raises.

    On the type and not in ``__init__``, which pydantic would call for nested parts, too: their place in the whole would
    be lost from the message.
    """

    def __call__(cls, *args: Any, **values: Any) -> Any:  # noqa: N805
        """Create a configuration."""
        try:
            return super().__call__(*args, **values)
        except ValidationError as error:
            raise _named_fields(cls.__name__, error) from error


class Config(BaseModel, metaclass=_OneError):
    """Base of all configurations: frozen, unknown keys rejected, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Validate a plain dict, e.g. from a stored manifest.

        Raises
        ------
        ConfigError
            One line naming the wrong fields.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _named_fields(cls.__name__, error) from error

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
    # Left out of stored settings at 1, where it changes nothing.
    history_share: Share = Field(1.0, gt=0, le=1, exclude_if=lambda share: share == 1)
    """Share of each user's training history that is kept, the latest part; for studies of sparse data."""


class TiesConfig(Config):
    """How an import orders interactions of one user at the same moment, such as purchases of one day."""

    order: Literal["none", "shuffle", "column"] = "none"
    """`none`: as in the file. `shuffle`: at random. `column`: by a column of the file, smallest first."""
    column: str | None = Field(None, min_length=1)
    """The column (order `column` only)."""
    seed: NonNegativeInt = 0
    """Seed of the shuffle (order `shuffle` only)."""

    @model_validator(mode="after")
    def _column_where_needed(self) -> Self:
        """A column belongs to the order `column`, and only to it."""
        if (self.order == "column") != (self.column is not None):
            raise ValueError("a column is needed for the order 'column', and for no other")
        return self

    def describe(self) -> str:
        """Say how ties are ordered."""
        if self.order == "shuffle":
            return f"shuffled with seed {self.seed}"
        return "as in the file" if self.column is None else f"ordered by column {self.column}"

    def facts(self) -> dict[str, str]:
        """Return what a data set records as its source; nothing for `none`, as in data sets stored before."""
        return {} if self.order == "none" else {"ties": self.describe()}


AS_IN_THE_FILE = TiesConfig()
"""Ties keep the order of the file."""


class ReadingConfig(Config):
    """How an import reads times and weights where a file leaves a choice."""

    date_format: str | None = Field(None, min_length=1, max_length=100)
    """How dates are written: `day-first`, `month-first` or a strptime pattern; None takes ISO 8601 and Unix times."""
    event_weights: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Weight of each kind of interaction, 0 to leave it out; without any the file's kinds are not read."""
    min_rating: float | None = None
    """Leave out interactions whose weight in the file, such as a rating of stars, is below this."""

    def facts(self) -> dict[str, str]:
        """Return what a data set records as its source; nothing where nothing was chosen."""
        weights = ", ".join(f"{kind}={weight:g}" for kind, weight in sorted(self.event_weights.items()))
        rating = None if self.min_rating is None else f"{self.min_rating:g}"
        found = {"date_format": self.date_format, "event_weights": weights, "min_rating": rating}
        return {name: value for name, value in found.items() if value}


AS_WRITTEN = ReadingConfig()
"""Times are ISO 8601 or Unix times, and all interactions are kept with the weights of the file."""


# What does best for one architecture and not for the others, on validation or on what lies before it.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "gru4rec": {"max_length": 30},
    "bert4rec": {"max_length": 30, "item_dropout": 0.1},
}
_LEARNING_RATES = {"gru4rec": 0.02}


class EncoderConfig(Config):
    """Size of the sequence encoder, the same for the base and the refined model."""

    kind: Literal["sasrec", "gru4rec", "bert4rec"] = "sasrec"
    """Architecture."""
    width: int = Field(64, ge=4, le=1024)
    """Embedding width d; a multiple of `heads`."""
    blocks: int = Field(1, ge=1, le=12)
    """Transformer blocks."""
    heads: int = Field(2, ge=1, le=16)
    """Attention heads."""
    feedforward: int = Field(128, ge=1, le=8192)
    """Width of the feed-forward layer."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout in the blocks."""
    item_dropout: float = Field(0.2, ge=0, lt=1)
    """Probability that an input item is hidden in training; for bert4rec 0.1 by default."""
    max_length: int = Field(50, ge=2, le=1000)
    """Most recent interactions read, L; for gru4rec and bert4rec 30 by default."""
    copies: int = Field(8, ge=1, le=100)
    """Times a window is read in an epoch, each time up to another step (bert4rec of several blocks only)."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_kind(cls, values: Any) -> Any:
        """Fill in the defaults of one architecture."""
        if not isinstance(values, dict):
            return values
        return {**_DEFAULTS.get(str(values.get("kind")), {}), **values}

    def model_post_init(self, _: Any) -> None:
        """Check what one field alone cannot show."""
        if self.width % self.heads:
            raise ConfigError(f"width must be a multiple of heads, got width {self.width} and heads {self.heads}")


class ExternalConfig(Config):
    """A base model of vectors that the user brings; a source is ``FILE`` or ``FILE::TENSOR``."""

    item_vectors: tuple[str, ...] = ()
    """Sources of item vectors; several are fused."""
    user_vectors: str | None = None
    """Source of user vectors that go with the item vectors; None makes all from the histories."""
    item_bias: str | None = None
    """Source of one number per item, added to its scores."""
    similarity: Literal["dot", "cosine"] | None = None
    """How user and item vectors are compared; None is `dot` with user vectors, else `cosine`."""
    decay: float | None = Field(None, gt=0, le=1)
    """Weight of an interaction in a vector made from a history, relative to the next; None: chosen by validation."""
    width: PositiveInt | None = None
    """Width to which PCA reduces item vectors; None keeps one source as it is, and fuses several into 64."""

    def model_post_init(self, _: Any) -> None:
        """Check what one field alone cannot show."""
        if self.user_vectors is not None and (len(self.item_vectors) > 1 or self.width is not None):
            raise ConfigError(
                "user_vectors belong to the item vectors of one source as they are, got "
                f"{len(self.item_vectors)} sources and width {self.width}; leave out user_vectors, or the rest"
            )


class TrainingConfig(Config):
    """The training loop, the same for every arm of a comparison."""

    learning_rate: float = Field(0.01, gt=0, le=1)
    """AdamW step size after warm-up; for gru4rec 0.02 by default."""
    warmup_steps: NonNegativeInt = 50
    """Steps over which the step size grows from 0."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW decay of weight matrices."""
    table_weight_decay: float = Field(1.0, ge=0)
    """AdamW decay of the item table."""
    batch_size: int = Field(128, ge=1, le=65_536)
    """Windows of histories per batch on average; a batch of short windows holds more of them, so that every batch has
    about equally many targets."""
    clip_norm: PositiveFloat = 5.0
    """Largest gradient norm."""
    ema: float = Field(0.99, ge=0, lt=1)
    """Decay of the moving average of weights, which is what is validated and kept."""
    max_epochs: PositiveInt = 120
    """Maximum number of epochs."""
    patience: PositiveInt = 15
    """Epochs without a better validation NDCG@10 before training stops."""
    loss: Literal["softmax", "sampled", "gbce", "bce"] = "softmax"
    """`softmax`: over all items. `sampled`: over the target and `negatives` shared by a batch. `gbce`: binary,
    calibrated, `negatives` per target. `bce`: binary, one negative. Past some 50,000 items `sampled` is the fast
    one."""
    negatives: int = Field(256, ge=1, le=65_536)
    """Items a target is compared with (sampled and gbce only)."""
    popularity_power: float = Field(0.75, ge=0, le=1)
    """Negatives are drawn by their number of training interactions to this power; 0 is uniform (sampled only)."""
    calibration: float = Field(0.75, ge=0, le=1)
    """The paper's t: 1 makes scores as calibrated as those of all items, 0 is plain bce (gbce only)."""
    validation_cases: PositiveInt = 10_000
    """Validation cases at most, drawn at random; it bounds validation where there are many users."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the GPU if there is one."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the products over the whole catalogue in training; all else is float32. `auto`: bfloat16 where it is fast."""
    threads: int = Field(1, ge=1, le=1024)
    """CPU threads. Fixed and not chosen by load or cores, because sums depend on it and a seed must give the same
    weights. On a few thousand items a second thread gains little; next to other busy programs it can lose much."""


class RefinementConfig(Config):
    """The refined model: guided embedding refinement (arXiv 2504.11658); formulas in `guidedrec_core.refinement`."""

    mode: Literal["additive", "literal", "head", "named"] = "additive"
    """`additive`: guided profile times guided item, plus a retrained remainder over the reduced base embedding.
    `literal`: the paper's, retrained over a frozen refined embedding. `head`: nothing is trained. `named`:
    items consist of attributes and facts alone, without the base model. In every mode a head then weighs base model,
    refined model and attributes on the validation part."""
    normalisation: Literal["z", "white"] = "z"
    """`z`: z-scores over items; `white`: ZCA-whitened, so that columns are uncorrelated."""
    # Left out of stored settings where it changes nothing.
    doubt: Literal["ignore", "shrink"] = Field("ignore", exclude_if=lambda doubt: doubt == "ignore")
    """`shrink`: a score is shrunk towards the average by how little repeated passes agree on it; overridden
    scores count in full. `ignore`: all count in full."""
    decay: float = Field(0.85, gt=0, le=1)
    """Weight of an interaction in the guided profile relative to the next one; 1 is the plain mean."""
    shrinkage: float = Field(3.0, ge=0)
    """Pseudo-interactions that pull a short history's profile to the prior (the user's LLM scores, or 0)."""
    use_user_scores: bool = True
    """Let LLM user scores, where there are any, be the profile's prior (additive) or start (literal)."""
    cold: Literal["auto", "anchored", "off"] = "auto"
    """`anchored`: item vectors depend on guided scores, so that items without training interactions are ranked, too
    (additive only). `auto`: where at least 1 % of validation targets are such items; elsewhere it costs more (3 % of
    MRR on MovieLens) than it gains (1 % on MovieTweetings)."""
    anchor_dropout: float = Field(0.2, ge=0, lt=1)
    """Share of items that must do with their guided scores in a training step (anchored only)."""
    neighbours: Neighbours = "auto"
    """Recency-weighted item-kNN next to the model, weighted on the validation part. `auto`: where it improves the
    ranks of validation users that the weights were not fitted on; `on`: always; `off`: never."""
    trend: tuple[PositiveFloat, ...] = (0.2, 1.0)
    """Half-lives of recent popularity, each a popularity of its own in the head, in lengths of the validation period
    (temporal split only)."""
    facts: tuple[str, ...] | None = Field(None, exclude_if=lambda facts: facts is None)
    """Names of the facts that name what attributes do not: columns of the catalogue, ``season``, ``trend``,
    ``popularity``; None is all that the data set has."""
    attributes: tuple[NonNegativeInt, ...] | None = Field(None, min_length=1)
    """Positions of the attributes used, for ablations; None is all."""
    head_penalty: PositiveFloat = 1.0
    """Precision of the normal prior that holds the head's weights to the models alone."""
    control: Control = "none"
    """What stands in for the guided scores. `placebo`: the same rows, shuffled over items. `random_vectors`: noise.
    `categories`: the catalogue's categories. `second_training`: nothing. `guided_only`: the scores alone, without the
    base embedding."""


class PopularityConfig(Config):
    """Popularity."""

    half_life: PositiveFloat | None = None
    """Age at which an interaction counts half, in lengths of the validation period (temporal split only); None: all
    count alike."""


class ItemKNNConfig(Config):
    """Item-kNN; the defaults are its plain form, which minds no order."""

    neighbours: PositiveInt = 100
    """Neighbours an item keeps, K."""
    decay: Share = 1.0
    """Weight of an interaction of the history relative to the next one."""
    closeness: Share = 1.0
    """Factor on a user's share in two items' likeness for every step that lies between them in the history."""
    backward: Share = 1.0
    """Weight of users who met the candidate before the item of the history, relative to those who met it after."""


class EASEConfig(Config):
    """EASE, the linear model in closed form."""

    penalty: PositiveFloat = 100.0
    """Its lambda: squared weights are penalised by it."""
    decay: Share = 1.0
    """Weight of an interaction of the history relative to the next one."""


class BaselineConfig(Config):
    """Grids from which the simple baselines are chosen, each on the validation part."""

    half_lives: tuple[PositiveFloat, ...] = (0.2, 1.0)
    """Half-lives of recent popularity, tried next to that of all times, in lengths of the validation period (temporal
    split only)."""
    neighbours: tuple[PositiveInt, ...] = Field((20, 100, 500), min_length=1)
    """Neighbours of plain item-kNN."""
    decay: tuple[Share, ...] = Field((1.0, 0.9, 0.8, 0.65, 0.5), min_length=1)
    """Decay of the history in recency-weighted item-kNN and EASE."""
    recency_neighbours: tuple[PositiveInt, ...] = Field((100, 1000), min_length=1)
    """Neighbours of recency-weighted item-kNN."""
    closeness: tuple[Share, ...] = Field((0.95,), min_length=1)
    """Closeness in recency-weighted item-kNN."""
    backward: tuple[Share, ...] = Field((1.0, 0.2), min_length=1)
    """Weight of the reverse order in recency-weighted item-kNN."""
    penalty: tuple[PositiveFloat, ...] = Field((30.0, 100.0, 300.0), min_length=1)
    """Penalty of EASE."""


class EvaluationConfig(Config):
    """What is measured on the test part."""

    cutoffs: tuple[PositiveInt, ...] = (10, 20)
    """K of Recall@K and NDCG@K."""
    bootstrap_samples: int = Field(2000, ge=100, le=100_000)
    """Resamples of users for the 95 % intervals."""
    baselines: BaselineConfig = BaselineConfig()
    controls: Literal["core", "all"] = "core"
    """Controls trained next to the refined model. `core`: shuffled rows (placebo) and second training. `all`: random
    vectors, categories instead of scores, and guided scores alone, too."""
    list_length: PositiveInt = 20
    """Length of the stored recommendation lists."""


class AblationConfig(Config):
    """What each attribute is worth: the refined model made anew without it, with it alone, with the first few."""

    mode: Literal["head", "additive", "literal"] = "head"
    """How the model is made anew for each choice of attributes. `head` takes seconds and keeps every term but item-kNN;
    the others take a training each."""
    bootstrap_samples: int = Field(2000, ge=100, le=100_000)
    """Resamples of users for the 95 % intervals."""


class SparsityConfig(Config):
    """What is left of the gain where histories are shorter."""

    shares: tuple[Share, ...] = Field((1.0, 0.5, 0.25), min_length=1)
    """Shares of each user's training history, the latest part; base, refined model and controls are made for each."""


class AuditConfig(Config):
    """Whether explanations are true: how much is asked for the answer."""

    users: PositiveInt = 500
    """Users at most whose values are asked for, drawn at random."""
    list_length: PositiveInt = 10
    """Length of the lists whose response to an attribute is measured."""
    explained: PositiveInt = 100
    """Users at most whose first recommendation is explained; what the explanation names is taken away to test it."""
    bootstrap_samples: int = Field(2000, ge=100, le=100_000)
    """Resamples of users for the 95 % intervals."""


class ScoringConfig(Config):
    """How a language model is asked for guided scores."""

    model: str = Field(min_length=1)
    """The server's name of the model."""
    base_url: str | None = None
    """Server that speaks OpenAI's protocol; None: `$OPENAI_BASE_URL`, else OpenAI's."""
    concurrency: int = Field(16, ge=1, le=1000)
    """Maximum number of requests in flight."""
    items_per_request: int = Field(10, ge=1, le=100)
    """Maximum number of items or users in one request; fewer where replies would get too long. 1 scores each alone."""
    max_request_tokens: int = Field(8000, ge=500)
    """Maximum tokens of a request, prompt and reply together."""
    attempts: PositiveInt = 3
    """Attempts per item before it is given up; the last one alone."""
    requests_per_minute: PositiveInt | None = None
    """Maximum requests per minute, failed ones included; unlimited when not set."""
    tokens_per_minute: PositiveInt | None = None
    """Maximum tokens per minute, prompts and replies together, failed requests included; unlimited when not set."""
    budget: PositiveFloat | None = None
    """USD that one run may cost, failed requests that may be billed included; it stops before it passes them. Unlimited
    when not set."""
    passes: int = Field(1, ge=1, le=20)
    """Number of passes over everything, each in another order; the score is the median."""
    columns: tuple[str, ...] = Field(("title", "category", "price", "description"), min_length=1)
    """Columns of the catalogue that the model reads, in this order; it may lack `price` and `description`."""
    max_characters: PositiveInt = 1000
    """Longer texts of items are cut."""
    history: PositiveInt = 30
    """Most recent titles of a user's training history that the model reads."""
    reuse: Literal["schema", "attribute"] = "schema"
    """What may be taken from earlier answers. `schema`: those to exactly these attributes, asked together.
    `attribute`: every attribute that was scored in the same words before, whichever others were scored with it."""
    timeout: PositiveFloat = 60.0
    """Seconds to wait for one answer; models without a GPU may need more."""
    temperature: float = Field(0.0, ge=0, le=2)
    """0 gives the likeliest answer."""
    price: tuple[NonNegativeFloat, NonNegativeFloat] | None = None
    """USD per million tokens, input and output; None: the list price of the model, if it is known."""


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
    external: ExternalConfig | None = None
    """The base model, if it is one of vectors that the user brings; `encoder` is then the refined model's alone."""
    training: TrainingConfig = TrainingConfig()
    refinement: RefinementConfig = RefinementConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    projection: ProjectionConfig = ProjectionConfig()
    seed: NonNegativeInt = 0
    """The seed from which all others descend."""

    @model_validator(mode="before")
    @classmethod
    def _learning_rate_of_the_architecture(cls, values: Any) -> Any:
        """Fill in the learning rate where none is chosen and the architecture has one of its own."""
        if not isinstance(values, dict):
            return values
        encoder, training = (_chosen(values.get(part, {})) for part in ("encoder", "training"))
        if not isinstance(encoder, dict) or not isinstance(training, dict):
            return values
        rate = _LEARNING_RATES.get(str(encoder.get("kind")))
        return values if rate is None else {**values, "training": {"learning_rate": rate, **training}}


def _chosen(part: Any) -> Any:
    """Return what was chosen in a part of a configuration, without its defaults; what is none is left as it is."""
    return part.model_dump(exclude_unset=True) if isinstance(part, Config) else part
