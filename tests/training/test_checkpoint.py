"""Checkpoints come back as they were written, or not at all."""

import math
from pathlib import Path

import pytest
import torch
from tiny import ENCODER, TRAINING

from guidedrec_core.errors import TrainingError
from guidedrec_core.models.registry import make_base
from guidedrec_core.training.checkpoint import Checkpoint, Epoch, TrainingState
from guidedrec_core.training.optimisers import make_optimisers

N_ITEMS = 20


def one_step(seed: int) -> tuple[torch.nn.Module, list[torch.optim.Optimizer]]:
    """Return a model and its optimisers after one step by made-up gradients."""
    model = make_base(ENCODER, N_ITEMS, seed)
    optimisers = make_optimisers(model.parameter_groups(TRAINING), [], TRAINING)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 0.1)
    for optimiser in optimisers:
        optimiser.step()
    return model, optimisers


def test_a_checkpoint_restores_weights_moments_and_state(tmp_path: Path) -> None:
    model, optimisers = one_step(0)
    state = TrainingState.initial(model)
    state.epochs, state.step, state.best_epoch, state.best_ndcg = (
        [Epoch(1, 2.5, 0.125), Epoch(2, 2.0, 0.1)],
        7,
        1,
        0.125,
    )
    state.first_loss = 3.0
    path = tmp_path / "deep" / "checkpoint.safetensors"
    Checkpoint.of(model, optimisers, state).save(path)
    found = Checkpoint.load(path)
    other, others = one_step(1)
    assert not torch.equal(other.state_dict()["bias"], torch.zeros(N_ITEMS))
    found.restore(other, others)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    before, after = (o[0].state_dict()["state"] for o in (optimisers, others))
    assert before.keys() == after.keys() != set()
    for number, moments in before.items():
        for name, value in moments.items():
            assert torch.equal(torch.as_tensor(after[number][name]), torch.as_tensor(value))
    assert (found.state.epochs, found.state.step, found.state.best_epoch) == (state.epochs, 7, 1)
    assert (found.state.best_ndcg, found.state.first_loss, found.state.epochs_since_best) == (0.125, 3.0, 1)
    for name, value in state.best.items():
        assert torch.equal(found.state.best[name], value)
        assert torch.equal(found.state.average[name], torch.zeros_like(value))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_before_the_first_epoch_nothing_is_best() -> None:
    state = TrainingState.initial(make_base(ENCODER, N_ITEMS, 0))
    assert (state.best_epoch, state.epochs_since_best, state.best_ndcg) == (0, 0, -math.inf)


@pytest.mark.parametrize("content", [b"not a checkpoint", b""])
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"expected a training checkpoint at .*cannot be read .*; delete it"):
        Checkpoint.load(path)
