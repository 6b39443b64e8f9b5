"""BERT4Rec: a bidirectional transformer that fills in hidden items (Sun et al., CIKM 2019).

Differences from the paper, each because it ranks better: softmax cross-entropy over all items with a tied table, an
output layer and an item bias, and position as a bias on attention. What is hidden in training is the item after a
prefix of a window, as the next item is when the model recommends; hiding items anywhere, as in the paper, never shows
the model a history that ends, and hiding some more beside the last one did not help. A hidden item is told which one
stood before it, so that what it looks for depends on that: a mask alone asks everybody the same. It is not looked at.

Items look at each other both ways, so a window must be read anew for each prefix, of which `copies` are drawn. With one
block alone no item's look at another reaches a hidden one: then all prefixes are read at once.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.encoder import hide_items
from guidedrec_core.models.transformer import Block


class BERT4RecEncoder(nn.Module):
    """Bidirectional transformer: a hidden item is told from the items before it.

    Shapes: B batch, L length, M hidden items, D width.
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

    def forward(self, x: Tensor, present: Tensor, steps: Tensor) -> Tensor:
        """Return the states of items hidden at some steps, ``[B, M, D]``.

        Parameters
        ----------
        x : Tensor
            Item vectors, ``[B, L, D]``.
        present : Tensor
            False at padding, bool ``[B, L]``.
        steps : Tensor
            1 to L, int64 ``[M]``; a hidden item sees the items before its step. With several blocks, L alone: items
            look at each other both ways, so that none may stand behind a hidden one.
        """
        x = x * present.unsqueeze(-1)
        asked = F.dropout(self.mask + x[:, steps - 1], self.config.dropout, self.training)  # [B, M, D]
        x = F.dropout(x, self.config.dropout, self.training)
        places, shown = torch.arange(x.shape[1], device=x.device), present[:, None, :]
        before, ahead = (places < steps[:, None]) & shown, steps[:, None] - places  # [B, M, L], [M, L]
        around = places[:, None] - places  # [L, L]
        for block in self.blocks[:-1]:
            asked, x = block(asked, x, before, self._bias_at(ahead)), block(x, x, shown, self._bias_at(around))
        return self.norm(self.blocks[-1](asked, x, before, self._bias_at(ahead)))  # type: ignore[no-any-return]

    def _bias_at(self, steps_back: Tensor) -> Tensor:
        """Return the place of each distance among a block's biases."""
        return steps_back + self.config.max_length

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hide items of training windows, each after what precedes it; see `Encoder.read`."""
        (n_windows, L), device = present.shape, x.device
        x = hide_items(x, self.config.item_dropout)
        if self.config.blocks == 1:
            rows, steps = present[:, :-1].nonzero(as_tuple=True)
            states = self(x[:, :-1], present[:, :-1], torch.arange(1, L, device=device))
            return states[rows, steps], rows, steps + 1
        rows = torch.arange(n_windows, device=device).repeat(self.config.copies)  # [B]
        first = L - present.sum(1)[rows]  # [B]; padding stands on the left
        drawn = torch.rand(len(rows), device=device) * (L - 1 - first)
        step = (first + 1 + drawn.long()).clamp(max=L - 1)  # [B]; nothing precedes a window's first item
        # Each prefix is moved to the right, where histories end.
        place = torch.arange(L - 1, device=device) + (step - (L - 1))[:, None]  # [B, L - 1], from where it comes
        shown, place = place >= first[:, None], place.clamp(min=0)
        return self.last(x[rows[:, None], place], shown), rows, step

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state of the item hidden after whole histories, ``[B, D]``."""
        return self(x, present, torch.tensor([x.shape[1]], device=x.device))[:, 0]  # type: ignore[no-any-return]
