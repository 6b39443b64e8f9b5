"""Training objectives against PyTorch's own and against slow formulas."""

from typing import Any

import numpy as np
import pytest
import torch
from tiny import TRAINING
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from guidedrec_core.data.sequences import Batch
from guidedrec_core.training import losses
from guidedrec_core.training.losses import (
    TrainingPairs,
    binary_loss,
    make_objective,
    sampled_softmax_loss,
    softmax_loss,
    target_exponent,
)

N_ITEMS, WIDTH = 23, 5


def case(n_targets: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw users, items, biases and targets."""
    draw = torch.Generator().manual_seed(seed)
    users = torch.randn(n_targets, WIDTH, generator=draw, dtype=dtype).requires_grad_()
    items = torch.randn(N_ITEMS, WIDTH, generator=draw, dtype=dtype).requires_grad_()
    bias = torch.randn(N_ITEMS, generator=draw, dtype=dtype).requires_grad_()
    return users, items, bias, torch.randint(N_ITEMS, (n_targets,), generator=draw)


@pytest.mark.parametrize(("block", "step"), [(1, 1), (7, 7), (8, 4), (256, 64)])
@pytest.mark.parametrize("n_targets", [1, 7, 40])
def test_block_softmax_is_pytorchs_cross_entropy(
    block: int, step: int, n_targets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "_BLOCK", block)
    monkeypatch.setattr(losses, "PRODUCT_ROWS", step)
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


class Products(TorchDispatchMode):
    """Notes the shapes of matrix products."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[tuple[torch.Size, ...]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.mm.default:
            self.shapes.add(tuple(arg.shape for arg in args))
        return func(*args, **(kwargs or {}))


def test_block_softmax_multiplies_in_few_shapes() -> None:
    """Code compiled for each of the thousand shapes of a training once grew by 10 MB an epoch."""
    few = losses._BLOCK // losses.PRODUCT_ROWS * 3  # three products a block
    with Products() as products:
        for n_targets in range(1, 600):
            softmax_loss(*case(n_targets, dtype=torch.float32), low_precision=True)
    assert 0 < len(products.shapes) <= few


def sampled(users: Tensor, items: Tensor, bias: Tensor, targets: Tensor, others: Tensor, expected: Tensor) -> Tensor:
    rows = torch.cat([targets, others])
    return sampled_softmax_loss(users, items[rows], bias[rows], targets, others, expected)


def test_sampled_softmax_over_all_items_is_the_full_one() -> None:
    users, items, bias, targets = case(9)
    loss = sampled(users, items, bias, targets, torch.arange(N_ITEMS), torch.zeros(N_ITEMS).double())
    expected = F.cross_entropy(users @ items.T + bias, targets)
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
    got = torch.autograd.grad(loss, (users, items, bias))
    for gradient, right in zip(got, torch.autograd.grad(expected, (users, items, bias)), strict=True):
        torch.testing.assert_close(gradient, right, rtol=1e-10, atol=1e-12)


def test_sampled_softmax_is_that_of_the_slow_formula() -> None:
    users, items, bias, targets = (t.detach() for t in case(5))
    others = torch.tensor([3, 8, 8, int(targets[0]), 20])
    expected = torch.tensor([0.5, 2.0, 2.0, 0.1, 1.5]).double()
    slow = []
    for user, target in zip(users, targets.tolist(), strict=True):
        own = float(user @ items[target] + bias[target])
        rest = [
            np.exp(float(user @ items[j] + bias[j])) / float(e)
            for j, e in zip(others.tolist(), expected, strict=True)
            if j != target
        ]
        slow.append(np.log(np.exp(own) + sum(rest)) - own)
    loss = sampled(users, items, bias, targets, others, expected.log())
    assert loss.item() == pytest.approx(np.mean(slow), rel=1e-12)


def test_the_sampled_sum_is_an_unbiased_estimate_of_the_whole_one() -> None:
    users, items, bias, targets = (t.detach() for t in case(1))
    shares = torch.arange(1.0, N_ITEMS + 1).double()
    shares /= shares.sum()
    logits = (users @ items.T + bias)[0]
    sums, draw = [], torch.Generator().manual_seed(0)
    for _ in range(4000):
        others = torch.multinomial(shares, 10, replacement=True, generator=draw)
        loss = sampled(users, items, bias, targets, others, (10 * shares[others]).log())
        sums.append((loss + logits[targets[0]]).exp().item())
    assert np.mean(sums) == pytest.approx(logits.exp().sum().item(), rel=0.03)


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
def test_gbce_is_that_of_the_paper(calibration: float) -> None:
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a = 3 / (N_ITEMS - 1)
    beta = a * (calibration * (1 - 1 / a) + 1 / a)
    slow = []
    for own, *others in logits.tolist():
        sigmoid = [1 / (1 + np.exp(-x)) for x in (own, *others)]
        slow.append(-(np.log(sigmoid[0] ** beta) + sum(np.log(1 - s) for s in sigmoid[1:])) / 4)
    exponent = target_exponent(3, N_ITEMS, calibration)
    assert exponent == pytest.approx(beta)
    assert binary_loss(logits, exponent).item() == pytest.approx(np.mean(slow), rel=1e-10)


def test_without_calibration_gbce_is_plain_binary_cross_entropy() -> None:
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    wanted = F.binary_cross_entropy_with_logits(logits, torch.tensor([[1.0, 0.0]]).expand(6, 2))
    torch.testing.assert_close(binary_loss(logits, target_exponent(1, N_ITEMS, 0.0)), wanted)


class Fixed:
    """A model whose users and items are given; it notes which items an objective asks for."""

    def __init__(self, n_targets: int = 200) -> None:
        self.users, self.items, self.bias, self.targets = case(n_targets, dtype=torch.float32)
        self.asked: list[Tensor] = []

    def training_pairs(self, batch: Batch) -> TrainingPairs:
        return TrainingPairs(self.users, self.targets, self)

    def item_table(self) -> tuple[Tensor, Tensor]:
        return self.items, self.bias

    def item_rows(self, items: Tensor) -> tuple[Tensor, Tensor]:
        self.asked.append(items)
        return self.items[items], self.bias[items]


BATCH = Batch(np.zeros(0, np.int64), np.zeros((0, 2), np.int64), [])
COUNTS = np.arange(N_ITEMS) ** 2


def test_the_default_objective_is_the_full_softmax() -> None:
    model = Fixed()
    loss, count = make_objective(TRAINING, COUNTS)(model, BATCH)
    torch.testing.assert_close(loss, softmax_loss(model.users, model.items, model.bias, model.targets))
    assert count == 200
    assert not model.asked


@pytest.mark.parametrize(("loss", "negatives"), [("gbce", 40), ("bce", 1)])
def test_binary_objectives_draw_evenly_from_all_items_but_the_target(loss: str, negatives: int) -> None:
    model = Fixed()
    config = TRAINING.model_copy(update={"loss": loss, "negatives": 40})
    torch.manual_seed(0)
    for _ in range(40 // negatives):
        make_objective(config, COUNTS)(model, BATCH)
    drawn = torch.cat([asked[:, 1:] for asked in model.asked], 1)
    assert drawn.shape == (200, 40)
    assert not (drawn == model.targets[:, None]).any()
    counts = np.bincount(drawn.ravel(), minlength=N_ITEMS)
    assert counts.min() > 0.75 * counts.mean()
    assert counts.max() < 1.25 * counts.mean()


@pytest.mark.parametrize("power", [0.0, 0.75, 1.0])
def test_the_sampled_objective_draws_by_popularity_and_corrects_for_it(power: float) -> None:
    """However it draws, many negatives must give nearly the loss of all items."""
    model = Fixed()
    config = TRAINING.model_copy(update={"loss": "sampled", "negatives": 20_000, "popularity_power": power})
    torch.manual_seed(0)
    loss, count = make_objective(config, COUNTS)(model, BATCH)
    full = softmax_loss(model.users, model.items, model.bias, model.targets)
    assert loss.item() == pytest.approx(full.item(), rel=0.02)
    assert count == 200
    drawn = np.bincount(model.asked[0][200:], minlength=N_ITEMS) / 20_000
    wanted = (COUNTS + 1.0) ** power
    np.testing.assert_allclose(drawn, wanted / wanted.sum(), atol=0.012)
