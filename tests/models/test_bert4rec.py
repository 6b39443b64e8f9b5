"""BERT4Rec against a slow version written from the formulas, and what a state may see of a window."""

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
from guidedrec_core.models.training import train

N_ITEMS = 11
QUIET = ENCODER.model_copy(
    update={"kind": "bert4rec", "dropout": 0.0, "item_dropout": 0.0, "copies": 1, "mask_rate": 0.3}
)


def slow_vectors(weights: dict[str, Tensor], row: list[int | None], config: EncoderConfig) -> list[Tensor]:
    """Compute user vectors at all steps of a row of tokens, None being a hidden one."""
    own = [torch.zeros(config.width).double() if token is None else weights["items.weight"][token] for token in row]
    before = [torch.zeros(config.width).double(), *own]  # a hidden item is told what stood before it, if that is shown
    x = [weights["encoder.mask"][0] + before[s] if t is None else own[s] for s, t in enumerate(row)]
    return slow_transformer(weights, x, config, lambda t, s: True, lambda t, s: t - s + config.max_length)


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
    slow = slow_vectors(weights, [*row, None], config)[-1]
    torch.testing.assert_close(final_states(model, [[t - 1 for t in row]])[0].double(), slow, rtol=1e-5, atol=1e-5)
    expected = slow @ weights["items.weight"][1:].T + weights["bias"]
    scores = model.scores(np.array([0]), arrays([[t - 1 for t in row]]))[0]
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


def test_hidden_items_are_told_from_both_sides_and_never_seen() -> None:
    """Every state is that of the slow version with all hidden items hidden, ending at the last one."""
    model = lively(QUIET, N_ITEMS)
    weights = double_weights(model)
    tokens = torch.tensor([[0, 0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10], [0, 0, 0, 0, 1, 2]])
    predicted = 0
    for seed in range(20):
        states, rows, steps = read(model, tokens, seed)
        hidden = set(zip(rows.tolist(), steps.tolist(), strict=True))
        for state, row, step in zip(states, rows.tolist(), steps.tolist(), strict=True):
            start = int((tokens[row] == 0).sum())
            end = max(s for r, s in hidden if r == row)
            shown = [None if (row, s) in hidden else int(tokens[row, s]) for s in range(start, end + 1)]
            slow = slow_vectors(weights, shown, QUIET)[step - start]
            torch.testing.assert_close(state.double(), slow, rtol=1e-5, atol=1e-5)
            predicted += 1
    assert predicted > 60


def test_every_window_predicts_something_and_never_its_first_item_or_padding() -> None:
    model = lively(QUIET, N_ITEMS)
    tokens = torch.tensor([[0, 0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10], [0, 0, 0, 0, 1, 2]])
    steps_seen = set()
    for seed in range(60):
        _, rows, steps = read(model, tokens, seed)
        assert set(rows.tolist()) == {0, 1, 2}
        assert (tokens[rows, steps] > 0).all()
        assert (tokens[rows, steps - 1] > 0).all()
        assert (steps > 0).all()
        steps_seen |= set(zip(rows.tolist(), steps.tolist(), strict=True))
    assert steps_seen == {(0, 3), (0, 4), (0, 5), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 5)}


def test_each_copy_of_a_window_predicts_on_its_own() -> None:
    model = lively(QUIET.model_copy(update={"copies": 5, "mask_rate": 0.0}), N_ITEMS)
    tokens = torch.tensor([[0, 0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10]])
    states, rows, steps = read(model, tokens)
    assert rows.bincount().tolist() == [5, 5]
    assert len(set(steps[rows == 1].tolist())) > 1
    for state, row, step in zip(states, rows.tolist(), steps.tolist(), strict=True):
        history = [t - 1 for t in tokens[row, :step].tolist() if t]
        torch.testing.assert_close(state, final_states(model, [history])[0], rtol=1e-5, atol=1e-5)


def test_changing_a_hidden_item_changes_no_state() -> None:
    model = lively(QUIET, N_ITEMS)
    tokens = torch.tensor([[1, 2, 3, 4, 5, 6]])
    states, rows, steps = read(model, tokens)
    other = tokens.clone()
    other[rows, steps] = 11
    assert torch.equal(read(model, other)[0], states)
    shown = next(s for s in range(6) if s not in steps.tolist())
    other[0, shown] = 10
    assert not torch.allclose(read(model, other)[0], states, atol=1e-4)


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
