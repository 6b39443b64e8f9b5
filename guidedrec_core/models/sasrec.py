"""SASRec: self-attention over the history (Kang and McAuley, ICDM 2018), in one file.

Differences from the paper, each because it ranks better: softmax cross-entropy over all items instead of one
negative (Klenitskiy and Vasilev, RecSys 2023), an output layer and an item bias beside the tied table, and input
items hidden at random in training. Position enters attention as a learned bias by distance (Shaw, Uszkoreit and
Vaswani, NAACL 2018; the form of Raffel et al., JMLR 2020), so that every step of a history trains the state that
inference uses; learned absolute positions did that for the last step alone and ranked clearly worse.

Shapes: B batch, L length, D width, H heads, T targets in a batch.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import EncoderConfig, TrainingConfig
from guidedrec_core.data.sequences import Batch, item_seq
from guidedrec_core.models.base import FloatArray, IntArray

TABLE_SCALE = 0.1
"""Standard deviation of an untrained item table."""


class Block(nn.Module):
    """Pre-norm transformer block: attention to what came before, then a feed-forward layer."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.dropout = config.dropout
        self.distance = nn.Parameter(torch.zeros(config.heads, config.max_length))
        self.attention_norm = nn.LayerNorm(config.width)
        self.query_key_value = nn.Linear(config.width, 3 * config.width)
        self.project = nn.Linear(config.width, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, config.feedforward)
        self.narrow = nn.Linear(config.feedforward, config.width)

    def forward(self, x: Tensor, visible: Tensor, steps_back: Tensor) -> Tensor:
        """Map ``x [B, L, D]`` to ``[B, L, D]``.

        ``visible [B, 1, L, L]`` says which position may see which, ``steps_back [L, L]`` how far it looks back.
        """
        B, L, D = x.shape
        qkv = self.query_key_value(self.attention_norm(x))  # [B, L, 3D]
        q, k, v = qkv.view(B, L, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)  # each [B, H, L, D/H]
        mask = self.distance[:, steps_back].masked_fill(~visible, -torch.inf)  # [B, H, L, L]
        rate = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)  # [B, H, L, D/H]
        seen = self.project(seen.transpose(1, 2).reshape(B, L, D))  # [B, L, D]
        x = x + F.dropout(seen, self.dropout, self.training)
        wide = F.gelu(self.widen(self.feedforward_norm(x)))  # [B, L, feedforward]
        return x + F.dropout(self.narrow(wide), self.dropout, self.training)  # [B, L, D]


class Encoder(nn.Module):
    """Item vectors in time order -> the user's state after each of them.

    Knows nothing of items: the base model feeds it its table, the refined model guided and reduced vectors.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """Encode a batch.

        Parameters
        ----------
        x : Tensor
            Item vectors, float32 ``[B, L, D]``, most recent last.
        present : Tensor
            False at padding, bool ``[B, L]``.

        Returns
        -------
        Tensor
            States ``[B, L, D]``; those at padding mean nothing.
        """
        L = x.shape[1]
        if self.training:
            kept = torch.rand(x.shape[:2]) >= self.config.item_dropout  # [B, L]
            x = x * kept.unsqueeze(-1)
        x = F.dropout(x, self.config.dropout, self.training)
        before = torch.ones(L, L, dtype=torch.bool).tril()  # [L, L]
        itself = torch.eye(L, dtype=torch.bool)  # keeps rows of padding from seeing nothing, which gives NaN
        visible = ((before & present[:, None, :]) | itself).unsqueeze(1)  # [B, 1, L, L]
        steps = torch.arange(L)
        steps_back = (steps[:, None] - steps[None, :]).clamp(min=0)  # [L, L]
        for block in self.blocks:
            x = block(x, visible, steps_back)
        return self.norm(x)  # type: ignore[no-any-return]


class SASRec(nn.Module):
    """Base model with a tied item table.

    Parameters
    ----------
    config : EncoderConfig
        Sizes.
    n_items : int
        Size of the catalogue.
    """

    def __init__(self, config: EncoderConfig, n_items: int) -> None:
        super().__init__()
        self.config = config
        self.items = nn.Embedding(n_items + 1, config.width, padding_idx=0)  # row = token
        self.encoder = Encoder(config)
        self.output = nn.Linear(config.width, config.width)
        self.bias = nn.Parameter(torch.zeros(n_items))

    def initialise(self, seed: int) -> None:
        """Draw all matrices from a seed of their own, so that nothing depends on global state."""
        draw = torch.Generator().manual_seed(seed)
        initialise_matrices(self, draw)
        with torch.no_grad():
            self.items.weight.normal_(0.0, TABLE_SCALE, generator=draw)
            self.items.weight[0].zero_()

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.bias)

    def states(self, tokens: Tensor) -> Tensor:
        """Return what is compared with items, ``[B, L, D]``, for ``tokens [B, L]``."""
        return self.output(self.encoder(self.items(tokens), tokens > 0))  # type: ignore[no-any-return]

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross-entropy over all targets of a batch."""
        tokens, targets = torch.from_numpy(batch.item_seq), torch.from_numpy(batch.targets)
        wanted = targets > 0  # [B, L]
        states = self.states(tokens)[wanted]  # [T, D]
        logits = states @ self.items.weight[1:].T + self.bias  # [T, n_items]
        return F.cross_entropy(logits, targets[wanted] - 1)

    def parameter_groups(self, config: TrainingConfig) -> list[dict[str, Any]]:
        """Split parameters by their weight decay."""
        return decay_groups(self, config, tables=("items.weight",))

    @torch.inference_mode()
    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, n_items]``."""
        self.eval()
        tokens = torch.from_numpy(item_seq(histories, self.config.max_length))  # [B, L]
        state = self.states(tokens)[:, -1]  # [B, D]
        return (state @ self.items.weight[1:].T + self.bias).numpy()

    def item_embedding(self) -> FloatArray:
        """Return the base item embedding, ``[n_items, D]``."""
        return self.items.weight[1:].detach().numpy().copy()

    def item_bias(self) -> FloatArray:
        """Return the item bias, ``[n_items]``."""
        return self.bias.detach().numpy().copy()


def initialise_matrices(module: nn.Module, draw: torch.Generator) -> None:
    """Draw every matrix of a module so that its output varies about half as much as its input; set biases to 0.

    The 0.02 usual in large language models starves a model this small: it trains for many epochs on popularity alone.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name.endswith("distance"):
                parameter.zero_()
            elif parameter.ndim >= 2:
                parameter.normal_(0.0, 0.7 * parameter.shape[1] ** -0.5, generator=draw)
            elif name.endswith("bias"):
                parameter.zero_()


def decay_groups(module: nn.Module, config: TrainingConfig, tables: tuple[str, ...]) -> list[dict[str, Any]]:
    """Group a module's parameters for AdamW: item tables, other matrices, and vectors (never decayed)."""
    named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    return [
        {"params": [p for name, p in named if name in tables], "weight_decay": config.table_weight_decay},
        {
            "params": [p for name, p in named if name not in tables and p.ndim >= 2],
            "weight_decay": config.weight_decay,
        },
        {"params": [p for name, p in named if name not in tables and p.ndim < 2], "weight_decay": 0.0},
    ]
