"""SASRec: self-attention over the history (Kang and McAuley, ICDM 2018).

Differences from the paper, each because it ranks better: softmax cross-entropy over all items instead of one
negative (Klenitskiy and Vasilev, RecSys 2023), an output layer and an item bias next to the tied table, item dropout on
the inputs, and position as a bias on attention.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.encoder import CausalEncoder, drop_items
from guidedrec_core.models.transformer import Block


class SASRecEncoder(CausalEncoder):
    """Causal transformer: every step of a window predicts the next one.

    Shapes: B batch, L length, D width.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        distances = torch.arange(config.max_length)
        self.blocks = nn.ModuleList(Block(config, distances) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor, only_last: bool = False) -> Tensor:
        """Return the state after each position, ``[B, L, D]``, or after the last alone, ``[B, 1, D]``.

        States at padding mean nothing.
        """
        L = x.shape[1]
        if self.training:
            x = drop_items(x, self.config.item_dropout)
        x = F.dropout(x, self.config.dropout, self.training)
        causal = torch.ones(L, L, dtype=torch.bool, device=x.device).tril()  # [L, L]
        visible = causal & present[:, None, :]  # [B, L, L]
        steps = torch.arange(L, device=x.device)
        steps_back = (steps[:, None] - steps[None, :]).clamp(min=0)  # [L, L]
        for block in self.blocks[:-1]:
            x = block(x, x, visible, steps_back)
        queries = slice(L - 1, L) if only_last else slice(L)
        query = x[:, queries] if only_last else x
        states: Tensor = self.norm(self.blocks[-1](query, x, visible[:, queries], steps_back[queries]))
        return states

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after whole histories, ``[B, D]``."""
        states: Tensor = self(x, present, only_last=True)  # [B, 1, D]
        return states[:, 0]
