"""Slow versions of the models' parts, written from the formulas: position by position, head by head."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from guidedrec_core.config import EncoderConfig, TrainingConfig
from guidedrec_core.data.sequences import Batch
from guidedrec_core.models.registry import make_base
from guidedrec_core.models.sequence_model import SequenceModel


def lively(config: EncoderConfig, n_items: int, seed: int = 0) -> SequenceModel:
    """Return a model with no parameter left at zero, so that each has its effect."""
    model = make_base(config, n_items, seed)
    draw = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.empty_like(parameter).normal_(0.0, 0.3, generator=draw))
        model.items.weight[0].zero_()
    return model.eval()


def states(model: SequenceModel, rows: list[list[int]]) -> Tensor:
    """Return the user vectors at all positions of rows of tokens."""
    tokens = torch.tensor(rows)
    with torch.no_grad():
        return model.output(model.encoder(model.items(tokens), tokens > 0))


def final_states(model: SequenceModel, histories: list[list[int]]) -> Tensor:
    """Return the user vectors after whole histories of items, in double precision if the model is."""
    vectors = model.user_vectors(np.zeros(len(histories), np.int64), [np.array(h, dtype=np.int64) for h in histories])
    return torch.from_numpy(vectors)


def double_weights(model: SequenceModel) -> dict[str, Tensor]:
    """Return a model's weights in double precision."""
    return {name: value.double() for name, value in model.state_dict().items()}


def slow_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Normalise one vector."""
    centred = x - x.sum() / len(x)
    return centred / torch.sqrt((centred * centred).sum() / len(x) + 1e-5) * weight + bias


def slow_transformer(
    weights: dict[str, Tensor],
    x: list[Tensor],
    config: EncoderConfig,
    sees: Callable[[int, int], bool],
    distance: Callable[[int, int], int],
) -> list[Tensor]:
    """Compute the user vectors of one history without padding.

    ``sees(t, s)`` says whether step t looks at step s, ``distance(t, s)`` which bias belongs to the two.
    """
    width = len(x[0])
    size = width // config.heads
    for number in range(config.blocks):
        w = {k.removeprefix(f"encoder.blocks.{number}."): v for k, v in weights.items()}
        normed = [slow_norm(v, w["attention_norm.weight"], w["attention_norm.bias"]) for v in x]
        mixed = [w["query_key_value.weight"] @ v + w["query_key_value.bias"] for v in normed]
        seen = []
        for t in range(len(x)):
            steps = [s for s in range(len(x)) if sees(t, s)]
            parts = []
            for head in range(config.heads):
                own = slice(head * size, (head + 1) * size)
                q = mixed[t][:width][own]
                logits = [
                    (q * mixed[s][width : 2 * width][own]).sum() / math.sqrt(size) + w["distance"][head, distance(t, s)]
                    for s in steps
                ]
                shares = [torch.exp(logit) for logit in logits]
                total = sum(shares)
                parts.append(
                    sum(share / total * mixed[s][2 * width :][own] for s, share in zip(steps, shares, strict=True))
                )
            seen.append(torch.cat(parts))
        x = [v + w["project.weight"] @ a + w["project.bias"] for v, a in zip(x, seen, strict=True)]
        after = []
        for v in x:
            wide = w["widen.weight"] @ slow_norm(v, w["feedforward_norm.weight"], w["feedforward_norm.bias"])
            wide = wide + w["widen.bias"]
            wide = 0.5 * wide * (1 + torch.erf(wide / math.sqrt(2)))
            after.append(v + w["narrow.weight"] @ wide + w["narrow.bias"])
        x = after
    return slow_output(weights, x)


def slow_output(weights: dict[str, Tensor], x: list[Tensor]) -> list[Tensor]:
    """Normalise states and pass them through the output layer."""
    normed = [slow_norm(v, weights["encoder.norm.weight"], weights["encoder.norm.bias"]) for v in x]
    return [weights["output.weight"] @ v + weights["output.bias"] for v in normed]


def slow_causal(weights: dict[str, Tensor], tokens: list[int], config: EncoderConfig) -> list[Tensor]:
    """Compute SASRec's user vectors after each token of one history without padding."""
    x = [weights["items.weight"][token] for token in tokens]
    return slow_transformer(weights, x, config, lambda t, s: s <= t, lambda t, s: t - s)


def slow_gru(weights: dict[str, Tensor], tokens: list[int], config: EncoderConfig) -> list[Tensor]:
    """Compute GRU4Rec's user vectors after each token of one history without padding (Cho et al., 2014)."""
    x = [weights["items.weight"][token] for token in tokens]
    width = len(x[0])
    for layer in range(config.blocks):
        w = {k.removeprefix("encoder.gru.").removesuffix(f"_l{layer}"): v for k, v in weights.items()}
        state, after = torch.zeros_like(x[0]), []
        for v in x:
            from_input = (w["weight_ih"] @ v + w["bias_ih"]).split(width)
            from_state = (w["weight_hh"] @ state + w["bias_hh"]).split(width)
            reset = 1 / (1 + torch.exp(-(from_input[0] + from_state[0])))
            update = 1 / (1 + torch.exp(-(from_input[1] + from_state[1])))
            candidate = torch.tanh(from_input[2] + reset * from_state[2])
            state = (1 - update) * candidate + update * state
            after.append(state)
        x = after
    return slow_output(weights, x)


States = Callable[[dict[str, Tensor], list[int], EncoderConfig], list[Tensor]]


def slow_loss(weights: dict[str, Tensor], batch: Batch, config: EncoderConfig, compute: States) -> tuple[Tensor, int]:
    """Return the mean cross-entropy of a batch, target by target, and the targets' number (causal models)."""
    losses = []
    for tokens in batch.item_seq.tolist():
        real = [t for t in tokens if t]
        for state, target in zip(compute(weights, real[:-1], config), real[1:], strict=True):
            logits = weights["items.weight"][1:] @ state + weights["bias"]
            losses.append(torch.log(torch.exp(logits).sum()) - logits[target - 1])
    return sum(losses) / len(losses), len(losses)


def slow_training(
    start: dict[str, Tensor], batches: list[Batch], config: TrainingConfig, encoder: EncoderConfig, compute: States
) -> tuple[dict[str, Tensor], float, list[float]]:
    """Train by hand; return the averaged weights, the mean loss over targets, and the gradient norms."""
    weights = {name: value.clone().requires_grad_() for name, value in start.items()}
    first = {name: torch.zeros_like(value) for name, value in start.items()}
    second = {name: torch.zeros_like(value) for name, value in start.items()}
    average = {name: torch.zeros_like(value) for name, value in start.items()}
    total = count = 0.0
    norms = []
    for step, batch in enumerate(batches, 1):
        loss, targets = slow_loss(weights, batch, encoder, compute)
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
