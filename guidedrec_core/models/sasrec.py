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

    Shapes: B batch, L length, D width.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        distances = torch.arange(config.max_length)
        self.blocks = nn.ModuleList(Block(config, distances) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor, only_last: bool = False) -> Tensor:
        """Return the state after each position, ``[B, L, D]``, or the last alone; at padding it means nothing."""
        L = x.shape[1]
        if self.training:
            x = hide_items(x, self.config.item_dropout)
        x = F.dropout(x, self.config.dropout, self.training)
        before = torch.ones(L, L, dtype=torch.bool, device=x.device).tril()  # [L, L]
        visible = before & present[:, None, :]  # [B, L, L]
        steps = torch.arange(L, device=x.device)
        steps_back = (steps[:, None] - steps[None, :]).clamp(min=0)  # [L, L]
        for block in self.blocks[:-1]:
            x = block(x, x, visible, steps_back)
        told = slice(L - 1, L) if only_last else slice(L)
        asked = x[:, told] if only_last else x
        return self.norm(self.blocks[-1](asked, x, visible[:, told], steps_back[told]))  # type: ignore[no-any-return]

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict every step but the first of training windows; see `Encoder.read`."""
        return causal_read(self, x, present)

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state after whole histories, ``[B, D]``."""
        return self(x, present, only_last=True)[:, 0]  # type: ignore[no-any-return]
