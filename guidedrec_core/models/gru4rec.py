"""GRU4Rec: a recurrent network over the history (Hidasi et al., ICLR 2016; Hidasi and Karatzoglou, CIKM 2018).

Differences from the papers, each because it ranks better: softmax cross-entropy over all items instead of sampled
ranking losses, an output layer and an item bias next to the tied table, and item dropout on the inputs.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.encoder import CausalEncoder, drop_items


class GRU4RecEncoder(CausalEncoder):
    """Gated recurrent units: every step of a window predicts the next one.

    Shapes: B batch, L length, D width.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.gru = nn.GRU(config.width, config.width, config.blocks, batch_first=True)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after each position, ``[B, L, D]``; states at padding mean nothing."""
        if self.training:
            x = drop_items(x, self.config.item_dropout)
        x = F.dropout(x, self.config.dropout, self.training)
        # Padding is on the left, where a recurrent network would read it first: roll it to the right, and the states
        # back. One step is always read, so that an empty history has the same state in every batch.
        L = x.shape[1]
        padding = (L - present.sum(1, keepdim=True)).clamp(max=L - 1)  # [B, 1]
        rolled = (torch.arange(L, device=x.device) + padding) % L  # [B, L]
        states, _ = self.gru(x.gather(1, rolled.unsqueeze(-1).expand_as(x)))  # [B, L, D]
        unrolled = (torch.arange(L, device=x.device) - padding) % L  # [B, L]
        states = states.gather(1, unrolled.unsqueeze(-1).expand_as(states))
        normed: Tensor = self.norm(F.dropout(states, self.config.dropout, self.training))
        return normed

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after whole histories, ``[B, D]``."""
        states: Tensor = self(x, present)  # [B, L, D]
        return states[:, -1]
