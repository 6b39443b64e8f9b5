"""BERT4Rec: a bidirectional transformer that fills in hidden items (Sun et al., CIKM 2019).

Differences from the paper, each because it ranks better: softmax cross-entropy over all items with a tied table, an
output layer and an item bias, and position as a bias on attention. A window is read several times, each time up to a
step drawn at random, whose item is hidden as the next item is when the model recommends; a few others are hidden beside
it. Hiding items alone, as in the paper, never shows the model a history that ends. And a hidden item is told which one
stood before it, so that what it looks for in the history depends on that: a mask alone asks everybody the same.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.encoder import hide_items
from guidedrec_core.models.transformer import Block


class BERT4RecEncoder(nn.Module):
    """Bidirectional transformer: a hidden step is told from what stands before and after it.

    Shapes: B batch, L length, M positions wanted, D width.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        # Stands for a hidden item. It is drawn like a matrix, not left at zero: a norm layer would make the gradient of
        # zeros the only one that counts.
        self.mask = nn.Parameter(torch.zeros(1, config.width))
        distances = torch.arange(-config.max_length, config.max_length + 1)
        self.blocks = nn.ModuleList(Block(config, distances) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor, wanted: Tensor | None = None) -> Tensor:
        """Return the state at each wanted position, ``[B, M, D]``, or each; those at padding mean nothing."""
        L = x.shape[1]
        x = F.dropout(x, self.config.dropout, self.training)
        itself = torch.eye(L, dtype=torch.bool, device=x.device)  # padding that saw nothing would give NaN
        visible = present[:, None, :] | itself  # [B, L, L]
        steps = torch.arange(L, device=x.device)
        distance = steps[:, None] - steps[None, :] + self.config.max_length  # [L, L]
        for block in self.blocks[:-1]:
            x = block(x, visible, distance)
        return self.norm(self.blocks[-1](x, visible, distance, wanted))  # type: ignore[no-any-return]

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read windows up to a step drawn at random, which is to be predicted; see `Encoder.read`."""
        n_windows, L = present.shape
        rows = torch.arange(n_windows, device=x.device).repeat(self.config.copies)  # [B]
        x, present = x[rows], present[rows]
        step = torch.arange(L, device=x.device)
        first = L - present.sum(1, keepdim=True)  # [B, 1]; padding stands on the left
        drawn = torch.rand(len(rows), 1, device=x.device) * (L - 1 - first)
        end = (first + 1 + drawn.long()).clamp(max=L - 1)
        present = present & (step <= end)
        other = torch.rand(len(rows), L, device=x.device) < self.config.mask_rate
        hidden = ((step == end) | other) & present & (step > first)  # nothing precedes a window's first item
        shown = hide_items(x, self.config.item_dropout) * ~hidden.unsqueeze(-1)
        asked = self.mask + F.pad(shown, (0, 0, 1, 0))[:, :-1]  # what stood before, if it is shown
        count = hidden.sum(1, keepdim=True)  # [B, 1]
        wanted = torch.argsort(~hidden, dim=1, stable=True)[:, : int(count.max())]  # [B, M], hidden ones first
        told = torch.arange(wanted.shape[1], device=x.device) < count  # [B, M]
        states = self(torch.where(hidden.unsqueeze(-1), asked, shown), present, wanted)
        return states[told], rows[:, None].expand_as(told)[told], wanted[told]

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state at a hidden item after whole histories, ``[B, D]``."""
        next_item = self.mask + x[:, -1:] * present[:, -1:, None]
        there = torch.ones(len(x), 1, dtype=torch.bool, device=x.device)
        last = torch.full((len(x), 1), x.shape[1], device=x.device)
        return self(torch.cat([x, next_item], 1), torch.cat([present, there], 1), last)[:, 0]  # type: ignore[no-any-return]
