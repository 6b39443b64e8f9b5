"""SASRec: self-attention over the history (Kang and McAuley, ICDM 2018).

Differences from the paper, each because it ranks better: softmax cross-entropy over all items instead of one
negative (Klenitskiy and Vasilev, RecSys 2023), an output layer and an item bias beside the tied table, input items
hidden at random in training, and position as a bias on attention.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.encoder import causal_read, hide_items
from guidedrec_core.models.transformer import Block


class SASRecEncoder(nn.Module):
    """Causal transformer: every step of a window predicts the next one.

    Shapes: B batch, L length, M positions wanted, D width.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        distances = torch.arange(config.max_length)
        self.blocks = nn.ModuleList(Block(config, distances) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor, wanted: Tensor | None = None) -> Tensor:
        """Return the state after each wanted position, ``[B, M, D]``, or each; those at padding mean nothing."""
        L = x.shape[1]
        if self.training:
            x = hide_items(x, self.config.item_dropout)
        x = F.dropout(x, self.config.dropout, self.training)
        before = torch.ones(L, L, dtype=torch.bool, device=x.device).tril()  # [L, L]
        itself = torch.eye(L, dtype=torch.bool, device=x.device)  # padding that saw nothing would give NaN
        visible = (before & present[:, None, :]) | itself  # [B, L, L]
        steps = torch.arange(L, device=x.device)
        steps_back = (steps[:, None] - steps[None, :]).clamp(min=0)  # [L, L]
        for block in self.blocks[:-1]:
            x = block(x, visible, steps_back)
        return self.norm(self.blocks[-1](x, visible, steps_back, wanted))  # type: ignore[no-any-return]

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict every step but the first of training windows; see `Encoder.read`."""
        return causal_read(self, x, present)

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after whole histories, ``[B, D]``."""
        return self(x, present, torch.full((len(x), 1), x.shape[1] - 1, device=x.device))[:, 0]  # type: ignore[no-any-return]
