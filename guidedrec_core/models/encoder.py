"""What the three sequence architectures have in common, as the base and the refined models see them."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.transformer import Block


class Encoder(nn.Module, ABC):
    """Sequence encoder: item vectors in time order -> the user's state before the next item.

    It knows no items: the base model passes vectors of its item table, the refined model guided and reduced vectors.
    Each architecture decides which steps of a window it learns from, and which items each of these may attend to.

    Shapes: B batch, L length, D width, T steps to be predicted.

    Parameters
    ----------
    config : EncoderConfig
        Sizes.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
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
            ``[T, D]``, one for each step to be predicted; computed without that step or any later one.
        rows, steps : Tensor
            Window and position of the step that each state predicts, int64 ``[T]``; never a window's first item.
        """

    @abstractmethod
    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after whole histories, ``[B, D]``, for ``x [B, L, D]`` and ``present [B, L]``."""


class CausalEncoder(Encoder):
    """An encoder whose state at each position depends on the items up to there, so that one pass reads all steps."""

    @abstractmethod
    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after each position, ``[B, L, D]``; states at padding mean nothing."""

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict every step but the first of training windows; see `Encoder.read`."""
        rows, steps = present[:, :-1].nonzero(as_tuple=True)
        states: Tensor = self(x[:, :-1], present[:, :-1])  # [B, L, D]
        return states[rows, steps], rows, steps + 1


def drop_items(x: Tensor, rate: float) -> Tensor:
    """Zero whole item vectors of ``[B, L, D]`` at random, so that no state depends on one item alone."""
    kept = torch.rand(x.shape[:2], device=x.device) >= rate  # [B, L]
    return x * kept.unsqueeze(-1)


def initialise_matrices(module: nn.Module, draw: torch.Generator) -> None:
    """Draw every matrix of a module so that its output varies about half as much as its input; set biases to 0.

    The 0.02 usual in large language models is too small for a model of this size: for many epochs it would learn
    nothing but popularity.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim >= 2:
                parameter.normal_(0.0, 0.7 * parameter.shape[1] ** -0.5, generator=draw)
            elif "bias" in name:
                parameter.zero_()
    for part in module.modules():
        if isinstance(part, Block):
            part.initialise_distance_bias()
