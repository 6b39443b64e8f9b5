"""Training objectives against PyTorch's own and against slow formulas."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from guidedrec_core.models import losses
from guidedrec_core.models.losses import softmax_loss

N_ITEMS, WIDTH = 23, 5


def case(n_targets: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw users, items, biases and targets."""
    draw = torch.Generator().manual_seed(seed)
    users = torch.randn(n_targets, WIDTH, generator=draw, dtype=dtype).requires_grad_()
    items = torch.randn(N_ITEMS, WIDTH, generator=draw, dtype=dtype).requires_grad_()
    bias = torch.randn(N_ITEMS, generator=draw, dtype=dtype).requires_grad_()
    return users, items, bias, torch.randint(N_ITEMS, (n_targets,), generator=draw)


@pytest.mark.parametrize("block", [1, 7, 256])
@pytest.mark.parametrize("n_targets", [1, 7, 40])
def test_block_softmax_is_pytorchs_cross_entropy(block: int, n_targets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "_BLOCK", block)
    users, items, bias, targets = case(n_targets)
    loss = softmax_loss(users, items, bias, targets)
    expected = F.cross_entropy(users @ items.T + bias, targets)
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
    # A factor behind the loss must reach the gradients.
    got = torch.autograd.grad(loss * 3, (users, items, bias))
    wanted = torch.autograd.grad(expected * 3, (users, items, bias))
    for gradient, right in zip(got, wanted, strict=True):
        torch.testing.assert_close(gradient, right, rtol=1e-12, atol=1e-12)


def test_block_softmax_bears_large_logits() -> None:
    users, items, bias, targets = case(6)
    loss = softmax_loss(users * 1000, items, bias, targets)
    torch.testing.assert_close(loss, F.cross_entropy(users * 1000 @ items.T + bias, targets))


def test_block_softmax_in_low_precision_is_close() -> None:
    users, items, bias, targets = case(300, dtype=torch.float32)
    loss = softmax_loss(users, items, bias, targets, low_precision=True)
    expected = softmax_loss(users, items, bias, targets)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=0.01)
    assert loss.item() != expected.item()
    got = torch.autograd.grad(loss, (users, items, bias))
    wanted = torch.autograd.grad(expected, (users, items, bias))
    for gradient, right in zip(got, wanted, strict=True):
        assert gradient.dtype == torch.float32
        assert np.corrcoef(gradient.ravel(), right.ravel())[0, 1] > 0.999
