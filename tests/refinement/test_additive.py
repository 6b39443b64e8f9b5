"""The refined model against its formulas, and what must never leak into it or out of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from memory import Allocations
from tiny import ENCODER, TRAINING, arrays, random_histories, sequences_of

from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.sequences import Batch, TrainingWindows, item_seq
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.training.loop import train
from guidedrec_core.training.losses import make_objective
from guidedrec_core.vectors.pca import pca

N_USERS, N_ITEMS, A = 14, 25, 3
MAX_LENGTH = ENCODER.max_length
QUIET = ENCODER.model_copy(update={"dropout": 0.0, "item_dropout": 0.0})
RNG = np.random.default_rng(0)
RAW = RNG.uniform(0, 10, (N_ITEMS, A)).astype(np.float32)
RAW[[2, 4, 9], [0, 1, 1]] = np.nan
GUIDED = GuidedEmbedding.of(RAW)
NOTHING = GUIDED.take([])
COLD = np.isin(np.arange(N_ITEMS), [0, 24])
USER_SCORES = RNG.normal(size=(N_USERS, A)).astype(np.float32)
HISTORIES = random_histories(RNG, N_USERS, N_ITEMS, 20)
SEQUENCES = sequences_of(HISTORIES, N_ITEMS)
WINDOWS = TrainingWindows(SEQUENCES, SEQUENCES.lengths, MAX_LENGTH, TRAINING.batch_size)


def refined(
    config: RefinementConfig | None = None,
    user_scores: np.ndarray | None = USER_SCORES,
    guided: GuidedEmbedding = GUIDED,
    seed: int = 0,
    encoder: Any = QUIET,
    cold: np.ndarray | None = None,
) -> AdditiveRefinedModel:
    """Return a model with no parameter left at zero, so that each has its effect."""
    rng = np.random.default_rng(seed)
    model = AdditiveRefinedModel(
        make_encoder(encoder, seed),
        guided,
        rng.normal(size=(N_ITEMS, encoder.width - guided.values.shape[1])).astype(np.float32),
        rng.normal(size=N_ITEMS).astype(np.float32),
        config or RefinementConfig(),
        user_scores,
        cold,
    )
    model.initialise(seed)
    with torch.no_grad():
        for parameter in (model.attribute_weights, model.out_bias, *anchors(model)):
            parameter.copy_(torch.from_numpy(rng.normal(size=parameter.shape)))
    return model


def anchors(model: AdditiveRefinedModel) -> list[torch.Tensor]:
    """Return what only the anchored form has."""
    return [model.anchor, model.anchor_bias] if model.anchored else []


def fit(model: AdditiveRefinedModel, epochs: int = 3) -> AdditiveRefinedModel:
    config = TRAINING.model_copy(update={"max_epochs": epochs, "patience": epochs})
    train(model, WINDOWS, lambda: 0.5, config, 0, "train refined")
    return model


def slow_profile(history: list[int], config: RefinementConfig, prior: np.ndarray) -> np.ndarray:
    """Compute the guided profile after a whole history, interaction by interaction; a missing score does not count."""
    total, count = np.zeros(A), np.zeros(A)
    for steps_back, item in enumerate(reversed(history)):
        weight = config.decay**steps_back * ~np.isnan(RAW[item])
        total += weight * GUIDED.values[item].astype(np.float64)
        count += weight
    return (total + config.shrinkage * prior) / np.maximum(count + config.shrinkage, 1e-9)


@pytest.mark.parametrize("decay", [1.0, 0.85, 0.3])
@pytest.mark.parametrize("shrinkage", [0.0, 3.0])
@pytest.mark.parametrize("with_users", [True, False])
def test_profiles_follow_the_formula(decay: float, shrinkage: float, with_users: bool) -> None:
    config = RefinementConfig(decay=decay, shrinkage=shrinkage)
    model = refined(config, USER_SCORES if with_users else None)
    histories = [[], [4], [1, 1, 2], list(range(MAX_LENGTH)), list(range(20)), [3] * 40]
    users = np.array([0, 1, -1, 3, 4, N_USERS])
    profile = model.parts(users, arrays(histories)).profile
    assert profile.shape == (6, A)
    for row, (user, history) in enumerate(zip(users.tolist(), histories, strict=True)):
        known = with_users and 0 <= user < N_USERS
        prior = 0.5 * USER_SCORES[user].astype(np.float64) if known else np.zeros(A)
        np.testing.assert_allclose(profile[row], slow_profile(history, config, prior), rtol=1e-5, atol=1e-6)


def test_profiles_in_training_are_those_of_the_prefixes() -> None:
    """Every step of every window, those of long histories' later windows too, has the profile of all before it."""
    config = RefinementConfig(decay=0.85)
    model = refined(config)
    seen = long = 0
    for batch in WINDOWS.epoch(np.random.default_rng(0)):
        tokens = torch.from_numpy(batch.item_seq[:, :-1])
        profiles = model.profiles(tokens, batch.users, batch.prefixes).detach().numpy()
        for row, user in enumerate(batch.users.tolist()):
            padding = int((tokens[row] == 0).sum())
            for position in range(padding, tokens.shape[1]):
                step = len(batch.prefixes[row]) + position - padding
                expected = slow_profile(HISTORIES[user][: step + 1], config, 0.5 * USER_SCORES[user])
                np.testing.assert_allclose(profiles[row, position], expected, rtol=1e-4, atol=1e-5)
                seen += 1
            long += len(batch.prefixes[row]) > 0
    assert seen == WINDOWS.n_targets
    assert long > 5


def test_nothing_at_a_step_depends_on_later_items() -> None:
    model = refined().eval()
    early, late = torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[1, 2, 3, 20, 21]])
    encoded: Callable[[torch.Tensor], torch.Tensor] = lambda t: model.encoder(model.vectors(t, None), t > 0)  # noqa: E731
    for compute in (lambda t: model.profiles(t, np.array([0]), [np.array([7, 8])]), encoded):
        before, after = compute(early)[0].detach(), compute(late)[0].detach()
        assert torch.equal(before[:3], after[:3])
        assert not torch.allclose(before[3:], after[3:])


@pytest.mark.parametrize("user_scores", [True, False])
def test_a_training_step_reads_the_rows_of_its_batch_and_no_whole_table(
    user_scores: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a sampled objective nothing as long as the catalogue is made, copied, or handed to NumPy."""
    n_items, rng = 50_000, np.random.default_rng(0)
    model = AdditiveRefinedModel(
        make_encoder(ENCODER, 0),
        GuidedEmbedding.of(rng.normal(size=(n_items, A)).astype(np.float32)),
        rng.normal(size=(n_items, ENCODER.width - A)).astype(np.float32),
        np.zeros(n_items, np.float32),
        RefinementConfig(),
        USER_SCORES if user_scores else None,
    )
    model.initialise(0)
    model.train()
    model.row_gradients()
    objective = make_objective(
        TRAINING.model_copy(update={"loss": "sampled", "negatives": 8}), np.ones(n_items, dtype=np.int64)
    )
    tokens, prefixes = rng.integers(1, n_items + 1, (4, MAX_LENGTH + 1)), rng.integers(0, n_items, (4, 30))
    batch = Batch(np.arange(4), tokens, list(prefixes))
    with Allocations(monkeypatch) as seen:
        loss, _ = objective(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
    assert 0 < max(seen.sizes) < n_items


def test_the_target_itself_never_enters_its_score() -> None:
    """Changing a window's last target must change no logit that predicts it."""
    model = refined()
    expected = model.scores(np.array([2]), arrays([[1, 2, 3]]))[0]
    for target in (9, 10):
        batch = Batch(np.array([2]), np.array([[0, 2, 3, 4, target]]), [np.empty(0, np.int64)])
        with torch.no_grad():
            users, wanted, table = model.training_pairs(batch)
            items, bias = table.item_table()
            np.testing.assert_allclose((users[-1] @ items.T + bias).numpy(), expected, rtol=1e-4, atol=1e-5)
        assert wanted.tolist() == [2, 3, target - 1]


@pytest.mark.parametrize("user_scores", [USER_SCORES, None])
def test_training_moves_all_that_is_learned_and_nothing_that_is_given(user_scores: np.ndarray | None) -> None:
    given, users = GUIDED.values.copy(), USER_SCORES.copy()
    model = refined(user_scores=user_scores, encoder=ENCODER)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert not {"guided", "user_scores"} & before.keys()
    fit(model, 2)
    for name, value in model.state_dict().items():
        frozen = user_scores is None and name == "user_score_weight"
        assert torch.equal(value, before[name]) == frozen, name
    assert np.array_equal(model.guided.numpy(), given)
    assert np.array_equal(GUIDED.values, given)
    assert np.array_equal(USER_SCORES, users)


def test_training_does_not_touch_the_arrays_it_started_from() -> None:
    reduced, bias = np.ones((N_ITEMS, 5), np.float32), np.zeros(N_ITEMS, np.float32)
    model = AdditiveRefinedModel(make_encoder(ENCODER, 0), GUIDED, reduced, bias, RefinementConfig())
    model.initialise(0)
    fit(model, 1)
    assert (reduced == 1).all()
    assert (bias == 0).all()


def test_the_second_training_has_no_guided_part() -> None:
    model = fit(refined(guided=NOTHING, user_scores=None, encoder=ENCODER))
    scores = model.scores(np.array([0, -1]), arrays([[1, 2], []]))
    parts = model.parts(np.array([0, -1]), arrays([[1, 2], []]))
    assert parts.profile.shape == parts.slopes.shape == (2, 0)
    np.testing.assert_allclose(scores, parts.remainder + parts.bias, rtol=1e-5, atol=1e-5)
    ignoring = refined(guided=NOTHING, user_scores=USER_SCORES[:, :0])
    assert not ignoring.user_score_weight.requires_grad


def test_an_interrupted_second_training_resumes(tmp_path: Any) -> None:
    config = TRAINING.model_copy(update={"max_epochs": 3})
    checkpoint = tmp_path / "checkpoint.safetensors"

    def run(epochs: int) -> dict[str, torch.Tensor]:
        model = refined(guided=NOTHING, user_scores=None, encoder=ENCODER)
        part = config.model_copy(update={"max_epochs": epochs})
        train(model, WINDOWS, lambda: 0.5, part, 0, "train", checkpoint=checkpoint)
        return model.state_dict()

    run(1)
    resumed = run(3)
    checkpoint.unlink()
    whole = run(3)
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)


def test_the_encoder_sees_guided_and_reduced_vectors() -> None:
    model = refined().eval()
    tokens = torch.from_numpy(item_seq(arrays([[3, 4]]), MAX_LENGTH))
    guided_in, reduced_in, reduced = (p.detach().numpy() for p in (model.guided_in, model.reduced_in, model.reduced))
    x = GUIDED.values[[3, 4]] @ guided_in + reduced[[3, 4]] @ reduced_in
    with torch.no_grad():
        state = model.encoder(torch.from_numpy(x)[None], tokens > 0)[:, -1] @ model.out + model.out_bias
    remainder = model.parts(np.array([0]), arrays([[3, 4]])).remainder
    np.testing.assert_allclose(remainder, state.numpy() @ reduced.T, rtol=1e-4, atol=1e-5)


def test_training_learns_a_taste_that_only_the_attributes_tell() -> None:
    """Every user takes items on one side of attribute 0, each item once: its weight must become the largest."""
    rng = np.random.default_rng(2)
    n_items, n_users = 200, 150
    guided = GuidedEmbedding.of(rng.normal(size=(n_items, 3)).astype(np.float32))
    sides = [np.flatnonzero(guided.values[:, 0] < -0.3), np.flatnonzero(guided.values[:, 0] > 0.3)]
    sequences = sequences_of([rng.permutation(sides[u % 2])[:8].tolist() for u in range(n_users)], n_items)
    model = AdditiveRefinedModel(
        make_encoder(ENCODER, 0),
        guided,
        np.zeros((n_items, 5), np.float32),
        np.zeros(n_items, np.float32),
        RefinementConfig(),
    )
    model.initialise(0)
    windows = TrainingWindows(sequences, sequences.lengths, MAX_LENGTH, 16)
    config = TRAINING.model_copy(update={"max_epochs": 8, "patience": 8, "ema": 0.5, "batch_size": 16})
    epochs = iter(range(1, 99))
    train(model, windows, lambda: float(next(epochs)), config, 0, "train")
    weights = model.weights()
    assert weights[0] > 0.2
    assert weights[0] > 2 * np.abs(weights[1:]).max()


def test_the_base_model_depends_on_nothing_but_interactions() -> None:
    """The base is made and trained without any way for a guided score to get in, and refining does not change it."""

    def train_base() -> Any:
        model = make_base(ENCODER, N_ITEMS, 0)
        train(model, WINDOWS, lambda: 0.5, TRAINING, 0, "train base")
        return model

    base = train_base()
    before = {name: value.clone() for name, value in base.state_dict().items()}
    table, bias = base.item_embedding(), base.item_bias()
    model = AdditiveRefinedModel(
        make_encoder(ENCODER, 0),
        GUIDED,
        pca(table, ENCODER.width - A),
        bias,
        RefinementConfig(),
        USER_SCORES,
    )
    model.initialise(0)
    fit(model, 2)
    again = train_base()
    for name, value in base.state_dict().items():
        assert torch.equal(value, before[name])
        assert torch.equal(value, again.state_dict()[name])
    # No column of the base table is, or mirrors, an attribute.
    between = np.abs(np.corrcoef(table.T, GUIDED.values.T)[: ENCODER.width, ENCODER.width :])
    assert between.max() < 0.9


def test_the_placebo_keeps_all_but_the_meaning() -> None:
    right, shuffled = refined(), refined(guided=GUIDED.shuffled(np.random.default_rng(0)))
    for name, value in right.state_dict().items():
        assert torch.equal(value, shuffled.state_dict()[name])
    scores: Callable[[AdditiveRefinedModel], np.ndarray] = lambda m: m.scores(np.array([0]), arrays([[1, 2]]))  # noqa: E731
    assert not np.allclose(scores(right), scores(shuffled))


@pytest.mark.parametrize("cold", [None, np.arange(60) == 7])
def test_training_on_two_threads_is_repeatable_bit_for_bit(cold: np.ndarray | None) -> None:
    # Large enough for PyTorch to share the work: gradients of few items, looked up many times, meet in one place.
    rng = np.random.default_rng(0)
    taken = np.arange(60) if cold is None else np.flatnonzero(~cold)
    histories = [rng.choice(taken, 31).tolist() for _ in range(256)]
    sequences = sequences_of(histories, 60)
    encoder = ENCODER.model_copy(update={"width": 64, "max_length": 30})
    settings = TRAINING.model_copy(update={"threads": 2, "batch_size": 128, "max_epochs": 2})
    guided = GuidedEmbedding.of(rng.normal(size=(60, A)).astype(np.float32))
    reduced = rng.normal(size=(60, 48)).astype(np.float32)
    outcomes = []
    for _ in range(3):
        model = AdditiveRefinedModel(
            make_encoder(encoder, 0), guided, reduced, np.zeros(60, np.float32), RefinementConfig(), cold=cold
        )
        model.initialise(0)
        windows = TrainingWindows(sequences, np.full(256, 31), 30, settings.batch_size)
        train(model, windows, lambda: 0.0, settings, 0, "refine")
        outcomes.append({name: value.clone() for name, value in model.state_dict().items()})
    for other in outcomes[1:]:
        for name, value in outcomes[0].items():
            assert torch.equal(value, other[name]), name
