"""The base model: a sequence encoder with a tied item table. It never sees a guided score."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import TrainingConfig
from guidedrec_core.data.sequences import Batch, item_seq
from guidedrec_core.models.base import FloatArray, IntArray
from guidedrec_core.models.encoder import Encoder, initialise_matrices
from guidedrec_core.training.losses import TrainingPairs

TABLE_SCALE = 0.1
"""Standard deviation of an untrained item table."""


class SequenceModel(nn.Module):
    """SASRec, GRU4Rec or BERT4Rec, depending on the encoder.

    Shapes: B batch, L length, D width, T targets in a batch.

    Parameters
    ----------
    encoder : Encoder
        Maps the item vectors of a history to a state.
    n_items : int
        Size of the catalogue.
    """

    def __init__(self, encoder: Encoder, n_items: int) -> None:
        super().__init__()
        width = encoder.config.width
        self.items = nn.Embedding(n_items + 1, width, padding_idx=0)  # row = token
        self.encoder = encoder
        self.output = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.by_row = False

    def initialise(self, seed: int) -> None:
        """Draw all matrices from a seed, so that nothing depends on global state."""
        draw = torch.Generator().manual_seed(seed)
        initialise_matrices(self, draw)
        with torch.no_grad():
            self.items.weight.normal_(0.0, TABLE_SCALE, generator=draw)
            self.items.weight[0].zero_()

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.bias)

    def training_pairs(self, batch: Batch) -> TrainingPairs:
        """Encode training windows: user vectors ``[T, D]``, the item index each must find ``[T]``, and the table."""
        tokens = torch.from_numpy(batch.item_seq).to(self.bias.device)  # [B, L + 1]
        x = F.embedding(tokens, self.items.weight, padding_idx=0, sparse=self.by_row)  # [B, L + 1, D]
        states, rows, steps = self.encoder.read(x, tokens > 0)
        return TrainingPairs(self.output(states), tokens[rows, steps] - 1, self)

    def item_table(self) -> tuple[Tensor, Tensor]:
        """Return all item vectors ``[n_items, D]`` and biases ``[n_items]``."""
        return self.items.weight[1:], self.bias

    def item_rows(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors ``[..., D]`` and biases ``[...]`` of some items."""
        vectors = F.embedding(items + 1, self.items.weight, sparse=self.by_row)
        return vectors, torch.gather(self.bias, 0, items.flatten(), sparse_grad=self.by_row).view(items.shape)

    def row_gradients(self) -> dict[str, nn.Parameter]:
        """Make gradients of the tables sparse, by row, from now on; return these tables by name."""
        self.by_row = True
        table: nn.Parameter = self.get_parameter("items.weight")
        return {"items.weight": table, "bias": self.bias}

    def parameter_groups(self, config: TrainingConfig) -> list[dict[str, Any]]:
        """Group parameters by weight decay: the item table, other matrices, and vectors, which have none."""
        rest = [p for name, p in self.named_parameters() if name != "items.weight"]
        return [
            {"params": [self.items.weight], "weight_decay": config.table_weight_decay},
            {"params": [p for p in rest if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
        ]

    @torch.inference_mode()
    def user_vectors(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return the user vector after each history, ``[B, D]``."""
        self.eval()
        tokens = torch.from_numpy(item_seq(histories, self.encoder.config.max_length)).to(self.bias.device)  # [B, L]
        vectors: FloatArray = self.output(self.encoder.last(self.items(tokens), tokens > 0)).cpu().numpy()
        return vectors

    @torch.inference_mode()
    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, n_items]``."""
        user = torch.from_numpy(self.user_vectors(users, histories)).to(self.bias.device)
        items, bias = self.item_table()
        scores: FloatArray = torch.addmm(bias, user, items.T).cpu().numpy()
        return scores

    def item_embedding(self) -> FloatArray:
        """Return the base item embedding, ``[n_items, D]``."""
        return self.items.weight[1:].detach().cpu().numpy().copy()

    def item_bias(self) -> FloatArray:
        """Return the item bias, ``[n_items]``."""
        return self.bias.detach().cpu().numpy().copy()
