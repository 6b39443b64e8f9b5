"""The refined model, literal form: the paper's own (arXiv 2504.11658).

    T      = [G ; s PCA_k(base)]                 (item table, frozen, the same for input and output)
    score  = <out(h_t), T_i> + sum_a w_a q_ua g_ia + b_i

g: guided embedding; h: state of the sequence encoder over T; q: the user's guided vector, trained, initialised with the
user's LLM scores, or with 0. Only the recommendation module, q, w and b are trained. Attribute a's
contribution is ``(out(h)_a + w_a q_ua) g_ia``, the remainder is the share of the reduced base embedding.

What is shown as a user's profile is the decayed mean of g over the history, as in the other forms. q is no z-score:
training moves it on a scale that only its product with w fixes, unknown users have none, and out(h) says as much about
the user. Slopes and scores do not depend on the profile.

Shapes: B batch, L length, A attributes, K reduced dimensions, D = A + K, N items, T targets.
"""

import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import RefinementConfig, TrainingConfig
from guidedrec_core.data.sequences import Batch, IntArray, item_seq
from guidedrec_core.models.encoder import Encoder
from guidedrec_core.refinement.guided import FloatArray, GuidedEmbedding
from guidedrec_core.refinement.profiles import concatenate_histories, decayed_sums, shrunk_means
from guidedrec_core.refinement.refined import Parts
from guidedrec_core.refinement.sources import Sources
from guidedrec_core.training.losses import TrainingPairs

TABLE_SPREAD = 0.3
"""Standard deviation of the frozen table's columns; a trained base table has about the same."""


def same_spread(reduced: FloatArray) -> FloatArray:
    """Scale the reduced base embedding as one block to the spread of the guided columns in the table."""
    spread = float(np.sqrt(np.mean(reduced.astype(np.float64) ** 2))) if reduced.size else 0.0
    scaled: FloatArray = (reduced * (TABLE_SPREAD / max(spread, 1e-12))).astype(np.float32)
    return scaled


class LiteralRefinedModel(nn.Module):
    """Recommendation module retrained over a frozen refined embedding.

    Parameters
    ----------
    encoder : Encoder
        Of width A + K; trained here from scratch.
    guided : GuidedEmbedding
        G, ``[N, A]``; A = 0 is the second-training control.
    reduced : FloatArray
        PCA of the base embedding, ``[N, K]``; see `same_spread`.
    bias : FloatArray
        Initial b, ``[N]``.
    config : RefinementConfig
        Decay and shrinkage of the profile that is shown.
    user_scores : FloatArray
        Initial q, ``[n_users, A]``: standardised LLM scores of users, or zeros.
    """

    table: Tensor
    known: Tensor

    def __init__(
        self,
        encoder: Encoder,
        guided: GuidedEmbedding,
        reduced: FloatArray,
        bias: FloatArray,
        config: RefinementConfig,
        user_scores: FloatArray,
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.n_attributes = guided.values.shape[1]
        self.by_row = False
        table = np.concatenate([TABLE_SPREAD * guided.values, reduced], axis=1).astype(np.float32)
        self.register_buffer("table", torch.from_numpy(table), persistent=False)  # [N, D]
        self.register_buffer("known", torch.from_numpy(~guided.missing), persistent=False)  # [N, A]
        width = table.shape[1]
        self.output = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.from_numpy(bias.copy()))  # b [N]
        self.users = nn.Parameter(torch.from_numpy(user_scores.copy()))  # q [n_users, A]
        self.attribute_weights = nn.Parameter(torch.full((self.n_attributes,), 0.1))  # w [A]

    def initialise(self, seed: int) -> None:
        """Draw the output layer from a seed; the encoder is initialised by `make_encoder`."""
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.output.weight.normal_(0.0, 0.7 * self.output.in_features**-0.5, generator=draw)
            self.output.bias.zero_()

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.bias)

    def _user_slopes(self, users: IntArray) -> Tensor:
        """Return ``w q / s``, what the user's own vector adds to out(h), ``[B, A]``; 0 for users unknown."""
        known = torch.from_numpy((users >= 0) & (users < len(self.users))).to(self.bias.device)
        rows = torch.from_numpy(np.clip(users, 0, len(self.users) - 1)).to(self.bias.device)
        q = F.embedding(rows, self.users, sparse=self.by_row) * known.unsqueeze(1)
        return self.attribute_weights * q / TABLE_SPREAD

    def _states(self, state: Tensor, users: Tensor) -> Tensor:
        """Add the users' own slopes to ``out(h) [.., D]``."""
        return self.output(state) + F.pad(users, (0, self.table.shape[1] - self.n_attributes))  # type: ignore[no-any-return]

    def training_pairs(self, batch: Batch) -> TrainingPairs:
        """Encode training windows: user vectors ``[T, D]``, the item index each must find ``[T]``, and the table."""
        tokens = torch.from_numpy(batch.item_seq).to(self.bias.device)  # [B, L + 1]
        states, rows, steps = self.encoder.read(self._vectors(tokens), tokens > 0)
        users = self._states(states, F.embedding(rows, self._user_slopes(batch.users)))  # [T, D]
        return TrainingPairs(users, tokens[rows, steps] - 1, self)

    def _vectors(self, tokens: Tensor) -> Tensor:
        """Return the encoder's input, ``[B, L, D]``."""
        return self.table[(tokens - 1).clamp(min=0)] * (tokens > 0).unsqueeze(-1)

    def item_table(self) -> tuple[Tensor, Tensor]:
        """Return all item vectors ``[N, D]`` and biases ``[N]``."""
        return self.table, self.bias

    def item_rows(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors ``[..., D]`` and biases ``[...]`` of some items."""
        bias = torch.gather(self.bias, 0, items.flatten(), sparse_grad=self.by_row)
        return self.table[items], bias.view(items.shape)

    def row_gradients(self) -> dict[str, nn.Parameter]:
        """Make gradients of biases and users' vectors sparse, by row, from now on; return these by name."""
        self.by_row = True
        return {"bias": self.bias, "users": self.users} if self.users.numel() else {"bias": self.bias}

    def parameter_groups(self, config: TrainingConfig) -> list[dict[str, Any]]:
        """Group parameters by weight decay: users' vectors like a table, matrices, and the rest, which have none."""
        named = [(name, p) for name, p in self.named_parameters() if p.numel()]
        return [
            {"params": [p for n, p in named if n == "users"], "weight_decay": config.table_weight_decay},
            {"params": [p for n, p in named if n != "users" and p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for _, p in named if p.ndim < 2], "weight_decay": 0.0},
        ]

    def _user_side(self, users: IntArray, histories: list[IntArray]) -> Tensor:
        """Return what is compared with the item table after each history, ``[B, D]``."""
        self.eval()
        tokens = torch.from_numpy(item_seq(histories, self.encoder.config.max_length)).to(self.bias.device)  # [B, L]
        return self._states(self.encoder.last(self._vectors(tokens), tokens > 0), self._user_slopes(users))

    def _profiles(self, histories: list[IntArray]) -> Tensor:
        """Return the decayed mean of G over each history, shrunk towards 0, ``[B, A]``."""
        items, lengths = concatenate_histories(histories)
        rows = torch.from_numpy(items).to(self.table.device)
        guided = self.table[rows, : self.n_attributes] / TABLE_SPREAD
        sums, counts = decayed_sums(guided, self.known[rows], lengths, self.config.decay)
        return shrunk_means(sums, counts, self.config.shrinkage)

    @torch.inference_mode()
    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, N]``."""
        scores: FloatArray = torch.addmm(self.bias, self._user_side(users, histories), self.table.T).cpu().numpy()
        return scores

    @torch.inference_mode()
    def parts(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> Parts:
        """Split the scores for each history; an attribute's slope is q and out(h) together."""
        A = self.n_attributes
        side = self._user_side(users, histories)  # [B, D]
        table, bias = (self.table, self.bias) if items is None else (self.table[items], self.bias[items])
        slopes = side[:, :A] * TABLE_SPREAD  # G is the table's first columns before scaling
        remainder = side[:, A:] @ table[:, A:].T
        scores = torch.addmm(bias, side, table.T)
        arrays = (scores, self._profiles(histories), slopes, remainder, bias, slopes)
        return replace(Parts(*(a.cpu().numpy() for a in arrays)), factors=side[:, A:].cpu().numpy())

    @torch.inference_mode()
    def slope_sources(self, users: IntArray, histories: list[IntArray]) -> Sources:
        """Return the slopes, ``[B, A]``, as learned from interactions: neither q nor out(h) is the profile shown."""
        slopes = (self._user_side(users, histories)[:, : self.n_attributes] * TABLE_SPREAD).cpu().numpy()
        return Sources.of(slopes.shape, interactions=slopes)

    @torch.inference_mode()
    def remainder_factors(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return the part of ``out(h)`` that meets the reduced base embedding, ``[B, K]``."""
        factors: FloatArray = self._user_side(users, histories)[:, self.n_attributes :].cpu().numpy()
        return factors

    def remainder_vectors(self) -> FloatArray:
        """Return the reduced base embedding as it stands in the table, ``[N, K]``."""
        return self.item_remainders()

    def item_biases(self) -> FloatArray:
        """Return b, ``[N]``."""
        return self.bias.detach().cpu().numpy()

    @torch.inference_mode()
    def new_item_parts(self, users: IntArray, histories: list[IntArray], guided: FloatArray) -> Parts:
        """Split the scores of items outside the catalogue; they get an average remainder and bias."""
        A = self.n_attributes
        side, g = self._user_side(users, histories), torch.from_numpy(guided).to(self.bias.device)
        slopes = side[:, :A] * TABLE_SPREAD
        remainder = (side[:, A:] @ self.table[:, A:].mean(dim=0)).unsqueeze(1).expand(-1, len(g))  # [B, n]
        bias = self.bias.mean().expand(len(g))
        arrays = (slopes @ g.T + remainder + bias, self._profiles(histories), slopes, remainder, bias, slopes)
        return Parts(*(a.cpu().numpy() for a in arrays))

    def new_item_remainders(self, guided: FloatArray) -> FloatArray | None:
        """Return None: the reduced base embedding cannot be computed from attributes."""
        return None

    def frozen(self) -> dict[str, np.ndarray]:
        """Return the frozen inputs other than G, ready to store."""
        return {"reduced": self.item_remainders()}

    def with_item_value(self, item: int, value: FloatArray) -> Self:
        """Return the same model with another row of G, ``[A]``, for one item; all that was learned is shared."""
        other, table = copy.copy(self), self.table.clone()
        table[item, : self.n_attributes] = torch.from_numpy(value) * TABLE_SPREAD
        other._buffers = {**self._buffers, "table": table}
        return other

    def item_values(self) -> FloatArray:
        """Return the guided embedding G, ``[N, A]``."""
        return (self.table[:, : self.n_attributes] / TABLE_SPREAD).cpu().numpy()

    def item_remainders(self) -> FloatArray:
        """Return the reduced base embedding as it stands in the table, ``[N, K]``."""
        return self.table[:, self.n_attributes :].cpu().numpy()

    def weights(self) -> FloatArray:
        """Return 1 for each attribute, ``[A]``: weights are part of the module's output."""
        return np.ones(self.n_attributes, dtype=np.float32)
