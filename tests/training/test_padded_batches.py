"""Padding that keeps compiled code from piling up changes no result and meets few shapes."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.registry import make_encoder
from guidedrec_core.training.padded_batches import GELU_ROWS, PRODUCT_ROWS, gelu, pad_rows


@pytest.mark.parametrize("n", [0, 1, PRODUCT_ROWS - 1, PRODUCT_ROWS, PRODUCT_ROWS + 1])
def test_rows_are_padded_with_zeros_to_a_multiple(n: int) -> None:
    x = torch.randn(n, 3)
    padded = pad_rows(x, PRODUCT_ROWS)
    assert len(padded) % PRODUCT_ROWS == 0
    assert len(padded) - n < PRODUCT_ROWS
    assert torch.equal(padded[:n], x)
    assert not padded[n:].any()


@pytest.mark.parametrize("shape", [(5, 3), (1, 1, 8), (3, 7, 8), (2, 64, 128), (GELU_ROWS, 4)])
def test_gelu_is_pytorchs_bit_for_bit(shape: tuple[int, ...]) -> None:
    x = (2 * torch.randn(shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
    weights = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    got, wanted = gelu(x), F.gelu(x)
    assert torch.equal(got, wanted)
    assert torch.equal(*(torch.autograd.grad((y * weights).sum(), x)[0] for y in (got, wanted)))


class _Shapes(TorchDispatchMode):
    """Notes the shapes that GELU is asked for, forward and backward."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Size] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if "gelu" in str(func):
            self.seen.append(args[0].shape)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", ["sasrec", "bert4rec"])
def test_batches_of_any_size_meet_few_shapes(kind: str) -> None:
    encoder = make_encoder(EncoderConfig.parse({"kind": kind, "width": 8, "feedforward": 16}), seed=0)
    with _Shapes() as shapes:
        for windows in range(60, 80):
            states, _, _ = encoder.read(torch.randn(windows, 8, 8), torch.ones(windows, 8, dtype=torch.bool))
            states.sum().backward()
    assert len(shapes.seen) >= 2 * 20
    assert {shape[0] for shape in shapes.seen} <= {GELU_ROWS, 2 * GELU_ROWS}
