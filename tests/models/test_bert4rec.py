"""BERT4Rec against a slow version written from the formulas, and what a state may see of a window."""

import itertools

import numpy as np
import pytest
import torch
from slow import double_weights, final_states, lively, slow_transformer
from tiny import ENCODER, TRAINING, arrays, sequences_of
from torch import Tensor

from guidedrec_core.config import EncoderConfig
from guidedrec_core.data.sequences import TrainingWindows
from guidedrec_core.models.registry import make_base
from guidedrec_core.models.sequence_model import SequenceModel
from guidedrec_core.training.loop import train

N_ITEMS = 11
QUIET = ENCODER.model_copy(update={"kind": "bert4rec", "dropout": 0.0, "item_dropout": 0.0, "copies": 3})
WINDOWS = torch.tensor([[0, 0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10], [0, 0, 0, 0, 1, 2]])


def slow_vector(weights: dict[str, Tensor], history: list[int], config: EncoderConfig) -> Tensor:
    """Compute the user vector after a history of tokens: that of a hidden item, told what stood before it."""
    x = [weights["items.weight"][token] for token in history]
    x = [*x, weights["encoder.mask"][0] + x[-1]]
    return slow_transformer(weights, x, config, lambda t, s: s < len(history), lambda t, s: t - s + config.max_length)[
        -1
    ]


def read(model: SequenceModel, tokens: Tensor, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Read training windows; the same seed hides the same items."""
    torch.manual_seed(seed)
    with torch.no_grad():
        states, rows, steps = model.encoder.read(model.items(tokens), tokens > 0)
        return model.output(states), rows, steps


@pytest.mark.parametrize("blocks", [1, 2])
def test_states_and_scores_are_those_of_the_slow_version(blocks: int) -> None:
    config = QUIET.model_copy(update={"blocks": blocks})
    model = lively(config, N_ITEMS)
    weights, row = double_weights(model), [3, 1, 4, 10, 5, 9]
    slow = slow_vector(weights, row, config)
    torch.testing.assert_close(final_states(model, [[t - 1 for t in row]])[0].double(), slow, rtol=1e-5, atol=1e-5)
    expected = slow @ weights["items.weight"][1:].T + weights["bias"]
    scores = model.scores(np.array([0]), arrays([[t - 1 for t in row]]))[0]
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_hidden_item_is_told_from_all_before_it_and_nothing_else(blocks: int) -> None:
    config = QUIET.model_copy(update={"blocks": blocks})
    model = lively(config, N_ITEMS)
    weights = double_weights(model)
    for seed in range(3):
        states, rows, steps = read(model, WINDOWS, seed)
        for state, row, step in zip(states, rows.tolist(), steps.tolist(), strict=True):
            shown = [token for token in WINDOWS[row, :step].tolist() if token]
            torch.testing.assert_close(state.double(), slow_vector(weights, shown, config), rtol=1e-5, atol=1e-5)


def test_one_block_predicts_every_step_but_a_windows_first_at_once() -> None:
    _, rows, steps = read(lively(QUIET, N_ITEMS), WINDOWS)
    expected = {(row, step) for row in range(3) for step in range(1, 6) if WINDOWS[row, step - 1] > 0}
    assert set(zip(rows.tolist(), steps.tolist(), strict=True)) == expected
    assert len(rows) == len(expected) == 3 + 5 + 1


def test_several_blocks_predict_some_steps_each_time_and_all_in_the_end() -> None:
    model = lively(QUIET.model_copy(update={"blocks": 2}), N_ITEMS)
    steps_seen = set()
    for seed in range(30):
        _, rows, steps = read(model, WINDOWS, seed)
        assert rows.bincount().tolist() == [3, 3, 3]
        steps_seen |= set(zip(rows.tolist(), steps.tolist(), strict=True))
    assert steps_seen == {(0, 3), (0, 4), (0, 5), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 5)}


@pytest.mark.parametrize("blocks", [1, 2])
def test_in_training_whole_items_are_hidden_from_the_states(blocks: int) -> None:
    config = QUIET.model_copy(update={"blocks": blocks, "item_dropout": 0.5})
    model = lively(config, N_ITEMS)
    weights = double_weights(model)
    states, rows, steps = read(model, WINDOWS)
    zero, differ = torch.zeros(config.width).double(), 0
    for state, row, step in zip(states, rows.tolist(), steps.tolist(), strict=True):
        shown = [token for token in WINDOWS[row, :step].tolist() if token]
        possible = [
            slow_vector({**weights, "items.weight": hide(weights["items.weight"], keep, zero)}, shown, config)
            for keep in subsets(shown)
        ]
        near = [bool(torch.allclose(state.double(), one, atol=1e-4)) for one in possible]
        assert any(near)
        differ += not near[-1]
    assert differ > 2


def subsets(tokens: list[int]) -> list[set[int]]:
    """Return all sets of some of the tokens, that of all of them last."""
    return [set(some) for count in range(len(tokens) + 1) for some in itertools.combinations(tokens, count)]


def hide(table: Tensor, keep: set[int], zero: Tensor) -> Tensor:
    """Return an item table in which only some tokens have a vector."""
    return torch.stack([row if token in keep else zero for token, row in enumerate(table)])


def test_neither_padding_nor_batch_mates_change_a_state() -> None:
    model = lively(QUIET.model_copy(update={"blocks": 2}), N_ITEMS).double()
    together = final_states(model, [[7, 8], [1, 2, 3, 4, 5], []])
    for row, history in enumerate([[7, 8], [1, 2, 3, 4, 5], []]):
        torch.testing.assert_close(together[row], final_states(model, [history])[0], rtol=1e-12, atol=1e-12)


def test_all_of_a_longest_history_is_read() -> None:
    model = lively(QUIET, N_ITEMS)
    longest = list(range(QUIET.max_length))
    whole = final_states(model, [longest])
    assert torch.equal(final_states(model, [[9, 9, *longest]]), whole)
    for position in range(len(longest)):
        assert not torch.allclose(final_states(model, [[*longest[:position], 10, *longest[position + 1 :]]]), whole)


def test_cyclic_sequences_are_learned() -> None:
    """Everybody goes round the same circle of items: the next one must be first."""
    circle = [0, 7, 3, 9, 1, 5, 10, 2]
    sequences = sequences_of([[circle[(start + step) % 8] for step in range(14)] for start in range(8)] * 3, N_ITEMS)
    model = make_base(ENCODER.model_copy(update={"kind": "bert4rec", "width": 16}), N_ITEMS, 0)
    windows = TrainingWindows(sequences, sequences.lengths, ENCODER.max_length, 8)
    update = {"batch_size": 8, "max_epochs": 30, "patience": 30, "table_weight_decay": 0.1, "ema": 0.9}
    epochs = iter(range(1, 99))
    train(model, windows, lambda: float(next(epochs)), TRAINING.model_copy(update=update), 0, "train")
    asked = [[circle[(start + step) % 8] for step in range(5)] for start in range(8)]
    best = model.scores(np.zeros(8, np.int64), arrays(asked)).argmax(axis=1)
    assert best.tolist() == [circle[(start + 5) % 8] for start in range(8)]
