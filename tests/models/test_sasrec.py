"""SASRec against a slow version written from the formulas, and what attention must and must not see."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from tiny import ENCODER, TRAINING, arrays, sequences_of
from torch import Tensor

from guidedrec_core.config import EncoderConfig, TrainingConfig
from guidedrec_core.data.sequences import Batch, TrainingWindows
from guidedrec_core.models.registry import make_base
from guidedrec_core.models.sasrec import SASRec
from guidedrec_core.models.training import train
from guidedrec_core.randomness import generator

N_ITEMS = 11
QUIET = ENCODER.model_copy(update={"dropout": 0.0, "item_dropout": 0.0})
ONE = np.array([0])


def lively(config: EncoderConfig = QUIET, seed: int = 0) -> SASRec:
    """Return a model with no parameter left at zero, so that each has its effect."""
    model = make_base(config, N_ITEMS, seed)
    draw = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.empty_like(parameter).normal_(0.0, 0.3, generator=draw))
        model.items.weight[0].zero_()
    return model.eval()


def states(model: SASRec, rows: list[list[int]]) -> Tensor:
    with torch.no_grad():
        return model.states(torch.tensor(rows))


def test_a_later_item_does_not_change_an_earlier_state() -> None:
    model = lively()
    before, after = states(model, [[1, 2, 3, 4, 5]])[0], states(model, [[1, 2, 3, 9, 5]])[0]
    assert torch.equal(before[:3], after[:3])
    assert (before[3:] - after[3:]).abs().amin(dim=1).gt(0).all()


def test_every_earlier_item_within_reach_changes_a_state() -> None:
    model = lively()
    whole = states(model, [[1, 2, 3, 4, 5, 6]])[0, -1]
    for position in range(6):
        row = [1, 2, 3, 4, 5, 6]
        row[position] = 10
        assert not torch.allclose(states(model, [row])[0, -1], whole, atol=1e-4)


def test_the_order_of_the_history_matters() -> None:
    model = lively()
    assert not torch.allclose(states(model, [[1, 2, 3]])[0, -1], states(model, [[2, 1, 3]])[0, -1], atol=1e-4)


def test_padding_does_not_change_a_state() -> None:
    model = lively(QUIET.model_copy(update={"blocks": 2})).double()
    alone = states(model, [[7, 8]])[0]
    padded = states(model, [[0, 0, 0, 7, 8], [1, 2, 3, 4, 5]])[0, -2:]
    torch.testing.assert_close(padded, alone, rtol=1e-12, atol=1e-12)


def test_only_the_most_recent_items_are_read() -> None:
    model = lively()
    longer = model.scores(ONE, arrays([[9, 9, 0, 1, 2, 3, 4, 5]]))
    assert np.array_equal(longer, model.scores(ONE, arrays([[0, 1, 2, 3, 4, 5]])))


@pytest.mark.parametrize("blocks", [1, 2])
def test_states_are_those_of_the_slow_version(blocks: int) -> None:
    model = lively(QUIET.model_copy(update={"blocks": blocks}))
    weights = {name: value.double() for name, value in model.state_dict().items()}
    row = [3, 1, 4, 10, 5, 9]
    slow = torch.stack(slow_states(weights, row, QUIET.heads, blocks))
    torch.testing.assert_close(states(model, [row])[0].double(), slow, rtol=1e-5, atol=1e-5)
    expected = slow[-1] @ weights["items.weight"][1:].T + weights["bias"]
    np.testing.assert_allclose(model.scores(ONE, arrays([[t - 1 for t in row]]))[0], expected, rtol=1e-4, atol=1e-4)


def test_items_and_bias_are_those_the_scores_are_made_of() -> None:
    model = lively()
    state = states(model, [[3, 2]])[0, -1].numpy()
    expected = model.item_embedding() @ state + model.item_bias()
    np.testing.assert_allclose(model.scores(ONE, arrays([[2, 1]]))[0], expected, rtol=1e-5, atol=1e-5)
    model.item_embedding()[:] = 0
    assert model.items.weight.abs().sum() > 0


def test_cyclic_sequences_are_learned() -> None:
    """Everybody goes round the same circle of items: the next one must be first."""
    circle = [0, 7, 3, 9, 1, 5, 10, 2]
    histories = [[circle[(start + step) % 8] for step in range(14)] for start in range(8)] * 3
    sequences = sequences_of(histories, N_ITEMS)
    model = make_base(ENCODER.model_copy(update={"width": 16}), N_ITEMS, 0)
    windows = TrainingWindows(sequences, sequences.lengths, ENCODER.max_length, 8)
    config = TrainingConfig(batch_size=8, threads=1, max_epochs=20, patience=20, table_weight_decay=0.1, ema=0.9)
    train(model, windows, validate_by_epoch(), config, 0, "train")
    asked = [[circle[(start + step) % 8] for step in range(5)] for start in range(8)]
    best = model.scores(np.zeros(8, np.int64), arrays(asked)).argmax(axis=1)
    assert best.tolist() == [circle[(start + 5) % 8] for start in range(8)]


def validate_by_epoch() -> Callable[[], float]:
    """Return a validation that is better at every epoch."""
    epochs = iter(range(1, 1000))
    return lambda: float(next(epochs))


@pytest.mark.parametrize("epochs", [1, 2])
def test_three_training_steps_an_epoch_are_those_of_the_slow_loop(epochs: int) -> None:
    """Validation between two epochs sees averaged weights; training must go on from its own."""
    histories = [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 0], [5, 3, 1], [2, 4, 6, 8, 10], [7, 0]]
    sequences = sequences_of(histories, N_ITEMS)
    windows = TrainingWindows(sequences, sequences.lengths, QUIET.max_length, batch_size=2)
    assert len(windows) == 3
    config = TRAINING.model_copy(update={"batch_size": 2, "max_epochs": epochs, "ema": 0.8, "clip_norm": 0.5})
    model = lively()
    start = {name: value.double() for name, value in model.state_dict().items()}
    result = train(model, windows, validate_by_epoch(), config, 5, "train")

    batches = [batch for epoch in range(epochs) for batch in windows.epoch(generator(5, "batches", epoch + 1))]
    expected, loss, norms = slow_training(start, batches, config, QUIET)
    assert min(norms) > config.clip_norm  # so that clipping is tested, too
    assert np.mean([e.loss for e in result.epochs]) == pytest.approx(loss, rel=1e-5)
    for name, value in model.state_dict().items():
        # A key's bias shifts all of a row's logits alike: its gradient is rounding error, which Adam blows up.
        moved = value.double() if name != "encoder.blocks.0.query_key_value.bias" else value.double()[QKV_WITHOUT_K]
        wanted = expected[name] if name != "encoder.blocks.0.query_key_value.bias" else expected[name][QKV_WITHOUT_K]
        torch.testing.assert_close(moved, wanted, rtol=1e-4, atol=2e-5, msg=lambda text, name=name: f"{name}: {text}")
        assert not torch.equal(value.double(), start[name])


QKV_WITHOUT_K = [*range(8), *range(16, 24)]


def slow_states(weights: dict[str, Tensor], tokens: list[int], heads: int, blocks: int) -> list[Tensor]:
    """Compute the states of one history without padding, position by position, head by head."""
    x = [weights["items.weight"][token] for token in tokens]
    size = len(x[0]) // heads
    for number in range(blocks):
        w = {k.removeprefix(f"encoder.blocks.{number}."): v for k, v in weights.items()}
        normed = [slow_norm(v, w["attention_norm.weight"], w["attention_norm.bias"]) for v in x]
        mixed = [w["query_key_value.weight"] @ v + w["query_key_value.bias"] for v in normed]
        width = len(x[0])
        seen = []
        for t in range(len(x)):
            parts = []
            for head in range(heads):
                own = slice(head * size, (head + 1) * size)
                q = mixed[t][:width][own]
                logits = []
                for s in range(t + 1):
                    k = mixed[s][width : 2 * width][own]
                    logits.append((q * k).sum() / math.sqrt(size) + w["distance"][head, t - s])
                shares = [torch.exp(logit) for logit in logits]
                total = sum(shares)
                parts.append(sum(share / total * mixed[s][2 * width :][own] for s, share in enumerate(shares)))
            seen.append(torch.cat(parts))
        x = [v + w["project.weight"] @ a + w["project.bias"] for v, a in zip(x, seen, strict=True)]
        after = []
        for v in x:
            wide = w["widen.weight"] @ slow_norm(v, w["feedforward_norm.weight"], w["feedforward_norm.bias"])
            wide = wide + w["widen.bias"]
            wide = 0.5 * wide * (1 + torch.erf(wide / math.sqrt(2)))
            after.append(v + w["narrow.weight"] @ wide + w["narrow.bias"])
        x = after
    normed = [slow_norm(v, weights["encoder.norm.weight"], weights["encoder.norm.bias"]) for v in x]
    return [weights["output.weight"] @ v + weights["output.bias"] for v in normed]


def slow_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Normalise one vector."""
    centred = x - x.sum() / len(x)
    return centred / torch.sqrt((centred * centred).sum() / len(x) + 1e-5) * weight + bias


def slow_loss(weights: dict[str, Tensor], batch: Batch, config: EncoderConfig) -> tuple[Tensor, int]:
    """Return the mean cross-entropy of a batch, history by history and target by target, and the targets' number."""
    losses = []
    for tokens, targets in zip(batch.item_seq.tolist(), batch.targets.tolist(), strict=True):
        real = [t for t in tokens if t]
        for state, target in zip(
            slow_states(weights, real, config.heads, config.blocks), targets[-len(real) :], strict=True
        ):
            logits = weights["items.weight"][1:] @ state + weights["bias"]
            losses.append(torch.log(torch.exp(logits).sum()) - logits[target - 1])
    return sum(losses) / len(losses), len(losses)


def slow_training(
    start: dict[str, Tensor], batches: list[Batch], config: TrainingConfig, encoder: EncoderConfig
) -> tuple[dict[str, Tensor], float, list[float]]:
    """Train by hand; return the averaged weights, the mean loss over targets, and the gradient norms."""
    weights = {name: value.clone().requires_grad_() for name, value in start.items()}
    first = {name: torch.zeros_like(value) for name, value in start.items()}
    second = {name: torch.zeros_like(value) for name, value in start.items()}
    average = {name: torch.zeros_like(value) for name, value in start.items()}
    total = count = 0.0
    norms = []
    for step, batch in enumerate(batches, 1):
        loss, targets = slow_loss(weights, batch, encoder)
        total, count = total + float(loss.detach()) * targets, count + targets
        gradients = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
        norm = math.sqrt(sum(float((g * g).sum()) for g in gradients.values()))
        norms.append(norm)
        rate = config.learning_rate * min(1.0, step / config.warmup_steps)
        for name, weight in weights.items():
            g = gradients[name] * min(1.0, config.clip_norm / norm)
            first[name] = 0.9 * first[name] + 0.1 * g
            second[name] = 0.999 * second[name] + 0.001 * g * g
            decay = config.table_weight_decay if name == "items.weight" else config.weight_decay
            decayed = weight.detach() * (1 - rate * decay) if weight.ndim > 1 else weight.detach()
            move = first[name] / (1 - 0.9**step) / (torch.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
            weights[name] = (decayed - rate * move).requires_grad_()
            average[name] = config.ema * average[name] + (1 - config.ema) * weights[name].detach()
    return {name: value / (1 - config.ema ** len(batches)) for name, value in average.items()}, total / count, norms
