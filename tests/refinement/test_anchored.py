"""The anchored form: an item nobody took stands on its guided scores, and learns nothing of its own."""

import numpy as np
import pytest
import torch
from tiny import ENCODER, TRAINING, arrays, sequences_of

from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.sequences import Batch, TrainingWindows
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.models.registry import make_encoder
from guidedrec_core.ranking.ranks import top_k
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.cold import NEVER
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.training.loop import train
from guidedrec_core.training.losses import make_objective

N_USERS, N_ITEMS, A = 14, 20, 3
COLD = np.isin(np.arange(N_ITEMS), [0, 7, 19])
RNG = np.random.default_rng(0)
GUIDED = GuidedEmbedding.of(RNG.uniform(0, 10, (N_ITEMS, A)).astype(np.float32))
HISTORIES = [RNG.permutation(np.flatnonzero(~COLD))[: RNG.integers(2, 12)].tolist() for _ in range(N_USERS)]
SEQUENCES = sequences_of(HISTORIES, N_ITEMS)
WINDOWS = TrainingWindows(SEQUENCES, SEQUENCES.lengths, ENCODER.max_length, TRAINING.batch_size)
USERS, SHOWN = np.array([0, 1, -1]), arrays([[1, 2, 3], [7], []])
BATCH = Batch(np.array([0, 1]), np.array([[0, 2, 3, 4], [5, 6, 7, 10]]), [np.empty(0, np.int64)] * 2)


def anchored(dropout: float = 0.2, guided: GuidedEmbedding = GUIDED) -> AdditiveRefinedModel:
    """Return a model in which an item's own part is large, so that it would show wherever it got in."""
    rng = np.random.default_rng(1)
    room = ENCODER.width - guided.values.shape[1]
    reduced, bias = rng.normal(size=(N_ITEMS, room)).astype(np.float32), rng.normal(size=N_ITEMS).astype(np.float32)
    reduced[COLD], bias[COLD] = 100, 100
    config = RefinementConfig(anchor_dropout=dropout)
    model = AdditiveRefinedModel(make_encoder(ENCODER, 0), guided, reduced, bias, config, None, COLD)
    model.initialise(0)
    if model.anchored:
        with torch.no_grad():
            for parameter in (model.anchor, model.anchor_bias, model.out_bias):
                parameter.copy_(torch.from_numpy(rng.normal(size=parameter.shape)))
    return model


def fit(model: AdditiveRefinedModel, loss: str = "softmax") -> AdditiveRefinedModel:
    config = TRAINING.model_copy(update={"max_epochs": 2, "loss": loss, "negatives": 60})
    train(model, WINDOWS, lambda: 0.5, config, 0, "train")
    return model


def test_the_score_of_an_item_nobody_took_is_its_guided_parts() -> None:
    model = fit(anchored())
    scores, parts = model.scores(USERS, SHOWN), model.parts(USERS, SHOWN)
    assert not parts.remainder[:, COLD].any()
    beta = model.anchor_bias.detach().numpy()
    np.testing.assert_allclose(parts.bias[COLD], GUIDED.values[COLD] @ beta, rtol=1e-5, atol=1e-5)
    expected = parts.slopes @ GUIDED.values[COLD].T + GUIDED.values[COLD] @ beta
    np.testing.assert_allclose(scores[:, COLD], expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        model.item_remainders()[COLD], GUIDED.values[COLD] @ model.anchor.detach().numpy(), rtol=1e-5
    )


def test_items_with_the_same_scores_are_told_apart_only_by_training_events() -> None:
    values = GUIDED.values.copy()
    values[[7, 8]] = values[0]
    model = fit(anchored(guided=GuidedEmbedding(values, GUIDED.missing, GUIDED.mean, GUIDED.scale)))
    scores = model.scores(USERS, SHOWN)
    np.testing.assert_allclose(scores[:, 7], scores[:, 0], rtol=1e-5)
    assert not np.allclose(scores[:, 8], scores[:, 0], atol=0.1)


@pytest.mark.parametrize("loss", ["softmax", "sampled", "gbce", "bce"])
def test_training_gives_an_item_nobody_took_no_gradient_and_no_place_in_the_loss(loss: str) -> None:
    model = anchored(dropout=0.0)
    model.train()
    config = TRAINING.model_copy(update={"loss": loss, "negatives": 60})
    objective = make_objective(config, WINDOWS.item_counts())
    torch.manual_seed(0)
    value, count = objective(model, BATCH)
    value.backward()  # type: ignore[no-untyped-call]
    assert count == 5
    assert torch.isfinite(value)
    assert model.reduced.grad is not None
    assert model.bias.grad is not None
    for gradient in (model.reduced.grad, model.bias.grad):
        assert torch.isfinite(gradient).all()
        assert not gradient[COLD].any()
        assert gradient[~COLD].any()
    # What stands in the rows of cold items changes nothing: they are not among the competitors.
    other = anchored(dropout=0.0)
    other.train()
    with torch.no_grad():
        other.reduced[COLD], other.bias[COLD] = -3.0, 55.0
        other.guided[COLD] *= 40
    torch.manual_seed(0)
    assert objective(other, BATCH)[0].item() == pytest.approx(value.item(), rel=1e-6)


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
def test_training_stays_finite_and_learns_the_anchor(loss: str) -> None:
    before, model = anchored(), fit(anchored(), loss)
    for name, value in model.state_dict().items():
        assert torch.isfinite(value).all(), name
    assert not torch.equal(model.anchor, before.anchor)
    assert not torch.equal(model.anchor_bias, before.anchor_bias)


def test_items_are_dropped_in_training_only_and_alike_at_both_ends() -> None:
    model = anchored(dropout=0.5)
    model.train()
    torch.manual_seed(0)
    table = model.training_pairs(BATCH).items
    _, bias = table.item_table()
    anchor_only = torch.from_numpy(GUIDED.values) @ model.anchor_bias
    dropped = (bias == anchor_only).detach().numpy() & ~COLD
    assert 3 < dropped.sum() < 14
    rows, own = table.item_rows(torch.arange(N_ITEMS))
    assert torch.equal(own, bias)
    assert torch.equal(rows, table.item_table()[0])
    assert np.array_equal(model.scores(USERS, SHOWN), model.scores(USERS, SHOWN))


def test_each_training_step_has_a_table_of_its_own() -> None:
    """A later batch draws other items to drop, and leaves the table of an earlier one as it was."""
    model = anchored(dropout=0.5)
    model.train()
    torch.manual_seed(0)
    first = model.training_pairs(BATCH).items
    before = [part.detach().clone() for part in first.item_table()]
    second = model.training_pairs(BATCH).items
    assert all(torch.equal(part, old) for part, old in zip(first.item_table(), before, strict=True))
    assert not torch.equal(second.item_table()[1], before[1])


def test_the_inputs_of_a_step_lack_the_residuals_that_its_table_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = anchored(dropout=0.5)
    model.train()
    read: list[torch.Tensor] = []
    real = model.encoder.read
    monkeypatch.setattr(model.encoder, "read", lambda x, present: (read.append(x), real(x, present))[1])
    torch.manual_seed(0)
    vectors, _ = model.training_pairs(BATCH).items.item_table()
    tokens = torch.from_numpy(BATCH.item_seq)
    g, r = vectors[:, :A], vectors[:, A:]
    expected = (g @ model.guided_in + r @ model.reduced_in)[(tokens - 1).clamp(min=0)] * (tokens > 0).unsqueeze(-1)
    torch.testing.assert_close(read[0], expected)


def headed(base: ExternalModel | None) -> HeadModel:
    """Put a head on a trained anchored model and a base model that is sure of its cold items."""
    inner = fit(anchored())
    config = RefinementConfig()
    model = HeadModel(base, inner, inner.item_remainders(), GUIDED, np.where(COLD, 0, 3)[:, None], config)
    model.fit(USERS[:2], SHOWN[:2], np.array([5, 6]))
    return model


BASE = ExternalModel(
    *(RNG.normal(size=(N_ITEMS, 4)).astype(np.float32), "dot", 0.9, None, None, 50 * COLD.astype(np.float32))
)


@pytest.mark.parametrize("base", [BASE, None])
def test_in_a_head_the_score_of_an_item_nobody_took_is_a_share_of_it_and_the_offset(
    base: ExternalModel | None,
) -> None:
    """Of the base model's scores it gets the average, so that all that tells cold items apart are their attributes."""
    model = headed(base)
    model.cold_offset = -1.5
    parts = model.parts(USERS, SHOWN)
    assert np.ptp(parts.remainder[:, COLD], axis=1).max() < 1e-5
    own = model.refined.parts(USERS, SHOWN).bias * np.float32(model.learned.models[-1])  # type: ignore[union-attr]
    beyond = (parts.bias - own)[COLD]
    np.testing.assert_allclose(beyond, beyond[0], atol=1e-5)
    before = parts.scores
    model.cold_offset = 0.0
    moved = before - model.scores(USERS, SHOWN)
    np.testing.assert_allclose(moved, np.broadcast_to(-1.5 * COLD, moved.shape), atol=1e-5)


def test_never_keeps_an_item_off_the_lists_and_its_score_finite() -> None:
    model = headed(BASE)
    model.cold_offset = NEVER
    scores = model.scores(USERS, SHOWN)
    assert np.isfinite(scores).all()
    assert not set(top_k(scores, N_ITEMS - int(COLD.sum())).ravel().tolist()) & set(np.flatnonzero(COLD).tolist())


def test_without_attributes_there_is_nothing_to_hang_on() -> None:
    assert not anchored(guided=GUIDED.take([])).anchored


def test_what_is_stored_makes_the_same_model() -> None:
    model = fit(anchored())
    frozen = model.frozen()
    other = anchored()
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(frozen["cold"].astype(bool), COLD)
    np.testing.assert_array_equal(other.scores(USERS, SHOWN), model.scores(USERS, SHOWN))
