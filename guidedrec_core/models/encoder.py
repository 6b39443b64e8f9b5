"""What the three sequence architectures have in common, as the base and the refined models see them."""

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.transformer import Block


class Encoder(Protocol):
    """Item vectors in time order -> the user's state before the next item.

    Knows nothing of items: the base model feeds it its table, the refined model guided and reduced vectors. Which
    positions an architecture learns from, and what of a window it may see for that, is its own business.
    """

    config: EncoderConfig

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode training windows.

        Parameters
        ----------
        x : Tensor
            Item vectors of windows, float32 ``[B, L + 1, D]``.
        present : Tensor
            False at padding, bool ``[B, L + 1]``.

        Returns
        -------
        states : Tensor
            ``[T, D]``, one for each step to be predicted; none has seen the step it predicts.
        rows, steps : Tensor
            Which step of which window each state predicts, int64 ``[T]``; never a window's first.
        """

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after whole histories, ``[B, D]``, for ``x [B, L, D]`` and ``present [B, L]``."""


def causal_read(encoder: Any, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Read windows with an encoder that sees only what came before: each state predicts the step after it."""
    rows, steps = present[:, :-1].nonzero(as_tuple=True)
    return encoder(x[:, :-1], present[:, :-1])[rows, steps], rows, steps + 1


def hide_items(x: Tensor, rate: float) -> Tensor:
    """Zero whole item vectors at random, so that no state leans on one item alone."""
    kept = torch.rand(x.shape[:2], device=x.device) >= rate  # [B, L]
    return x * kept.unsqueeze(-1)


def initialise_matrices(module: nn.Module, draw: torch.Generator) -> None:
    """Draw every matrix of a module so that its output varies about half as much as its input; set biases to 0.

    The 0.02 usual in large language models starves a model this small: it trains for many epochs on popularity alone.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim >= 2:
                parameter.normal_(0.0, 0.7 * parameter.shape[1] ** -0.5, generator=draw)
            elif "bias" in name:
                parameter.zero_()
    for part in module.modules():
        if isinstance(part, Block):
            part.look_near()
