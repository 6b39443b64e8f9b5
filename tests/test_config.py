from typing import Any

import pytest

from guidedrec_core import config as configs
from guidedrec_core.config import (
    BuildConfig,
    Config,
    EncoderConfig,
    EvaluationConfig,
    RefinementConfig,
    ScoringConfig,
    TrainingConfig,
)
from guidedrec_core.errors import ConfigError

ALL = [
    kind for kind in vars(configs).values() if isinstance(kind, type) and issubclass(kind, Config) and kind != Config
]
REQUIRED: dict[type[Config], dict[str, Any]] = {ScoringConfig: {"model": "small"}}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_configuration_goes_round_and_explains_each_field(kind: type[Config]) -> None:
    made = kind.parse(REQUIRED.get(kind, {}))
    assert kind.parse(made.model_dump(mode="json")) == made
    assert kind.parse(made.model_dump(mode="json")).digest() == made.digest()
    for name, field in kind.model_fields.items():
        nested = isinstance(getattr(made, name), Config)
        assert nested or field.description, f"{kind.__name__}.{name} needs a docstring"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_configuration_refuses_unknown_keys_and_changes(kind: type[Config]) -> None:
    with pytest.raises(ConfigError, match="n_layers: Extra inputs are not permitted"):
        kind.parse({"n_layers": 2})
    name = next(iter(kind.model_fields))
    made = kind.parse(REQUIRED.get(kind, {}))
    with pytest.raises(ValueError, match="frozen"):
        setattr(made, name, getattr(made, name))


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (TrainingConfig, {"learning_rate": 0, "patience": 0}, r"learning_rate: .*got 0.*; patience: .*got 0"),
        (TrainingConfig, {"learning_rate": float("inf")}, "learning_rate: .*finite"),
        (TrainingConfig, {"weight_decay": float("nan")}, "weight_decay: .*finite"),
        (EncoderConfig, {"width": 10, "heads": 4}, "multiple of heads, got width 10 and heads 4"),
        (ScoringConfig, {"budget": 1}, "model: Field required"),
        (ScoringConfig, {"model": "m", "price": [1, -1]}, r"price\.1: .*greater than or equal to 0"),
        (BuildConfig, {"encoder": {"widht": 8}}, r"encoder\.widht: Extra inputs"),
        (BuildConfig, {"split": {"kind": "random"}}, r"split\.kind: .*got 'random'"),
    ],
)
def test_what_is_out_of_range_is_named(kind: type[Config], values: dict[str, Any], message: str) -> None:
    for make in (kind.parse, lambda given: kind(**given)):
        with pytest.raises(ConfigError, match=message):
            make(values)


@pytest.mark.parametrize(
    ("kind", "field", "most"),
    [
        (EncoderConfig, "feedforward", 8192),
        (EncoderConfig, "copies", 100),
        (TrainingConfig, "threads", 1024),
        (TrainingConfig, "negatives", 65_536),
        (TrainingConfig, "batch_size", 65_536),
        (TrainingConfig, "learning_rate", 1),
        (EvaluationConfig, "bootstrap_samples", 100_000),
    ],
)
def test_what_no_machine_could_hold_is_refused_before_it_is_tried(kind: type[Config], field: str, most: int) -> None:
    assert getattr(kind.parse({field: most}), field) == most
    for value in (most + 1, 10**30):
        with pytest.raises(ConfigError, match=f"{field}: Input should be less than or equal to {most}"):
            kind.parse({field: value})


def test_a_digest_sees_every_value_but_not_the_order_given() -> None:
    assert BuildConfig(seed=1).digest() != BuildConfig().digest()
    assert TrainingConfig(patience=5, ema=0.9).digest() == TrainingConfig(ema=0.9, patience=5).digest()


@pytest.mark.parametrize(
    ("kind", "item_dropout", "max_length"), [("sasrec", 0.2, 50), ("gru4rec", 0.2, 30), ("bert4rec", 0.1, 30)]
)
def test_an_architecture_has_defaults_of_its_own_that_give_way(kind: str, item_dropout: float, max_length: int) -> None:
    config = EncoderConfig.parse({"kind": kind})
    assert (config.item_dropout, config.max_length) == (item_dropout, max_length)
    assert EncoderConfig.parse(config.model_dump(mode="json")) == config
    result = EncoderConfig.parse({"kind": kind, "item_dropout": 0.3, "max_length": 7})
    assert (result.item_dropout, result.max_length) == (0.3, 7)


@pytest.mark.parametrize(("kind", "rate"), [("sasrec", 0.01), ("gru4rec", 0.02), ("bert4rec", 0.01)])
def test_an_architecture_has_a_learning_rate_of_its_own_that_gives_way(kind: str, rate: float) -> None:
    def rates(training: Any) -> set[float]:
        made = [BuildConfig(encoder=EncoderConfig.parse({"kind": kind}), training=training)]
        if isinstance(training, TrainingConfig):
            training = training.model_dump(exclude_unset=True)
        made.append(BuildConfig.parse({"encoder": {"kind": kind}, "training": training}))
        assert all(BuildConfig.parse(config.model_dump(mode="json")) == config for config in made)
        assert {config.training.patience for config in made} == {training.get("patience", TrainingConfig().patience)}
        return {config.training.learning_rate for config in made}

    assert BuildConfig.parse({"encoder": {"kind": kind}}).training.learning_rate == rate
    assert rates({"patience": 3}) == rates(TrainingConfig(patience=3)) == {rate}
    for chosen in (0.01, 0.5):
        assert rates({"learning_rate": chosen}) == rates(TrainingConfig(learning_rate=chosen)) == {chosen}


def test_a_wrong_training_part_is_named_whatever_the_architecture() -> None:
    with pytest.raises(ConfigError, match=r"training: .*got 7"):
        BuildConfig.parse({"encoder": {"kind": "gru4rec"}, "training": 7})


def test_the_architecture_is_sasrec_unless_told_otherwise() -> None:
    assert EncoderConfig() == EncoderConfig.parse({"kind": "sasrec"})
    with pytest.raises(ConfigError, match="kind"):
        EncoderConfig.parse({"kind": ["gru4rec"]})


def test_stored_names_and_values_are_understood() -> None:
    assert RefinementConfig.parse({"control": "shuffled"}) == RefinementConfig(control="placebo")
    assert RefinementConfig.parse({"control": "gaussian"}) == RefinementConfig(control="random_vectors")
    for stored, meant in ((True, "on"), (False, "off"), ("auto", "auto")):
        assert RefinementConfig.parse({"neighbours": stored}).neighbours == meant
    with pytest.raises(ConfigError, match=r"control: .*got 'mixed'"):
        RefinementConfig.parse({"control": "mixed"})
