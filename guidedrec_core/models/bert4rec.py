"""BERT4Rec: a bidirectional transformer that fills in hidden items (Sun et al., CIKM 2019).

Differences from the paper, each because it ranks better: softmax cross-entropy over all items with a tied table, an
output layer and an item bias, position as a bias on attention, and windows in which the last item alone is hidden,
as it is when the model recommends.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.transformer import Block


class BERT4RecEncoder(nn.Module):
    """Bidirectional transformer: a hidden step is told from what stands before and after it.

    Shapes: B batch, L length, D width.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.mask = nn.Parameter(torch.zeros(config.width))  # stands for a hidden item
        distances = torch.arange(-config.max_length, config.max_length + 1)
        self.blocks = nn.ModuleList(Block(config, distances) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state at each position, ``[B, L, D]``; those at padding mean nothing."""
        L = x.shape[1]
        x = F.dropout(x, self.config.dropout, self.training)
        itself = torch.eye(L, dtype=torch.bool, device=x.device)  # padding that saw nothing would give NaN
        visible = (present[:, None, :] | itself).unsqueeze(1)  # [B, 1, L, L]
        steps = torch.arange(L, device=x.device)
        distance = steps[:, None] - steps[None, :] + self.config.max_length  # [L, L]
        for block in self.blocks:
            x = block(x, visible, distance)
        return self.norm(x)  # type: ignore[no-any-return]

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hide some items of training windows and encode what is left; see `Encoder.read`."""
        B, L = present.shape
        hidden = torch.rand(B, L, device=x.device) < self.config.mask_rate
        alone = torch.rand(B, 1, device=x.device) < self.config.last_only_rate
        last = torch.arange(L, device=x.device) == L - 1  # [L]
        hidden = torch.where(alone, last, hidden)
        # Nothing precedes a window's first item, and inference always has a history.
        hidden &= present & present.roll(1, 1) & (torch.arange(L, device=x.device) > 0)
        hidden |= last & ~hidden.any(1, keepdim=True)
        rows, steps = hidden.nonzero(as_tuple=True)
        seen = torch.where(hidden.unsqueeze(-1), self.mask, x)
        return self(seen, present)[rows, steps], rows, steps

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state at a hidden item after whole histories, ``[B, D]``."""
        next_item = self.mask.expand(len(x), 1, -1)
        there = torch.ones(len(x), 1, dtype=torch.bool, device=x.device)
        return self(torch.cat([x, next_item], 1), torch.cat([present, there], 1))[:, -1]  # type: ignore[no-any-return]
