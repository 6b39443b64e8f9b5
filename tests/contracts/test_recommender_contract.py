"""What every recommender promises, checked alike for all of them: a new model's test is one entry in `MODELS`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import ENCODER, TRAINING, arrays, random_histories, sequences_of
from torch import nn

from guidedrec_core.config import EASEConfig, ItemKNNConfig, RefinementConfig
from guidedrec_core.data.sequences import TrainingWindows
from guidedrec_core.models.base import ItemScorer
from guidedrec_core.models.ease import EASEModel
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.models.itemknn import ItemKNNModel
from guidedrec_core.models.popularity import PopularityModel
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.literal import LiteralRefinedModel, same_spread
from guidedrec_core.training.loop import train

N_USERS, N_ITEMS, N_ATTRIBUTES = 12, 17, 3
SEQUENCES = sequences_of(random_histories(np.random.default_rng(0), N_USERS, N_ITEMS - 1, 14), N_ITEMS)
COLD = np.arange(N_ITEMS) == N_ITEMS - 1  # nobody took the last item
RAW = np.random.default_rng(1).normal(size=(N_ITEMS, N_ATTRIBUTES)).astype(np.float32)
RAW[2, 1] = np.nan
GUIDED = GuidedEmbedding.of(RAW)
USER_SCORES = np.random.default_rng(2).normal(size=(N_USERS, N_ATTRIBUTES)).astype(np.float32)


def popularity(seed: int) -> PopularityModel:
    return PopularityModel(np.bincount(SEQUENCES.items, minlength=N_ITEMS))


def itemknn(seed: int) -> ItemKNNModel:
    users = np.repeat(np.arange(N_USERS), SEQUENCES.lengths)
    return ItemKNNModel(users, SEQUENCES.items, N_USERS, N_ITEMS, ItemKNNConfig(neighbours=4))


def itemknn_in_order(seed: int) -> ItemKNNModel:
    users = np.repeat(np.arange(N_USERS), SEQUENCES.lengths)
    config = ItemKNNConfig(neighbours=4, decay=0.8, closeness=0.9, backward=0.3)
    return ItemKNNModel(users, SEQUENCES.items, N_USERS, N_ITEMS, config)


def ease(seed: int) -> EASEModel:
    users = np.repeat(np.arange(N_USERS), SEQUENCES.lengths)
    return EASEModel(users, SEQUENCES.items, N_USERS, N_ITEMS, EASEConfig(penalty=2.0, decay=0.7))


def external(seed: int) -> ExternalModel:
    """Half of the users have a vector of their own."""
    rng = np.random.default_rng(4)
    items, users = (rng.normal(size=(count, 5)).astype(np.float32) for count in (N_ITEMS, N_USERS))
    return ExternalModel(items, "cosine", 0.85, users, np.arange(N_USERS) % 2 == 1)


def fresh_sasrec(seed: int) -> Any:
    return make_base(ENCODER, N_ITEMS, seed)


def fresh_gru4rec(seed: int) -> Any:
    return make_base(ENCODER.model_copy(update={"kind": "gru4rec"}), N_ITEMS, seed)


def fresh_bert4rec(seed: int) -> Any:
    return make_base(ENCODER.model_copy(update={"kind": "bert4rec"}), N_ITEMS, seed)


def fresh_additive(
    seed: int,
    user_scores: np.ndarray | None = USER_SCORES,
    guided: GuidedEmbedding = GUIDED,
    kind: str = "sasrec",
    cold: np.ndarray | None = None,
    n_reduced: int = ENCODER.width - N_ATTRIBUTES,
) -> Any:
    rng = np.random.default_rng(3)
    model = AdditiveRefinedModel(
        make_encoder(ENCODER.model_copy(update={"kind": kind}), seed),
        guided,
        rng.normal(size=(N_ITEMS, n_reduced)).astype(np.float32),
        rng.normal(size=N_ITEMS).astype(np.float32),
        RefinementConfig(),
        user_scores,
        cold,
    )
    model.initialise(seed)
    return model


def fresh_literal(seed: int, user_scores: np.ndarray | None = USER_SCORES, kind: str = "sasrec") -> Any:
    rng = np.random.default_rng(3)
    reduced = same_spread(rng.normal(size=(N_ITEMS, ENCODER.width - N_ATTRIBUTES)).astype(np.float32))
    users = np.zeros((N_USERS, N_ATTRIBUTES), np.float32) if user_scores is None else user_scores
    encoder = make_encoder(ENCODER.model_copy(update={"kind": kind}), seed)
    bias = rng.normal(size=N_ITEMS).astype(np.float32)
    model = LiteralRefinedModel(encoder, GUIDED, reduced, bias, RefinementConfig(), users)
    model.initialise(seed)
    return model


def head_on(
    make: Callable[[int], Any] | None,
    refined: Callable[[int], Any] | None = None,
    beside: Callable[[int], Any] | None = None,
) -> Callable[[int], Any]:
    """Return a function that makes frozen models and fits a head on them to the last item of every history."""

    def fit(seed: int) -> Any:
        inner = refined and refined(seed)
        guided = GUIDED if inner is None else GUIDED.take(list(range(inner.n_attributes)))
        interactions = np.bincount(SEQUENCES.items, minlength=N_ITEMS)[:, None]
        embedding, config = np.zeros((N_ITEMS, 2), np.float32), RefinementConfig()
        knn = beside and beside(seed)
        model = HeadModel(make and make(seed), inner, embedding, guided, interactions, config, neighbours=knn)
        users = np.flatnonzero(SEQUENCES.lengths > 1)
        before = [SEQUENCES.history(u, SEQUENCES.lengths[u] - 1) for u in users.tolist()]
        model.fit(users, before, np.array([SEQUENCES.history(u)[-1] for u in users.tolist()]))
        return model

    return fit


def trained(fresh: Callable[[int], Any], loss: str = "softmax") -> Callable[[int], Any]:
    """Return a function that makes a model and trains it for two epochs."""

    def fit(seed: int) -> Any:
        model = fresh(seed)
        windows = TrainingWindows(SEQUENCES, SEQUENCES.lengths, ENCODER.max_length, TRAINING.batch_size)
        train(model, windows, lambda: 0.0, TRAINING.model_copy(update={"max_epochs": 2, "loss": loss}), seed, "train")
        return model

    return fit


FRESH = {
    "sasrec": fresh_sasrec,
    "gru4rec": fresh_gru4rec,
    "bert4rec": fresh_bert4rec,
    "additive": fresh_additive,
    "additive-gru4rec": partial(fresh_additive, kind="gru4rec"),
    "additive-bert4rec": partial(fresh_additive, kind="bert4rec"),
    "additive-no-users": partial(fresh_additive, user_scores=None),
    "anchored": partial(fresh_additive, cold=COLD),
    "guided-only": partial(fresh_additive, n_reduced=0),
    "second-training": partial(fresh_additive, user_scores=None, guided=GUIDED.take([])),
    "literal": fresh_literal,
    "literal-gru4rec": partial(fresh_literal, kind="gru4rec"),
    "literal-bert4rec": partial(fresh_literal, kind="bert4rec"),
    "literal-no-users": partial(fresh_literal, user_scores=None),
}
MODELS: dict[str, Callable[[int], Any]] = {
    "popularity": popularity,
    "itemknn": itemknn,
    "itemknn-in-order": itemknn_in_order,
    "ease": ease,
    "external": external,
}
MODELS |= {name: trained(fresh) for name, fresh in FRESH.items()}
MODELS |= {
    f"{name}-sampled": trained(FRESH[name], "sampled")
    for name in ("sasrec", "additive", "anchored", "guided-only", "second-training", "literal")
}
MODELS |= {
    "head": head_on(MODELS["sasrec"]),
    "head-on-external": head_on(external),
    "head-alone": head_on(None),
    "head-on-additive": head_on(MODELS["sasrec"], MODELS["additive"]),
    "head-on-anchored": head_on(external, MODELS["anchored"]),
    "head-on-literal": head_on(MODELS["sasrec"], MODELS["literal"]),
    "head-on-second-training": head_on(external, MODELS["second-training"]),
    "head-on-guided-only": head_on(None, MODELS["guided-only"]),
    "head-beside-itemknn": head_on(external, beside=itemknn),
    "head-on-additive-beside-itemknn": head_on(external, MODELS["additive"], itemknn_in_order),
}
CACHE: dict[str, ItemScorer] = {}
HISTORIES = arrays([[3], [], [1, 2, 3], list(range(N_ITEMS)), [5, 5, 5], [16, 0]])
USERS = np.array([0, 1, -1, 3, N_USERS + 5, 5])


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> ItemScorer:
    """Give a trained model; no test changes it."""
    if request.param not in CACHE:
        CACHE[request.param] = MODELS[request.param](0)
    return CACHE[request.param]


def weights(model: Any) -> dict[str, np.ndarray]:
    """Return all that a model learned."""
    if isinstance(model, nn.Module):
        return {name: value.numpy().copy() for name, value in model.state_dict().items()}
    if isinstance(model, ExternalModel):
        return {name: value.copy() for name, value in model.arrays().items()}
    if isinstance(model, HeadModel):
        parts = {"base": model.base, "refined": model.refined, "beside": model.neighbours}
        inner = {f"{part} {n}": v for part, m in parts.items() if m is not None for n, v in weights(m).items()}
        return {**inner, **{f"head {name}": value.copy() for name, value in model.arrays().items()}}
    if isinstance(model, ItemKNNModel):
        return {"learned": model.similarity.toarray()}
    return {"learned": (model.weights if isinstance(model, EASEModel) else model.counts).copy()}


def test_scores_are_finite_float32_for_the_whole_catalogue(model: ItemScorer) -> None:
    scores = model.scores(USERS, HISTORIES)
    assert model.n_items == N_ITEMS
    assert isinstance(scores, np.ndarray)
    assert scores.shape == (len(HISTORIES), N_ITEMS)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_no_users_give_no_rows(model: ItemScorer) -> None:
    assert model.scores(np.empty(0, np.int64), []).shape == (0, N_ITEMS)


def test_everybody_may_be_unknown_and_without_history(model: ItemScorer) -> None:
    scores = model.scores(np.array([-1, -1]), arrays([[], []]))
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-5, atol=1e-6)  # rounding depends on the row


def test_a_batch_gives_what_single_calls_give(model: ItemScorer) -> None:
    together = model.scores(USERS, HISTORIES)
    for row, history in enumerate(HISTORIES):
        single = model.scores(USERS[row : row + 1], [history])
        np.testing.assert_allclose(single[0], together[row], rtol=1e-5, atol=1e-5)


def test_scores_repeat_bit_for_bit(model: ItemScorer) -> None:
    assert np.array_equal(model.scores(USERS, HISTORIES), model.scores(USERS, HISTORIES))


def test_scoring_leaves_inputs_and_model_alone(model: ItemScorer) -> None:
    users, histories, learned = USERS.copy(), [h.copy() for h in HISTORIES], weights(model)
    model.scores(users, histories)[:] = 0
    assert np.array_equal(users, USERS)
    assert all(np.array_equal(a, b) for a, b in zip(histories, HISTORIES, strict=True))
    assert all(np.array_equal(value, learned[name]) for name, value in weights(model).items())


def test_scoring_accepts_arrays_that_must_not_be_written(model: ItemScorer, recwarn: pytest.WarningsRecorder) -> None:
    users, histories = USERS.copy(), [h.copy() for h in HISTORIES]
    for array in (users, *histories):
        array.flags.writeable = False
    assert np.array_equal(model.scores(users, histories), model.scores(USERS, HISTORIES))
    assert not [str(w.message) for w in recwarn]


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_weights_bit_for_bit(name: str) -> None:
    torch.manual_seed(1)
    first = weights(MODELS[name](0))
    torch.manual_seed(2)
    second = weights(MODELS[name](0))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", FRESH)
def test_another_seed_gives_other_weights(name: str) -> None:
    for make in (FRESH[name], MODELS[name]):
        first, second = weights(make(0)), weights(make(1))
        assert any(not np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", FRESH)
def test_stored_weights_give_the_same_scores(name: str, tmp_path: Path) -> None:
    before = MODELS[name](0)
    save_file(before.state_dict(), tmp_path / "weights.safetensors")
    after = FRESH[name](7)
    after.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert np.array_equal(after.scores(USERS, HISTORIES), before.scores(USERS, HISTORIES))


@pytest.mark.parametrize("name", FRESH)
def test_training_goes_on_unharmed_after_scoring(name: str) -> None:
    """Scoring switches dropout off; whoever trains must switch it on again, and gradients must still flow."""
    model = FRESH[name](0)
    windows = TrainingWindows(SEQUENCES, SEQUENCES.lengths, ENCODER.max_length, TRAINING.batch_size)
    validations = []

    def validate() -> float:
        validations.append(model.scores(USERS, HISTORIES))
        return 0.0

    train(model, windows, validate, TRAINING.model_copy(update={"max_epochs": 2}), 0, "train")
    assert len(validations) == 2
    expected = weights(MODELS[name](0))
    assert all(np.array_equal(value, expected[key]) for key, value in weights(model).items())
