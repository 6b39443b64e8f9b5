"""The refined model, additive form: attributes' ledger plus a retrained remainder (arXiv 2504.11658).

    x_s    = A_in g_s + B r_s                    (position enters in the encoder's attention)
    p_t    = (sum_{s<=t} decay^(t-s) g_s + shrinkage * lambda * u) / (sum_{s<=t} decay^(t-s) + shrinkage)
    score  = sum_a w_a p_a g_ia + <out(h_t), r_i> + b_i

g: guided embedding (frozen), r: reduced base embedding (trained from PCA), p: the user's guided profile, from the
prefix of the history only, u: the user's LLM scores where there are any, h: state of the sequence encoder.

Shapes: B batch, L length, A attributes, K reduced dimensions, D encoder width, T targets.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guidedrec_core.config import RefinementConfig, TrainingConfig
from guidedrec_core.data.sequences import Batch, IntArray, item_seq
from guidedrec_core.refinement.guided import FloatArray


class AdditiveRefinedModel(nn.Module):
    """Refined recommender whose score is an exact sum over attributes, remainder and bias.

    Parameters
    ----------
    encoder : nn.Module
        Satisfies `models.encoder.Encoder`; trained here from scratch. Its width is ``width``.
    width : int
        D.
    max_length : int
        Longest history the encoder reads; the guided profile reads all of it.
    guided : FloatArray
        G, ``[n_items, A]``; A = 0 is the second-training control.
    reduced : FloatArray
        Start of R, ``[n_items, K]``.
    bias : FloatArray
        Start of b, ``[n_items]``.
    config : RefinementConfig
        Profile decay and shrinkage.
    user_scores : FloatArray or None
        Standardised LLM scores of users, ``[n_users, A]``.
    """

    guided: Tensor
    user_scores: Tensor

    def __init__(
        self,
        encoder: Any,
        width: int,
        max_length: int,
        guided: FloatArray,
        reduced: FloatArray,
        bias: FloatArray,
        config: RefinementConfig,
        user_scores: FloatArray | None = None,
    ) -> None:
        super().__init__()
        n_attributes = guided.shape[1]
        self.config = config
        self.max_length = max_length
        self.encoder: Any = encoder
        # Frozen inputs are not trained tensors: they are stored once, beside the weights, and never averaged.
        self.register_buffer("guided", torch.from_numpy(guided.copy()), persistent=False)
        has_users = user_scores is not None and n_attributes > 0
        users = user_scores if has_users and user_scores is not None else np.zeros((0, n_attributes), np.float32)
        self.register_buffer("user_scores", torch.from_numpy(users.copy()), persistent=False)
        self.reduced = nn.Parameter(torch.from_numpy(reduced.copy()))  # R [n_items, K]
        self.bias = nn.Parameter(torch.from_numpy(bias.copy()))  # b [n_items]
        # Bare matrix, because a linear layer warns when there are no attributes.
        self.guided_in = nn.Parameter(torch.zeros(n_attributes, width))  # A_in [A, D]
        self.reduced_in = nn.Linear(reduced.shape[1], width, bias=False)  # B
        self.output = nn.Linear(width, reduced.shape[1])  # out
        self.attribute_weights = nn.Parameter(torch.full((n_attributes,), 0.1))  # w [A]
        self.user_score_weight = nn.Parameter(torch.tensor([0.5 if has_users else 0.0]), requires_grad=has_users)

    def initialise(self, seed: int) -> None:
        """Draw the matrices that do not come from the base model, from a seed of their own.

        The encoder is initialised by who made it.
        """
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            if self.n_attributes:
                self.guided_in.normal_(0.0, 0.7 * self.n_attributes**-0.5, generator=draw)
            for layer in (self.reduced_in, self.output):
                layer.weight.normal_(0.0, 0.7 * layer.in_features**-0.5, generator=draw)
            self.output.bias.zero_()

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.bias)

    @property
    def n_attributes(self) -> int:
        """Number of attributes, A."""
        return self.guided.shape[1]

    def vectors(self, tokens: Tensor) -> Tensor:
        """Return the encoder's input ``x``, ``[B, L, D]``, for ``tokens [B, L]``."""
        rows = (tokens - 1).clamp(min=0)  # [B, L]
        x: Tensor = self.guided[rows] @ self.guided_in + self.reduced_in(F.embedding(rows, self.reduced))  # [B, L, D]
        return x * (tokens > 0).unsqueeze(-1)

    def profiles(self, tokens: Tensor, users: IntArray, prefixes: list[IntArray]) -> Tensor:
        """Return the guided profile after each position, ``[B, L, A]``.

        Parameters
        ----------
        tokens : Tensor
            ``[B, L]``, 0 = padding.
        users : IntArray
            ``[B]``; -1 or beyond the known users means no LLM user scores.
        prefixes : list of IntArray
            Item indexes before each window, B arrays; they count in the profile though the encoder does not see them.
        """
        L, decay = tokens.shape[1], self.config.decay
        present = (tokens > 0).float()  # [B, L]
        g = self.guided[(tokens - 1).clamp(min=0)] * present.unsqueeze(-1)  # [B, L, A]
        steps = torch.arange(L)
        fading = torch.tril(decay ** (steps[:, None] - steps[None, :]).clamp(min=0).float())  # [L, L]
        carried_sum, carried_count = self._carried(prefixes)  # [B, A], [B]
        fade = decay ** (steps + 1).float()  # [L]
        total = fading @ g + fade[None, :, None] * carried_sum[:, None, :]  # [B, L, A]
        count = present @ fading.T + fade[None, :] * carried_count[:, None]  # [B, L]
        prior = self.user_score_weight * self._prior(users)  # [B, A]
        pull = self.config.shrinkage
        return (total + pull * prior[:, None, :]) / (count + pull).clamp(min=1e-9).unsqueeze(-1)

    def _carried(self, prefixes: list[IntArray]) -> tuple[Tensor, Tensor]:
        """Return the faded sum ``[B, A]`` and count ``[B]`` of what came before the windows."""
        totals = torch.zeros(len(prefixes), self.n_attributes)
        counts = torch.zeros(len(prefixes))
        for row, prefix in enumerate(prefixes):
            if len(prefix):
                fade = self.config.decay ** torch.arange(len(prefix) - 1, -1, -1).float()
                totals[row] = fade @ self.guided[torch.tensor(prefix)]
                counts[row] = fade.sum()
        return totals, counts

    def _prior(self, users: IntArray) -> Tensor:
        """Return the users' LLM scores, 0 for those without, ``[B, A]``."""
        known = (users >= 0) & (users < len(self.user_scores))
        prior = torch.zeros(len(users), self.n_attributes)
        if known.any():
            prior[torch.from_numpy(known)] = self.user_scores[torch.from_numpy(users[known])]
        return prior

    def training_pairs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return user vectors ``[w p ; out(h)]``, ``[T, A + K]``, and the item index each must find, ``[T]``."""
        tokens = torch.from_numpy(batch.item_seq)  # [B, L + 1]
        states, rows, steps = self.encoder.read(self.vectors(tokens), tokens > 0)
        before = self.profiles(tokens[:, :-1], batch.users, batch.prefixes)[rows, steps - 1]  # [T, A]
        user = torch.cat([self.attribute_weights * before, self.output(states)], dim=1)
        return user, tokens[rows, steps] - 1

    def item_table(self) -> tuple[Tensor, Tensor]:
        """Return item vectors ``[g ; r]``, ``[n_items, A + K]``, and biases ``[n_items]``."""
        return torch.cat([self.guided, self.reduced], dim=1), self.bias

    def _logits(self, profile: Tensor, state: Tensor) -> Tensor:
        """Score all items: one product of user vectors ``[w p ; out(h)]`` with item vectors ``[g ; r]``."""
        user = torch.cat([self.attribute_weights * profile, state], dim=1)  # [B, A + K]
        items, bias = self.item_table()
        return user @ items.T + bias  # [B, n_items]

    def parameter_groups(self, config: TrainingConfig) -> list[dict[str, Any]]:
        """Split parameters by their weight decay: R like any item table, matrices, and the rest not at all."""
        named = [(name, p) for name, p in self.named_parameters() if p.requires_grad and p.numel()]
        return [
            {"params": [p for n, p in named if n == "reduced"], "weight_decay": config.table_weight_decay},
            {"params": [p for n, p in named if n != "reduced" and p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for _, p in named if p.ndim < 2], "weight_decay": 0.0},
        ]

    @torch.inference_mode()
    def user_parts(self, users: IntArray, histories: list[IntArray]) -> tuple[FloatArray, FloatArray]:
        """Return the guided profile p ``[B, A]`` and the state ``out(h)`` ``[B, K]`` after each history."""
        self.eval()
        tokens = torch.from_numpy(item_seq(histories, self.max_length))  # [B, L]
        shown = [min(len(h), tokens.shape[1]) for h in histories]
        prefixes = [h[: len(h) - n] for h, n in zip(histories, shown, strict=True)]
        profile = self.profiles(tokens, users, prefixes)[:, -1]  # [B, A]
        state = self.output(self.encoder.last(self.vectors(tokens), tokens > 0))  # [B, K]
        return profile.numpy(), state.numpy()

    @torch.inference_mode()
    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, n_items]``."""
        profile, state = self.user_parts(users, histories)
        return self._logits(torch.from_numpy(profile), torch.from_numpy(state)).numpy()

    def item_parts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return G ``[n_items, A]``, R ``[n_items, K]`` and b ``[n_items]``."""
        return self.guided.numpy(), self.reduced.detach().numpy(), self.bias.detach().numpy()

    def weights(self) -> FloatArray:
        """Return the learned weight of each attribute, ``[A]``."""
        return self.attribute_weights.detach().numpy().copy()
