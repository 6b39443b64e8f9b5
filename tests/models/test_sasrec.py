"""SASRec against a slow version written from the formulas, and what attention must and must not see."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from slow import double_weights, lively, slow_causal, slow_training, states
from tiny import ENCODER, TRAINING, arrays, sequences_of

from guidedrec_core.config import TrainingConfig
from guidedrec_core.data.sequences import TrainingWindows
from guidedrec_core.models.registry import make_base
from guidedrec_core.randomness import generator
from guidedrec_core.training.loop import train

N_ITEMS = 11
QUIET = ENCODER.model_copy(update={"dropout": 0.0, "item_dropout": 0.0})
ONE = np.array([0])


def test_a_later_item_does_not_change_an_earlier_state() -> None:
    model = lively(QUIET, N_ITEMS)
    before, after = states(model, [[1, 2, 3, 4, 5]])[0], states(model, [[1, 2, 3, 9, 5]])[0]
    assert torch.equal(before[:3], after[:3])
    assert (before[3:] - after[3:]).abs().amin(dim=1).gt(0).all()


def test_every_earlier_item_within_reach_changes_a_state() -> None:
    model = lively(QUIET, N_ITEMS)
    whole = states(model, [[1, 2, 3, 4, 5, 6]])[0, -1]
    for position in range(6):
        row = [1, 2, 3, 4, 5, 6]
        row[position] = 10
        assert not torch.allclose(states(model, [row])[0, -1], whole, atol=1e-4)


def test_the_order_of_the_history_matters() -> None:
    model = lively(QUIET, N_ITEMS)
    assert not torch.allclose(states(model, [[1, 2, 3]])[0, -1], states(model, [[2, 1, 3]])[0, -1], atol=1e-4)


def test_padding_does_not_change_a_state() -> None:
    model = lively(QUIET.model_copy(update={"blocks": 2}), N_ITEMS).double()
    alone = states(model, [[7, 8]])[0]
    padded = states(model, [[0, 0, 0, 7, 8], [1, 2, 3, 4, 5]])[0, -2:]
    torch.testing.assert_close(padded, alone, rtol=1e-12, atol=1e-12)


def test_only_the_most_recent_items_are_read() -> None:
    model = lively(QUIET, N_ITEMS)
    longer = model.scores(ONE, arrays([[9, 9, 0, 1, 2, 3, 4, 5]]))
    assert np.array_equal(longer, model.scores(ONE, arrays([[0, 1, 2, 3, 4, 5]])))


@pytest.mark.parametrize("blocks", [1, 2])
def test_states_are_those_of_the_slow_version(blocks: int) -> None:
    config = QUIET.model_copy(update={"blocks": blocks})
    model = lively(config, N_ITEMS)
    weights = double_weights(model)
    row = [3, 1, 4, 10, 5, 9]
    slow = torch.stack(slow_causal(weights, row, config))
    torch.testing.assert_close(states(model, [row])[0].double(), slow, rtol=1e-5, atol=1e-5)
    expected = slow[-1] @ weights["items.weight"][1:].T + weights["bias"]
    np.testing.assert_allclose(model.scores(ONE, arrays([[t - 1 for t in row]]))[0], expected, rtol=1e-4, atol=1e-4)


def test_items_and_bias_are_those_the_scores_are_made_of() -> None:
    model = lively(QUIET, N_ITEMS)
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
    config = TRAINING.model_copy(update={"batch_size": 2, "max_epochs": epochs, "ema": 0.8, "clip_norm": 0.5})
    model = lively(QUIET, N_ITEMS)
    start = double_weights(model)
    result = train(model, windows, validate_by_epoch(), config, 5, "train")

    batches = [batch for epoch in range(epochs) for batch in windows.epoch(generator(5, "batches", epoch + 1))]
    assert len(batches) == 3 * epochs
    expected, loss, norms = slow_training(start, batches, config, QUIET, slow_causal)
    assert min(norms) > config.clip_norm  # so that clipping is tested, too
    assert np.mean([e.loss for e in result.epochs]) == pytest.approx(loss, rel=1e-5)
    for name, value in model.state_dict().items():
        # A key's bias shifts all of a row's logits alike: its gradient is rounding error, which Adam blows up.
        moved = value.double() if name != "encoder.blocks.0.query_key_value.bias" else value.double()[QKV_WITHOUT_K]
        wanted = expected[name] if name != "encoder.blocks.0.query_key_value.bias" else expected[name][QKV_WITHOUT_K]
        torch.testing.assert_close(moved, wanted, rtol=1e-4, atol=2e-5, msg=lambda text, name=name: f"{name}: {text}")
        assert not torch.equal(value.double(), start[name])


QKV_WITHOUT_K = [*range(8), *range(16, 24)]
