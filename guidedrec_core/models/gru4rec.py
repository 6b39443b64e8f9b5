"""GRU4Rec: a recurrent network over the history (Hidasi et al., ICLR 2016; Hidasi and Karatzoglou, CIKM 2018).

Differences from the papers, each because it ranks better: softmax cross-entropy over all items instead of sampled
ranking losses, an output layer and an item bias beside the tied table, and input items hidden at random in training.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.encoder import causal_read, hide_items


class GRU4RecEncoder(nn.Module):
    """Gated recurrent units: every step of a window predicts the next one.

    Shapes: B batch, L length, D width.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.gru = nn.GRU(config.width, config.width, config.blocks, batch_first=True)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after each position, ``[B, L, D]``; those at padding mean nothing."""
        if self.training:
            x = hide_items(x, self.config.item_dropout)
        x = F.dropout(x, self.config.dropout, self.training)
        # Padding stands on the left, and a recurrent network must not read it: histories are moved to the left edge.
        # Nobody's history is shorter than one step, so that an empty one reads the same in every batch.
        L = x.shape[1]
        padding = (L - present.sum(1, keepdim=True)).clamp(max=L - 1)  # [B, 1]
        there = (torch.arange(L, device=x.device) + padding) % L  # [B, L]
        states, _ = self.gru(x.gather(1, there.unsqueeze(-1).expand_as(x)))  # [B, L, D]
        back = (torch.arange(L, device=x.device) - padding) % L  # [B, L]
        states = states.gather(1, back.unsqueeze(-1).expand_as(states))
        return self.norm(F.dropout(states, self.config.dropout, self.training))  # type: ignore[no-any-return]

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict every step but the first of training windows; see `Encoder.read`."""
        return causal_read(self, x, present)

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after whole histories, ``[B, D]``."""
        return self(x, present)[:, -1]  # type: ignore[no-any-return]
