"""An item outside the catalogue is scored as if it stood there, and nobody had taken it."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from tiny import ENCODER, arrays, random_histories

from guidedrec_core.config import ItemKNNConfig, RefinementConfig
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.models.registry import make_encoder
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_fit import HeadWeights
from guidedrec_core.refinement.literal import LiteralRefinedModel

N_USERS, N_ITEMS, A = 20, 24, 3
K = ENCODER.width - A
RNG = np.random.default_rng(0)
COLD = np.isin(np.arange(N_ITEMS), [0, 7, 23])
RAW = RNG.uniform(0, 10, (N_ITEMS, A)).astype(np.float32)
WARM = np.flatnonzero(~COLD)
HISTORIES = arrays([WARM[h].tolist() for h in random_histories(RNG, N_USERS, len(WARM), 9)])
INTERACTIONS = np.bincount(np.concatenate(HISTORIES), minlength=N_ITEMS)
COUNTS = np.stack([INTERACTIONS, 0.3 * INTERACTIONS], axis=1)
TABLES = {
    name: RNG.normal(size=(N_ITEMS + 1, width)).astype(np.float32) for name, width in (("base", 4), ("reduced", K))
}
BIAS = {name: RNG.normal(size=N_ITEMS + 1).astype(np.float32) for name in ("base", "refined")}
USERS, SHOWN = np.array([0, 3, 5, -1]), [HISTORIES[0], HISTORIES[3], arrays([[]])[0], HISTORIES[9]]
# What an item knows of itself without training events must not show, so it is large.
for table in (*TABLES.values(), *BIAS.values()):
    table[np.append(COLD, True)] = 50


def additive(guided: GuidedEmbedding, cold: np.ndarray | None) -> AdditiveRefinedModel:
    """Return a model over as many items as `guided` holds, whose numbers are drawn, not learned."""
    n, config = len(guided.values), RefinementConfig()
    model = AdditiveRefinedModel(
        make_encoder(ENCODER, 0), guided, TABLES["reduced"][:n], BIAS["refined"][:n], config, None, cold
    )
    draw = np.random.default_rng(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name not in ("reduced", "bias") and not name.startswith("encoder"):
                parameter.copy_(torch.from_numpy(draw.normal(size=parameter.shape)))
    return model


def literal(guided: GuidedEmbedding) -> LiteralRefinedModel:
    n, users = len(guided.values), RNG.normal(size=(N_USERS, A)).astype(np.float32)
    model = LiteralRefinedModel(
        make_encoder(ENCODER, 0), guided, TABLES["reduced"][:n], BIAS["refined"][:n], RefinementConfig(), users
    )
    model.initialise(0)
    return model


def base(n: int) -> ExternalModel:
    return ExternalModel(TABLES["base"][:n], "dot", 0.9, None, None, BIAS["base"][:n])


def neighbours(n: int) -> ItemKNNModel:
    users = np.repeat(np.arange(N_USERS), [len(h) for h in HISTORIES])
    return ItemKNNModel(users, np.concatenate(HISTORIES), N_USERS, n, ItemKNNConfig(neighbours=5))


def headed(
    guided: GuidedEmbedding, inner: Any, counts: np.ndarray, models: tuple[bool, bool] = (True, True)
) -> HeadModel:
    """Put a head on it, whose weights are drawn."""
    n, (with_base, with_neighbours) = len(guided.values), models
    head = HeadModel(
        base(n) if with_base else None,
        inner,
        TABLES["base"][:n],
        guided,
        counts,
        RefinementConfig(),
        True,
        neighbours(n) if with_neighbours else None,
    )
    draw = np.random.default_rng(2)
    sizes = (len(head.models), counts.shape[1], A, A)
    head.learned = HeadWeights(*(draw.normal(size=size) for size in sizes))
    head.cold_offset = -1.25
    return head


def with_one_more(guided: GuidedEmbedding, row: np.ndarray) -> GuidedEmbedding:
    values, missing = np.concatenate([guided.values, row]), np.append(guided.missing, [[False] * A], axis=0)
    return GuidedEmbedding(values, missing, guided.mean, guided.scale)


@pytest.mark.parametrize("models", [(True, True), (True, False), (False, False)])
@pytest.mark.parametrize("trained", [True, False])
def test_it_scores_as_if_it_had_been_added_to_the_catalogue(trained: bool, models: tuple[bool, bool]) -> None:
    guided = GuidedEmbedding.of(RAW)
    row = np.array([[1.5, -0.7, 0.2]], np.float32)
    more, cold = with_one_more(guided, row), np.append(COLD, True)
    head = headed(guided, additive(guided, COLD) if trained else None, COUNTS, models)
    other = headed(more, additive(more, cold) if trained else None, np.append(COUNTS, [[0, 0]], axis=0), models)
    # What was fitted on the catalogue stays: the new item has no say in it.
    logs = np.log1p(COUNTS)
    none = (0 - logs.mean(axis=0)) / logs.std(axis=0)
    other.mix, other.popularity = head.mix, np.append(head.popularity, [none], axis=0).astype(np.float32)
    parts = head.new_item_parts(USERS, SHOWN, row)
    added = other.parts(USERS, SHOWN)
    assert_allclose(parts.scores[:, 0], added.scores[:, N_ITEMS], rtol=1e-5, atol=1e-5)
    assert_allclose(other.scores(USERS, SHOWN)[:, :N_ITEMS], head.scores(USERS, SHOWN), rtol=1e-4, atol=1e-4)
    assert_allclose(parts.slopes, added.slopes, rtol=1e-5, atol=1e-5)
    assert_allclose(parts.remainder[:, 0], added.remainder[:, N_ITEMS], rtol=1e-5, atol=1e-5)
    assert_allclose(parts.bias[0], added.bias[N_ITEMS], rtol=1e-5, atol=1e-5)
    assert np.ptp(parts.scores) > 0.1


@pytest.mark.parametrize("trained", [True, False])
def test_items_of_the_catalogue_that_nobody_took_score_as_new_ones_with_their_attributes(trained: bool) -> None:
    guided = GuidedEmbedding.of(RAW, "white")
    head = headed(guided, additive(guided, COLD) if trained else None, COUNTS)
    parts = head.new_item_parts(USERS, SHOWN, guided.values[COLD])
    assert parts.scores.shape == parts.remainder.shape == (4, 3)
    assert_allclose(parts.scores, head.scores(USERS, SHOWN)[:, COLD], rtol=1e-5, atol=1e-5)
    total = parts.slopes @ guided.values[COLD].T + parts.remainder + parts.bias
    assert_allclose(parts.scores, total, rtol=1e-5, atol=1e-5)


def test_the_anchor_tells_the_other_half_of_the_refined_embedding() -> None:
    guided = GuidedEmbedding.of(RAW)
    head = headed(guided, additive(guided, COLD), COUNTS)
    inner: Any = head.refined
    found = head.new_item_remainders(guided.values[COLD])
    assert_allclose(found, inner.item_remainders()[COLD], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", ["additive", "literal"])
def test_without_anchor_all_but_the_attributes_is_that_of_an_average_item(form: str) -> None:
    guided = GuidedEmbedding.of(RAW)
    model: Any = additive(guided, None) if form == "additive" else literal(guided)
    g = np.array([[0, 0, 0], [1, -2, 0.5]], np.float32)
    parts, catalogue = model.new_item_parts(USERS, SHOWN, g), model.parts(USERS, SHOWN)
    assert_allclose(parts.scores[:, 0], catalogue.scores.mean(axis=1), rtol=1e-4, atol=1e-4)
    assert_allclose(parts.scores[:, 1] - parts.scores[:, 0], parts.slopes @ g[1], rtol=1e-4, atol=1e-4)
    assert_allclose(parts.slopes, catalogue.slopes, rtol=1e-6)
    assert_allclose(parts.profile, catalogue.profile, rtol=1e-6)
    assert model.new_item_remainders(g) is None
    assert headed(guided, model, COUNTS).new_item_remainders(g) is None
    assert headed(guided, None, COUNTS).new_item_remainders(g) is None
