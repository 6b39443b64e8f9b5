"""Training objectives: the loss of a batch's user vectors and targets.

A model gives user vectors at target positions and its item table; the objective decides which items a target competes
with: all of them, or a sample where the catalogue is large.

Shapes: T targets in a batch, E width of user and item vectors, N items, S sampled items.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from guidedrec_core.config import TrainingConfig
from guidedrec_core.data.sequences import Batch
from guidedrec_core.training.padded_batches import PRODUCT_ROWS, pad_rows

# Targets whose logits are held at a time: at 4,000 items a block stays in the second-level cache.
_BLOCK = 256


class ItemTable(Protocol):
    """The item vectors and biases that user vectors are compared with."""

    def item_table(self) -> tuple[Tensor, Tensor]:
        """Return all item vectors ``[N, E]`` and biases ``[N]``."""

    def item_rows(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors ``[..., E]`` and biases ``[...]`` of some items, for item indexes of any shape."""


class TrainingPairs(NamedTuple):
    """What one training step compares.

    Attributes
    ----------
    users : Tensor
        User vectors, ``[T, E]``.
    targets : Tensor
        Item index that each must find, int64 ``[T]``.
    items : ItemTable
        The table as this step sees it. What a model draws at random for a step, such as dropped item vectors, holds for
        the inputs and for this table alike.
    """

    users: Tensor
    targets: Tensor
    items: ItemTable


class Scored(Protocol):
    """What an objective needs of a model."""

    def training_pairs(self, batch: Batch) -> TrainingPairs:
        """Encode a batch of training windows."""


Objective = Callable[[Scored, Batch], tuple[Tensor, int]]
"""Returns the mean loss over a batch's targets, and how many there were."""


def make_objective(config: TrainingConfig, item_counts: npt.NDArray[np.int64]) -> Objective:
    """Return the objective a configuration names.

    Parameters
    ----------
    config : TrainingConfig
        Which objective, with its settings; `precision` must be resolved.
    item_counts : ndarray of int64
        Training interactions of each item, ``[N]``.
    """
    n_items = len(item_counts)

    def softmax(model: Scored, batch: Batch) -> tuple[Tensor, int]:
        users, targets, items = model.training_pairs(batch)
        loss = softmax_loss(users, *items.item_table(), targets, config.precision == "bfloat16")
        return loss, len(targets)

    weights = (item_counts + 1.0) ** config.popularity_power  # + 1, so that items without interactions are drawn, too
    shares = torch.from_numpy(weights / weights.sum())
    below = shares.cumsum(0)

    def sampled(model: Scored, batch: Batch) -> tuple[Tensor, int]:
        users, targets, table = model.training_pairs(batch)
        drawn = torch.searchsorted(below, torch.rand(config.negatives, dtype=torch.float64))
        drawn = drawn.clamp(max=n_items - 1)  # the last sum may fall short of 1
        expected = (shares[drawn] * config.negatives).log().float().to(users.device)  # [S]
        others = drawn.to(users.device)
        items, bias = table.item_rows(torch.cat([targets, others]))
        return sampled_softmax_loss(users, items, bias, targets, others, expected), len(targets)

    negatives = 1 if config.loss == "bce" else config.negatives
    calibration = 0.0 if config.loss == "bce" else config.calibration

    def binary(model: Scored, batch: Batch) -> tuple[Tensor, int]:
        users, targets, table = model.training_pairs(batch)
        others = torch.randint(n_items - 1, (len(targets), negatives)).to(users.device)
        others += others >= targets[:, None]  # uniform over all items but the target
        items, bias = table.item_rows(torch.cat([targets[:, None], others], 1))  # [T, 1 + k, E], [T, 1 + k]
        logits = torch.einsum("te,tke->tk", users, items) + bias
        return binary_loss(logits, target_exponent(negatives, n_items, calibration)), len(targets)

    return {"softmax": softmax, "sampled": sampled, "gbce": binary, "bce": binary}[config.loss]


def sampled_softmax_loss(
    users: Tensor, items: Tensor, bias: Tensor, targets: Tensor, others: Tensor, log_expected: Tensor
) -> Tensor:
    """Return the mean cross-entropy of a softmax over the target and a sample of other items.

    ``-own + log(exp(own) + sum_j exp(logit_j) / expected_j)``, where `expected_j` is how often item j is expected in
    the sample (the log-Q correction; Bengio and Senecal 2008; Jean et al., ACL 2015). The sum is an unbiased estimate
    of the sum over all other items; the target is always there and so is not corrected. A sampled item that is the
    target is left out.

    Parameters
    ----------
    users : Tensor
        ``[T, E]``.
    items, bias : Tensor
        Vectors ``[T + S, E]`` and biases ``[T + S]``, of the targets first.
    targets, others : Tensor
        Item indexes, int64 ``[T]`` and ``[S]``; the latter shared by all targets.
    log_expected : Tensor
        ``[S]``.
    """
    T = len(targets)
    own = (users * items[:T]).sum(1) + bias[:T]  # [T]
    logits = users @ items[T:].T + (bias[T:] - log_expected)  # [T, S]
    logits = logits.masked_fill(others == targets[:, None], -torch.inf)
    return (torch.logsumexp(torch.cat([own[:, None], logits], 1), 1) - own).mean()


def binary_loss(logits: Tensor, exponent: float) -> Tensor:
    """Return the generalised binary cross-entropy (gBCE; Petrov and Macdonald, RecSys 2023).

    ``-(exponent * log sigmoid(own) + sum_j log(1 - sigmoid(logit_j))) / (1 + k)``, mean over targets; exponent 1 is the
    plain binary cross-entropy of SASRec's paper, whose negatives are drawn here from all items but the target.

    Parameters
    ----------
    logits : Tensor
        ``[T, 1 + k]``, the target's first.
    exponent : float
        Of the target's probability; see `target_exponent`.
    """
    return -(exponent * F.logsigmoid(logits[:, 0]) + F.logsigmoid(-logits[:, 1:]).sum(1)).mean() / logits.shape[1]


def target_exponent(negatives: int, n_items: int, calibration: float) -> float:
    """Return gBCE's beta, ``a (t (1 - 1/a) + 1/a)`` with ``a`` the share of negatives that are drawn for a target."""
    rate = negatives / (n_items - 1)
    return rate * (calibration * (1 - 1 / rate) + 1 / rate)


def softmax_loss(users: Tensor, items: Tensor, bias: Tensor, targets: Tensor, low_precision: bool = False) -> Tensor:
    """Return the mean softmax cross-entropy over the whole catalogue.

    The logits ``[T, N]`` are never in memory as a whole: they are computed, turned into gradients and dropped in blocks
    of targets. That bounds memory, and on a CPU it is about 1.6 times as fast as PyTorch's cross-entropy (3 times with
    `low_precision` on a processor with bfloat16 products).

    Parameters
    ----------
    users : Tensor
        ``[T, E]``.
    items : Tensor
        ``[N, E]``.
    bias : Tensor
        ``[N]``.
    targets : Tensor
        Item indexes, int64 ``[T]``.
    low_precision : bool
        Multiply matrices in bfloat16; sums, softmax and gradients of parameters stay float32.
    """
    return _BlockSoftmax.apply(users, items, bias, targets, low_precision)  # type: ignore[no-any-return, no-untyped-call]


class _BlockSoftmax(torch.autograd.Function):
    """Softmax cross-entropy whose forward pass computes the gradients as well, block by block."""

    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, bias: Tensor, targets: Tensor, low_precision: bool) -> Tensor:
        kind = torch.bfloat16 if low_precision else users.dtype
        u, v = pad_rows(users.detach().to(kind), PRODUCT_ROWS), items.detach().to(kind)
        users_grad = torch.empty_like(users)
        items_grad, bias_grad = torch.zeros_like(items), torch.zeros_like(bias)
        total = users.new_zeros(())
        for first in range(0, len(users), _BLOCK):
            part = slice(first, first + _BLOCK)
            wanted = targets[part, None]  # [b, 1]
            b = len(wanted)
            logits = (u[part] @ v.T)[:b].to(users.dtype).add_(bias)  # [b, N]
            own, highest = logits.gather(1, wanted), logits.amax(1, keepdim=True)
            share = logits.sub_(highest).exp_()
            size = share.sum(1, keepdim=True)
            total += (size.log() + highest - own).sum()
            share.div_(size).scatter_add_(1, wanted, torch.full_like(own, -1.0))  # softmax minus one-hot
            bias_grad += share.sum(0)
            share = pad_rows(share.to(kind), PRODUCT_ROWS)
            users_grad[part] = (share @ v)[:b]
            items_grad += share.T @ u[part]
        T = len(users)
        ctx.save_for_backward(users_grad / T, items_grad / T, bias_grad / T)
        return total / T

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        users_grad, items_grad, bias_grad = ctx.saved_tensors
        return grad * users_grad, grad * items_grad, grad * bias_grad, None, None
