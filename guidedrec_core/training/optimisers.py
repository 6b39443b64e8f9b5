"""AdamW for item tables so large that a step must cost only the rows it touches.

A step touches a row when the row's gradient is not all zero. Each row has AdamW (Loshchilov and Hutter, ICLR 2019) of
its own, over the steps that touch it and no others:

- a touched row moves exactly as `torch.optim.AdamW` would move it over only these steps: moments, the step count of
  their correction, and weight decay belong to the row;
- an untouched row stays as it is, bit for bit.

Where every step touches every row, this is AdamW. Elsewhere it differs in that an untouched row neither moves on by old
momentum nor shrinks by weight decay, which would bring a rare item's vector to zero between the steps that touch it.
"""

from typing import Any

import torch
from torch import Tensor

from guidedrec_core.config import TrainingConfig

_EPS = 1e-8
_BETA1, _BETA2 = 0.9, 0.999


class RowAdamW(torch.optim.Optimizer):
    """AdamW over rows; every gradient must be sparse along dimension 0, as `touched` returns it.

    Parameters
    ----------
    groups : list of dict
        ``params`` and ``weight_decay``, as AdamW takes them.
    lr : float
        Step size.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the touched rows."""
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is None:
                    continue
                state = self.state[table]
                if not state:
                    # Not named "step", which PyTorch would leave on the CPU when a checkpoint is read.
                    state["visits"] = table.new_zeros(len(table))
                    state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(table), torch.zeros_like(table)
                rows, grad = table.grad.indices()[0], table.grad.values()  # [R], [R, ...]
                count = state["visits"][rows] + 1  # [R]
                mean = state["exp_avg"][rows].lerp_(grad, 1 - _BETA1)
                square = state["exp_avg_sq"][rows].mul_(_BETA2).addcmul_(grad, grad, value=1 - _BETA2)
                for name, value in (("visits", count), ("exp_avg", mean), ("exp_avg_sq", square)):
                    state[name].index_copy_(0, rows, value)
                shape = (-1,) + (1,) * (table.ndim - 1)
                rate = (group["lr"] / (1 - _BETA1**count)).view(shape)
                scale = (square / (1 - _BETA2**count).view(shape)).sqrt_().add_(_EPS)
                kept = table[rows] * (1 - group["lr"] * group["weight_decay"])
                table.index_copy_(0, rows, kept - rate * mean / scale)


def touched(grad: Tensor) -> Tensor:
    """Return a sparse gradient with each row once, and without rows that are all zero (such as padding's)."""
    grad = grad.coalesce()
    values = grad.values()
    kept = values.flatten(1).any(1) if values.ndim > 1 else values != 0
    rows = grad.indices()[:, kept]
    return torch.sparse_coo_tensor(rows, values[kept], grad.shape, is_coalesced=True, check_invariants=False)


def split_groups(
    groups: list[dict[str, Any]], tables: list[Tensor]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split parameter groups into those for AdamW and those for `RowAdamW`, which takes the tables."""
    own = {id(table) for table in tables}

    def part(of_tables: bool) -> list[dict[str, Any]]:
        chosen = [{**g, "params": [p for p in g["params"] if (id(p) in own) == of_tables]} for g in groups]
        return [group for group in chosen if group["params"]]

    return part(False), part(True)


def make_optimisers(
    groups: list[dict[str, Any]], tables: list[Tensor], config: TrainingConfig
) -> list[torch.optim.Optimizer]:
    """Return AdamW, and `RowAdamW` as well if there are tables whose gradients hold touched rows only."""
    if not tables:
        return [torch.optim.AdamW(groups, lr=config.learning_rate)]
    dense, by_row = split_groups(groups, tables)
    return [torch.optim.AdamW(dense, lr=config.learning_rate), RowAdamW(by_row, config.learning_rate)]
