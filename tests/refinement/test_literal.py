"""The literal form against its formula: a frozen table, and user vectors that start from LLM scores."""

from typing import Any

import numpy as np
import pytest
import torch
from tiny import ENCODER, TRAINING, arrays, random_histories, sequences_of

from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.sequences import Batch, TrainingWindows, item_seq
from guidedrec_core.models.registry import make_encoder
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.literal import TABLE_SPREAD, LiteralRefinedModel, same_spread
from guidedrec_core.training.loop import train

N_USERS, N_ITEMS, A = 10, 15, 3
RNG = np.random.default_rng(0)
RAW = RNG.uniform(0, 10, (N_ITEMS, A)).astype(np.float32)
RAW[3, 1] = np.nan
GUIDED = GuidedEmbedding.of(RAW)
USERS = RNG.normal(size=(N_USERS, A)).astype(np.float32)
REDUCED = same_spread(RNG.normal(size=(N_ITEMS, ENCODER.width - A)).astype(np.float32))
CONFIG = RefinementConfig(mode="literal")
HISTORIES = random_histories(RNG, N_USERS, N_ITEMS, 12)
SEQUENCES = sequences_of(HISTORIES, N_ITEMS)
WINDOWS = TrainingWindows(SEQUENCES, SEQUENCES.lengths, ENCODER.max_length, TRAINING.batch_size)


def literal(users: np.ndarray = USERS, dropout: float = 0.0, config: RefinementConfig = CONFIG) -> LiteralRefinedModel:
    """Return an untrained model."""
    encoder = ENCODER.model_copy(update={"dropout": dropout, "item_dropout": dropout})
    bias = np.random.default_rng(1).normal(size=N_ITEMS).astype(np.float32)
    model = LiteralRefinedModel(make_encoder(encoder, 0), GUIDED, REDUCED, bias, config, users)
    model.initialise(0)
    return model


def fit(model: LiteralRefinedModel, **settings: Any) -> LiteralRefinedModel:
    train(model, WINDOWS, lambda: 0.5, TRAINING.model_copy(update={"max_epochs": 2, **settings}), 0, "train")
    return model


def test_scores_follow_the_formula() -> None:
    model = fit(literal())
    table = np.concatenate([TABLE_SPREAD * GUIDED.values, REDUCED], axis=1)
    users, histories = np.array([0, 4, -1, N_USERS]), [[3], [1, 2, 3], [4, 5], list(range(12))]
    scores = model.scores(users, arrays(histories))
    q, w, b = (p.detach().numpy() for p in (model.users, model.attribute_weights, model.bias))
    for row, (user, history) in enumerate(zip(users.tolist(), histories, strict=True)):
        tokens = torch.from_numpy(item_seq(arrays([history]), ENCODER.max_length))
        x = torch.from_numpy(table[tokens[0].numpy() - 1][None])
        with torch.no_grad():
            out = model.output(model.encoder(x, tokens > 0)[:, -1])[0].numpy()
        for item in range(N_ITEMS):
            own = sum(w[a] * q[user, a] * GUIDED.values[item, a] for a in range(A)) if 0 <= user < N_USERS else 0.0
            assert scores[row, item] == pytest.approx(out @ table[item] + own + b[item], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("decay", "shrinkage"), [(0.85, 3.0), (1.0, 0.0)])
def test_the_profile_is_the_decayed_mean_of_the_historys_z_scores(decay: float, shrinkage: float) -> None:
    """It is in z-scores, whatever training made of users' vectors, and known for unknown users, too."""
    model = fit(literal(config=CONFIG.model_copy(update={"decay": decay, "shrinkage": shrinkage})))
    with torch.no_grad():
        model.users.mul_(1000)
    users, histories = np.array([0, 4, -1, N_USERS]), arrays([[3], [1, 2, 3], [], [4, 3, 3, 5, *range(12)]])
    profiles = model.parts(users, histories).profile
    for row, history in zip(profiles, histories, strict=True):
        for a in range(A):
            total = count = 0.0
            for item in history:
                total, count = total * decay, count * decay
                if not np.isnan(RAW[item, a]):
                    total, count = total + float(GUIDED.values[item, a]), count + 1
            expected = total / (count + shrinkage) if count + shrinkage else 0.0
            assert row[a] == pytest.approx(expected, rel=1e-5, abs=1e-6)
    np.testing.assert_array_equal(model.new_item_parts(users, histories, GUIDED.values[:2]).profile, profiles)


def test_slopes_and_scores_do_not_depend_on_the_profile() -> None:
    users, histories = np.array([0, 4, -1]), arrays([[3], [1, 2, 3], [4, 5]])
    model = fit(literal())
    other = literal(config=CONFIG.model_copy(update={"decay": 0.1, "shrinkage": 50.0}))
    other.load_state_dict(model.state_dict())
    parts, others = model.parts(users, histories), other.parts(users, histories)
    assert not np.allclose(parts.profile, others.profile)
    for name in ("scores", "slopes", "remainder", "bias", "trained_values"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(others, name))
    np.testing.assert_array_equal(parts.trained_values, parts.slopes)


@pytest.mark.parametrize("loss", ["softmax", "sampled", "gbce"])
def test_training_moves_all_but_the_table(loss: str) -> None:
    start, users = literal(dropout=0.1), USERS.copy()
    before = {name: value.clone() for name, value in start.state_dict().items()}
    table = start.table.clone()
    np.testing.assert_array_equal(before["users"].numpy(), USERS)
    model = fit(start, loss=loss, negatives=5)
    assert "table" not in before
    assert torch.equal(model.table, table)
    for name, value in model.state_dict().items():
        assert torch.isfinite(value).all()
        assert not torch.equal(value, before[name]), name
    np.testing.assert_array_equal(users, USERS)


def test_only_a_users_own_histories_move_the_users_vector() -> None:
    model = literal()
    batch = Batch(np.array([2]), np.array([[1, 2, 3]]), [np.empty(0, np.int64)])
    vectors, targets, _ = model.training_pairs(batch)
    torch.nn.functional.cross_entropy(vectors @ model.item_table()[0].T + model.item_table()[1], targets).backward()
    assert model.users.grad is not None
    assert model.users.grad.abs().sum(1).nonzero().flatten().tolist() == [2]


def test_a_user_unknown_has_no_vector_of_its_own() -> None:
    model = fit(literal())
    for user in (-1, N_USERS, N_USERS + 7):
        unknown = model.scores(np.array([user]), arrays([[1, 2]]))
        with torch.no_grad():
            kept = model.users.clone()
            model.users.zero_()
            blank = model.scores(np.array([0]), arrays([[1, 2]]))
            model.users.copy_(kept)
        np.testing.assert_array_equal(unknown, blank)
    assert not np.allclose(model.scores(np.array([0]), arrays([[1, 2]])), unknown)


def test_without_scores_user_vectors_start_at_zero_and_are_learned() -> None:
    model = fit(literal(np.zeros_like(USERS)))
    assert model.users.detach().abs().sum() > 0


def test_the_reduced_block_has_the_spread_of_the_guided_one() -> None:
    assert np.sqrt((REDUCED**2).mean()) == pytest.approx(TABLE_SPREAD, rel=1e-5)
    assert not same_spread(np.zeros((4, 2), np.float32)).any()
    assert same_spread(np.zeros((4, 0), np.float32)).shape == (4, 0)


def test_the_guided_half_of_the_table_is_still_the_scores() -> None:
    np.testing.assert_allclose(literal().item_values(), GUIDED.values, rtol=1e-6)
    np.testing.assert_array_equal(literal().item_remainders(), REDUCED)
