"""BERT4Rec: a bidirectional transformer that predicts masked items (Sun et al., CIKM 2019).

Differences from the paper, each because it ranks better: softmax cross-entropy over all items with a tied table, an
output layer and an item bias, and position as a bias on attention. Training masks the item after a prefix of a window,
as recommending does; masks at random positions, as in the paper, never show the model a history that ends, and masking
more items next to the last one did not help. The query of a masked item is the mask plus the vector of the item before
it, so that it depends on the history; the mask alone would attend in the same way for every user. The masked position
is no key.

Attention is bidirectional, so a window has to be encoded once for each prefix, of which `copies` are drawn. With one
block, a masked item's keys are the item vectors themselves, the same for every prefix, so that one pass reads them all.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.encoder import Encoder, drop_items
from guidedrec_core.models.transformer import Block


class BERT4RecEncoder(Encoder):
    """Bidirectional transformer: a masked item is predicted from the items before it.

    Shapes: B batch, L length, M masked items, D width.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        # Initialised like a matrix (hence two-dimensional), not left at zero: through a layer norm, the gradient at
        # zero would be far larger than every other.
        self.mask = nn.Parameter(torch.zeros(1, config.width))
        distances = torch.arange(-config.max_length, config.max_length + 1)
        self.blocks = nn.ModuleList(Block(config, distances) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor, steps: Tensor) -> Tensor:
        """Return the states of items masked at some steps, ``[B, M, D]``.

        Parameters
        ----------
        x : Tensor
            Item vectors, ``[B, L, D]``.
        present : Tensor
            False at padding, bool ``[B, L]``.
        steps : Tensor
            1 to L, int64 ``[M]``; a masked item attends to the items before its step. With several blocks, L alone:
            items attend to each other in both directions, so none may stand after a masked one.
        """
        x = x * present.unsqueeze(-1)
        query = F.dropout(self.mask + x[:, steps - 1], self.config.dropout, self.training)  # [B, M, D]
        x = F.dropout(x, self.config.dropout, self.training)
        places, visible = torch.arange(x.shape[1], device=x.device), present[:, None, :]
        before, steps_back = (places < steps[:, None]) & visible, steps[:, None] - places  # [B, M, L], [M, L]
        between = places[:, None] - places  # [L, L]
        for block in self.blocks[:-1]:
            query, x = (
                block(query, x, before, self._bias_index(steps_back)),
                block(x, x, visible, self._bias_index(between)),
            )
        states: Tensor = self.norm(self.blocks[-1](query, x, before, self._bias_index(steps_back)))
        return states

    def _bias_index(self, steps_back: Tensor) -> Tensor:
        """Return the index of each distance among a block's attention biases."""
        return steps_back + self.config.max_length

    def read(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mask items of training windows, each after the items before it; see `Encoder.read`."""
        (n_windows, L), device = present.shape, x.device
        x = drop_items(x, self.config.item_dropout)
        if self.config.blocks == 1:
            rows, steps = present[:, :-1].nonzero(as_tuple=True)
            states: Tensor = self(x[:, :-1], present[:, :-1], torch.arange(1, L, device=device))  # [B, L - 1, D]
            return states[rows, steps], rows, steps + 1
        rows = torch.arange(n_windows, device=device).repeat(self.config.copies)  # [B]
        first = L - present.sum(1)[rows]  # [B]; padding is on the left
        drawn = torch.rand(len(rows), device=device) * (L - 1 - first)
        step = (first + 1 + drawn.long()).clamp(max=L - 1)  # [B]; a window's first item has no prefix
        # Each prefix is moved to the right end, where histories end at inference.
        place = torch.arange(L - 1, device=device) + (step - (L - 1))[:, None]  # [B, L - 1], index in the window
        visible, place = place >= first[:, None], place.clamp(min=0)
        return self.last(x[rows[:, None], place], visible), rows, step

    def last(self, x: Tensor, present: Tensor) -> Tensor:
        """Return the state of the item masked after whole histories, ``[B, D]``."""
        states: Tensor = self(x, present, torch.tensor([x.shape[1]], device=x.device))  # [B, 1, D]
        return states[:, 0]
