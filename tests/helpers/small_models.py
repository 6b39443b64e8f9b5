"""Small models of every mode over every kind of base, with known weights and none of them 0."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tiny import ENCODER

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ItemKNNConfig, RefinementConfig
from guidedrec_core.explanation.question import Question
from guidedrec_core.facts.fact import Fact, Facts, standardised
from guidedrec_core.facts.splines import spline_columns
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.naming.lines import NamedColumns
from guidedrec_core.naming.model import NamedModel, named_vectors, user_moments
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_fit import HeadWeights
from guidedrec_core.refinement.literal import LiteralRefinedModel, same_spread
from guidedrec_core.vectors.pca import pca

N_USERS, N_ITEMS, A = 20, 25, 3
RNG = np.random.default_rng(0)
RAW = RNG.uniform(0, 10, (N_ITEMS, A)).astype(np.float32)
RAW[[1, 4], [0, 2]] = np.nan
GUIDED = GuidedEmbedding.of(RAW)
COPIES = GuidedEmbedding.of(np.hstack([RAW, 10 - RAW[:, :1]]))
USER_SCORES = RNG.normal(size=(N_USERS, A)).astype(np.float32)
COLD = np.isin(np.arange(N_ITEMS), [0, 24])
KINDS = ("sasrec", "gru4rec", "bert4rec", "external")


def base_of(kind: str) -> Any:
    if kind == "external":
        rng = np.random.default_rng(1)
        vectors, bias = rng.normal(size=(N_ITEMS, 6)), rng.normal(size=N_ITEMS)
        return ExternalModel(vectors.astype(np.float32), "cosine", 0.8, None, None, bias.astype(np.float32))
    return stirred(make_base(ENCODER.model_copy(update={"kind": kind}), N_ITEMS, 0))


def stirred(model: torch.nn.Module) -> Any:
    """Move every weight, as training would, so that no part of a score is 0."""
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=draw), alpha=0.3)
    return model


def encoder_of(kind: str) -> Any:
    return make_encoder(ENCODER.model_copy(update={"kind": "sasrec" if kind == "external" else kind}), 0)


def additive(kind: str, cold: np.ndarray | None = None, n_reduced: int = 5, guided: GuidedEmbedding = GUIDED) -> Any:
    base = base_of(kind)
    reduced = pca(base.item_embedding(), 5)[:, :n_reduced]
    users = USER_SCORES if guided.values.shape[1] else None
    model = AdditiveRefinedModel(encoder_of(kind), guided, reduced, base.item_bias(), RefinementConfig(), users, cold)
    model.initialise(0)
    return stirred(model)


def literal(kind: str) -> Any:
    base = base_of(kind)
    reduced = same_spread(pca(base.item_embedding(), 5))
    config = RefinementConfig()
    model = LiteralRefinedModel(encoder_of(kind), GUIDED, reduced, base.item_bias(), config, USER_SCORES)
    model.initialise(0)
    return stirred(model)


def neighbours() -> ItemKNNModel:
    rng = np.random.default_rng(2)
    users, items = rng.integers(0, N_USERS, 200), rng.integers(0, N_ITEMS, 200)
    pairs = np.unique(np.stack([users, items]), axis=1)
    return ItemKNNModel(pairs[0], pairs[1], N_USERS, N_ITEMS, ItemKNNConfig(neighbours=5))


def head(base: Any, refined: Any = None, guided: GuidedEmbedding = GUIDED, beside: Any = None) -> HeadModel:
    """Put a head with known weights on frozen models; two items have no interactions."""
    rng = np.random.default_rng(3)
    interactions = np.where(COLD, 0, rng.integers(1, 50, N_ITEMS))[:, None] * np.array([1.0, 0.2])
    embedding, config = np.zeros((N_ITEMS, 2), np.float32), RefinementConfig()
    model = HeadModel(base, refined, embedding, guided, interactions, config, neighbours=beside)
    profile, everyone = rng.normal(size=(2, guided.values.shape[1]))
    tau = {"base": 0.8, "refined": 0.6, "item_knn": 1.7}
    model.learned = HeadWeights(np.array([tau[name] for name in model.models]), np.array([0.4, 0.2]), profile, everyone)
    model.cold_offset = -0.5
    return model


def alone(kind: str, cold: np.ndarray | None = None) -> HeadModel:
    return head(None, additive(kind, cold, n_reduced=0))


def second_training(kind: str) -> HeadModel:
    none = GUIDED.take([])
    return head(base_of(kind), additive(kind, guided=none), none)


def over(make: Callable[..., Any], *more: Any, beside: bool = False) -> Callable[[str], HeadModel]:
    """Return a function that puts a head on a base model and a refined one."""
    return lambda kind: head(base_of(kind), make(kind, *more), beside=neighbours() if beside else None)


MAKERS: dict[str, Callable[[str], Any]] = {
    "additive-itself": additive,
    "anchored-itself": lambda kind: additive(kind, COLD),
    "literal-itself": literal,
    "additive": over(additive),
    "anchored": over(additive, COLD),
    "guided-only": alone,
    "anchored-guided-only": lambda kind: alone(kind, COLD),
    "second-training": second_training,
    "literal": over(literal),
    "head": lambda kind: head(base_of(kind)),
    "head-alone": lambda _: head(None),
    "head-on-copies": lambda kind: head(base_of(kind), guided=COPIES),
    "head-beside-item-knn": lambda kind: head(base_of(kind), beside=neighbours()),
    "anchored-beside-item-knn": over(additive, COLD, beside=True),
    "literal-beside-item-knn": over(literal, beside=True),
}


NAMED_FORMS = [form for form in MAKERS if not form.endswith("-itself") and form != "second-training"]


def facts() -> Facts:
    """Make three facts of the items: one of categories, one number, and popularity."""
    rng = np.random.default_rng(7)
    kinds, price, counts = rng.integers(0, 4, N_ITEMS), rng.uniform(1, 100, N_ITEMS), rng.integers(0, 50, N_ITEMS)
    marks = standardised(np.eye(4)[kinds])
    none = ("",) * N_ITEMS
    return Facts(
        (
            Fact("category", "Category", "categories", marks, tuple("abcd"), tuple("abcd"[kind] for kind in kinds)),
            Fact("price", "Price", "number", spline_columns(price, 2), ("",) * 5, none, price),
            Fact("popularity", "Popularity", "popularity", spline_columns(np.log1p(counts), 1), ("",) * 4, none),
        ),
        N_ITEMS,
    )


def named(form: str, kind: str) -> NamedModel:
    """Name the parts of a small model's scores."""
    return named_over(MAKERS[form](kind))


def named_over(model: HeadModel) -> NamedModel:
    """Name the parts of a model's scores by its attributes and three facts."""
    names = [f"attribute_{number}" for number in range(model.n_attributes)]
    schema = AttributeSchema(attributes=tuple(Attribute(name=name, low="low", high="high") for name in names))
    rng = np.random.default_rng(8)
    users = np.arange(N_USERS)
    histories = [rng.integers(0, N_ITEMS, rng.integers(1, 12)) for _ in users]
    columns = NamedColumns.of(schema, model.item_values(), facts())
    weights = rng.uniform(0, 3, N_ITEMS)
    return NamedModel.fit(model, columns, named_vectors(model), weights, user_moments(model, users, histories))


def random_questions(n_items: int, longest: int = 8, count: int = 12) -> list[Question]:
    """Draw users, histories of 2 to `longest` - 2 items, and an item for each that its history does not hold."""
    rng = np.random.default_rng(1)
    drawn = [rng.permutation(n_items)[: rng.integers(3, longest)] for _ in range(count)]
    return [Question(user, each[1:], int(each[0])) for user, each in enumerate(drawn)]
