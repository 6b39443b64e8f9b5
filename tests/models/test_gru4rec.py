"""GRU4Rec against a slow version written from the formulas."""

import numpy as np
import pytest
import torch
from slow import double_weights, final_states, lively, slow_gru, slow_training, states
from tiny import ENCODER, TRAINING, arrays, sequences_of

from guidedrec_core.data.sequences import TrainingWindows
from guidedrec_core.models.registry import make_base
from guidedrec_core.randomness import generator
from guidedrec_core.training.loop import train

N_ITEMS = 11
QUIET = ENCODER.model_copy(update={"kind": "gru4rec", "dropout": 0.0, "item_dropout": 0.0})


@pytest.mark.parametrize("blocks", [1, 2])
def test_states_are_those_of_the_slow_version(blocks: int) -> None:
    config = QUIET.model_copy(update={"blocks": blocks})
    model = lively(config, N_ITEMS)
    weights, row = double_weights(model), [3, 1, 4, 10, 5, 9]
    slow = torch.stack(slow_gru(weights, row, config))
    torch.testing.assert_close(states(model, [row])[0].double(), slow, rtol=1e-5, atol=1e-5)
    expected = slow[-1] @ weights["items.weight"][1:].T + weights["bias"]
    scores = model.scores(np.array([0]), arrays([[t - 1 for t in row]]))[0]
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


def test_a_later_item_does_not_change_an_earlier_state() -> None:
    model = lively(QUIET, N_ITEMS)
    before, after = states(model, [[1, 2, 3, 4, 5]])[0], states(model, [[1, 2, 3, 9, 5]])[0]
    assert torch.equal(before[:3], after[:3])
    assert (before[3:] - after[3:]).abs().amin(dim=1).gt(0).all()


def test_neither_padding_nor_batch_mates_change_a_state() -> None:
    model = lively(QUIET.model_copy(update={"blocks": 2}), N_ITEMS).double()
    alone = states(model, [[7, 8]])[0]
    padded = states(model, [[0, 0, 0, 7, 8], [1, 2, 3, 4, 5], [0, 0, 0, 0, 0]])[0, -2:]
    torch.testing.assert_close(padded, alone, rtol=1e-12, atol=1e-12)


def test_an_empty_history_reads_the_same_in_every_batch() -> None:
    model = lively(QUIET, N_ITEMS).double()
    together = final_states(model, [[], [1, 2, 3, 4]])
    torch.testing.assert_close(together[0], final_states(model, [[]])[0], rtol=1e-12, atol=1e-12)
    assert not torch.allclose(together[0], together[1])


def test_training_steps_are_those_of_the_slow_loop() -> None:
    histories = [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 0], [5, 3, 1], [2, 4, 6, 8, 10], [7, 0]]
    sequences = sequences_of(histories, N_ITEMS)
    windows = TrainingWindows(sequences, sequences.lengths, QUIET.max_length, batch_size=2)
    config = TRAINING.model_copy(update={"batch_size": 2, "max_epochs": 1, "ema": 0.8, "clip_norm": 0.5})
    model = lively(QUIET, N_ITEMS)
    start = double_weights(model)
    result = train(model, windows, lambda: 1.0, config, 5, "train")
    batches = list(windows.epoch(generator(5, "batches", 1)))
    expected, loss, _ = slow_training(start, batches, config, QUIET, slow_gru)
    assert result.epochs[0].loss == pytest.approx(loss, rel=1e-5)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value.double(), expected[name], rtol=1e-4, atol=2e-5)
        assert not torch.equal(value.double(), start[name])


def test_cyclic_sequences_are_learned() -> None:
    """Everybody goes round the same circle of items: the next one must be first."""
    circle = [0, 7, 3, 9, 1, 5, 10, 2]
    sequences = sequences_of([[circle[(start + step) % 8] for step in range(14)] for start in range(8)] * 3, N_ITEMS)
    model = make_base(ENCODER.model_copy(update={"kind": "gru4rec", "width": 16}), N_ITEMS, 0)
    windows = TrainingWindows(sequences, sequences.lengths, ENCODER.max_length, 8)
    update = {"batch_size": 8, "max_epochs": 20, "patience": 20, "table_weight_decay": 0.1, "ema": 0.9}
    epochs = iter(range(1, 99))
    train(model, windows, lambda: float(next(epochs)), TRAINING.model_copy(update=update), 0, "train")
    asked = [[circle[(start + step) % 8] for step in range(5)] for start in range(8)]
    best = model.scores(np.zeros(8, np.int64), arrays(asked)).argmax(axis=1)
    assert best.tolist() == [circle[(start + 5) % 8] for start in range(8)]
