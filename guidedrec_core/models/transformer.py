"""The transformer block that SASRec and BERT4Rec share.

Position enters attention as a learned bias by distance (Shaw, Uszkoreit and Vaswani, NAACL 2018; the form of Raffel et
al., JMLR 2020), so that every step of a history trains the state that inference uses; learned absolute positions did
that for the last step alone and ranked clearly worse.

Shapes: B batch, L positions seen, M positions told, D width, H heads.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig
from guidedrec_core.training.padded_batches import gelu


class Block(nn.Module):
    """Pre-norm transformer block: attention, then a feed-forward layer.

    Parameters
    ----------
    config : EncoderConfig
        Sizes.
    distances : Tensor
        What each attention bias stands for: positions seen so many steps back (below 0: ahead), int64 ``[n]``.
    """

    def __init__(self, config: EncoderConfig, distances: Tensor) -> None:
        super().__init__()
        self.distances = distances
        self.heads = config.heads
        self.dropout = config.dropout
        self.distance = nn.Parameter(torch.zeros(config.heads, len(distances)))
        self.attention_norm = nn.LayerNorm(config.width)
        self.query_key_value = nn.Linear(config.width, 3 * config.width)
        self.project = nn.Linear(config.width, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, config.feedforward)
        self.narrow = nn.Linear(config.feedforward, config.width)

    def look_near(self) -> None:
        """Start the biases so that the first head looks at its neighbours, and each next one four times as far.

        Slopes as in Press, Smith and Lewis (ICLR 2022), but learned on from there: with biases of 0 to start from, the
        base model ranked 2 to 3 % worse.
        """
        slopes = 4.0 ** -torch.arange(self.heads, dtype=torch.float32)  # [H]
        with torch.no_grad():
            self.distance.copy_(-slopes[:, None] * self.distances.abs())

    def forward(self, asked: Tensor, x: Tensor, visible: Tensor, distance: Tensor) -> Tensor:
        """Map ``asked [B, M, D]`` to ``[B, M, D]``, by what it sees in ``x``.

        Parameters
        ----------
        asked : Tensor
            Vectors at the positions to be told; `x` itself for all of them.
        x : Tensor
            Vectors at the positions to be seen, ``[B, L, D]``.
        visible : Tensor
            Which position may see which, bool ``[B, M, L]``; who sees nothing sees the mean of all.
        distance : Tensor
            Which bias belongs to the two, int64 ``[M, L]``.
        """
        q, k, v, mask = self._look(asked, x, visible, distance)
        rate = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)  # [B, H, M, D/H]
        seen = self.project(seen.transpose(1, 2).reshape(asked.shape))  # [B, M, D]
        asked = asked + F.dropout(seen, self.dropout, self.training)
        wide = gelu(self.widen(self.feedforward_norm(asked)))  # [B, M, feedforward]
        return asked + F.dropout(self.narrow(wide), self.dropout, self.training)

    def attention(self, asked: Tensor, x: Tensor, visible: Tensor, distance: Tensor) -> Tensor:
        """Return how much each asked position looks at each seen one, averaged over heads; parameters as in `forward`.

        Returns
        -------
        Tensor
            ``[B, M, L]``, 0 to 1; a row sums to 1.
        """
        q, k, _, mask = self._look(asked, x, visible, distance)
        weights: Tensor = (q @ k.transpose(2, 3) / q.shape[3] ** 0.5 + mask).softmax(dim=3)  # [B, H, M, L]
        return weights.mean(dim=1)

    def _look(
        self, asked: Tensor, x: Tensor, visible: Tensor, distance: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return queries ``[B, H, M, D/H]``, keys and values ``[B, H, L, D/H]``, and the mask added to products."""
        D = x.shape[2]
        normed = self.attention_norm(x)  # [B, L, D]
        if asked is x:
            q, k, v = (self._by_head(part) for part in self.query_key_value(normed).chunk(3, dim=-1))
        else:
            weight, offset = self.query_key_value.weight, self.query_key_value.bias
            q = self._by_head(F.linear(self.attention_norm(asked), weight[:D], offset[:D]))  # [B, H, M, D/H]
            k, v = (self._by_head(part) for part in F.linear(normed, weight[D:], offset[D:]).chunk(2, dim=-1))
        bias = self.distance[:, distance]  # [H, M, L]
        # Minus infinity would give NaN where nothing is seen.
        mask = bias.masked_fill(~visible.unsqueeze(1), torch.finfo(bias.dtype).min)  # [B, H, M, L]
        return q, k, v, mask

    def _by_head(self, x: Tensor) -> Tensor:
        """Split ``[B, L, D]`` into ``[B, H, L, D/H]``."""
        return x.view(*x.shape[:2], self.heads, x.shape[2] // self.heads).transpose(1, 2)
