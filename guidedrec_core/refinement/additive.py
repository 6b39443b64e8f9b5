"""The refined model, additive form: a sum over attributes plus a retrained remainder (arXiv 2504.11658).

    x_s    = A_in g_s + B r_s                    (position enters in the encoder's attention)
    p_t    = (sum_{s<=t} decay^(t-s) g_s + shrinkage * lambda * u) / (sum_{s<=t} decay^(t-s) + shrinkage)
    score  = sum_a w_a p_a g_ia + <out(h_t), r_i> + b_i

g: guided embedding (frozen); r: reduced base embedding (trained, initialised by PCA); p: the user's guided profile,
computed from the prefix of the history only; u: the user's LLM scores, where there are any; h: state of the sequence
encoder.

The anchored form predicts r and b from the guided scores, so that items without training events can be ranked:

    r_i = delta_i + A2 g_i          b_i = epsilon_i + beta . g_i

delta and epsilon are an item's residual. Residuals are dropped at random in training; an item without training events
has none, and stays out of the training softmax. As <out(h), A2 g> is linear in g, it belongs to the attributes' ledger.

Shapes: B batch, L length, A attributes, K reduced dimensions, D encoder width, N items, T targets.
"""

import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
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


@dataclass(frozen=True)
class _StepTable:
    """The additive model's item table under the residual mask of one training step."""

    model: "AdditiveRefinedModel"
    mask: Tensor | None

    def item_table(self) -> tuple[Tensor, Tensor]:
        """Return all item vectors ``[N, A + K]`` and biases ``[N]``."""
        return self.model._step_rows(self.mask)

    def item_rows(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors ``[..., A + K]`` and biases ``[...]`` of some items."""
        return self.model._step_rows(self.mask, items)


class AdditiveRefinedModel(nn.Module):
    """Refined recommender whose score is an exact sum over attributes, remainder and bias.

    Parameters
    ----------
    encoder : Encoder
        Trained here from scratch.
    guided : GuidedEmbedding
        G, ``[N, A]``; A = 0 is the second-training control.
    reduced : FloatArray
        Initial R (initial delta, if anchored), ``[N, K]``; K = 0 gives a model of attributes only.
    bias : FloatArray
        Initial b (initial epsilon), ``[N]``.
    config : RefinementConfig
        Profile decay and shrinkage.
    user_scores : FloatArray or None
        Standardised LLM scores of users, ``[n_users, A]``.
    cold : ndarray of bool or None
        Items without training events, ``[N]``; selects the anchored form.
    """

    guided: Tensor
    known: Tensor
    cold: Tensor
    user_scores: Tensor

    def __init__(
        self,
        encoder: Encoder,
        guided: GuidedEmbedding,
        reduced: FloatArray,
        bias: FloatArray,
        config: RefinementConfig,
        user_scores: FloatArray | None = None,
        cold: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        super().__init__()
        n_items, n_attributes = guided.values.shape
        width, n_reduced = encoder.config.width, reduced.shape[1]
        self.config = config
        self.encoder = encoder
        self.by_row = False
        # Not persistent: frozen inputs are stored once, apart from the weights, and are not averaged over steps.
        self.register_buffer("guided", torch.from_numpy(guided.values.copy()), persistent=False)
        self.register_buffer("known", torch.from_numpy(~guided.missing), persistent=False)
        self.anchored = cold is not None and n_attributes > 0
        without = cold if cold is not None else np.zeros(n_items, dtype=bool)
        self.register_buffer("cold", torch.from_numpy(without.copy()), persistent=False)
        has_users = user_scores is not None and n_attributes > 0
        users = user_scores if has_users and user_scores is not None else np.zeros((0, n_attributes), np.float32)
        self.register_buffer("user_scores", torch.from_numpy(users.copy()), persistent=False)
        self.reduced = nn.Parameter(torch.from_numpy(reduced.copy()))  # R [N, K]
        self.bias = nn.Parameter(torch.from_numpy(bias.copy()))  # b [N]
        # Bare matrices, because a linear layer warns when it has no inputs.
        self.guided_in = nn.Parameter(torch.zeros(n_attributes, width))  # A_in [A, D]
        self.reduced_in = nn.Parameter(torch.zeros(n_reduced, width))  # B [K, D]
        self.out = nn.Parameter(torch.zeros(width, n_reduced))
        self.out_bias = nn.Parameter(torch.zeros(n_reduced))
        self.attribute_weights = nn.Parameter(torch.full((n_attributes,), 0.1))  # w [A]
        self.user_score_weight = nn.Parameter(torch.tensor([0.5 if has_users else 0.0]), requires_grad=has_users)
        if self.anchored:
            self.anchor = nn.Parameter(torch.zeros(n_attributes, n_reduced))  # A2 [A, K]
            self.anchor_bias = nn.Parameter(torch.zeros(n_attributes))  # beta [A]

    def initialise(self, seed: int) -> None:
        """Draw the matrices that do not come from the base model; the encoder is initialised by `make_encoder`."""
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for matrix in (self.guided_in, self.reduced_in, self.out):
                if matrix.numel():
                    matrix.normal_(0.0, 0.7 * len(matrix) ** -0.5, generator=draw)

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.bias)

    @property
    def n_attributes(self) -> int:
        """Number of attributes, A."""
        return self.guided.shape[1]

    def _residual_mask(self) -> Tensor | None:
        """Draw which items keep their residual in a training step, or return which have one; None if all have.

        Returns
        -------
        Tensor or None
            1 with, 0 without; float32 ``[N, 1]``.
        """
        if not self.anchored:
            return None
        kept = ~self.cold
        if self.training:
            kept = kept & (torch.rand(len(kept), device=kept.device) >= self.config.anchor_dropout)
        return kept.float().unsqueeze(1)

    def _table(self, mask: Tensor | None, items: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return r ``[..., K]`` and b ``[...]`` of some items, all by default, under a residual mask."""
        r: Tensor = self.reduced
        b: Tensor = self.bias
        g = self.guided
        if items is not None:
            # Embedding lookup and gather add up gradients in a fixed order; indexing does not.
            r = F.embedding(items, self.reduced, sparse=self.by_row)
            b = torch.gather(self.bias, 0, items.flatten(), sparse_grad=self.by_row).view(items.shape)
            g, mask = self.guided[items], None if mask is None else mask[items]
        if mask is None:
            return r, b
        return mask * r + g @ self.anchor, mask.squeeze(-1) * b + g @ self.anchor_bias

    def vectors(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Return the encoder's input ``x``, ``[B, L, D]``, for ``tokens [B, L]`` and a residual mask."""
        rows = (tokens - 1).clamp(min=0)  # [B, L]
        x = self.guided[rows] @ self.guided_in + self._table(mask, rows)[0] @ self.reduced_in
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
            Item indexes before each window, B arrays; they count in the profile, though the encoder does not read them.
        """
        L, decay, device = tokens.shape[1], self.config.decay, tokens.device
        rows, present = (tokens - 1).clamp(min=0), (tokens > 0).unsqueeze(-1)
        steps = torch.arange(L, device=device)
        within = torch.tril(decay ** (steps[:, None] - steps[None, :]).clamp(min=0).float())  # [L, L]
        since_prefix = (decay ** (steps + 1).float())[None, :, None]  # [1, L, 1]
        sums, counts = self._decayed_sums(prefixes)  # [B, A]
        total = within @ (self.guided[rows] * present) + since_prefix * sums[:, None, :]  # [B, L, A]
        count = within @ (self.known[rows] & present).float() + since_prefix * counts[:, None, :]  # [B, L, A]
        return self._towards_prior(total, count, users)

    def _decayed_sums(self, histories: list[IntArray]) -> tuple[Tensor, Tensor]:
        """Return the decayed sums and counts of whole histories, ``[B, A]`` each; reads only their items' rows."""
        items, lengths = concatenate_histories(histories)
        rows = torch.from_numpy(items).to(self.guided.device)
        return decayed_sums(self.guided[rows], self.known[rows], lengths, self.config.decay)

    def _towards_prior(self, total: Tensor, count: Tensor, users: IntArray) -> Tensor:
        """Return means of decayed sums, shrunk towards the users' LLM scores, or to 0; ``[B, L, A]``."""
        known = (users >= 0) & (users < len(self.user_scores))
        prior = torch.zeros(len(users), self.n_attributes, device=total.device)
        if known.any():
            prior[torch.from_numpy(known)] = self.user_scores[torch.from_numpy(users[known])]
        return shrunk_means(total, count, self.config.shrinkage, self.user_score_weight * prior[:, None, :])

    def training_pairs(self, batch: Batch) -> TrainingPairs:
        """Encode training windows: user vectors ``[w p ; out(h)]``, ``[T, A + K]``, and targets ``[T]``.

        The residuals dropped from the encoder's inputs are dropped from the returned item table, too.
        """
        tokens = torch.from_numpy(batch.item_seq).to(self.bias.device)  # [B, L + 1]
        mask = self._residual_mask()
        states, rows, steps = self.encoder.read(self.vectors(tokens, mask), tokens > 0)
        before = self.profiles(tokens[:, :-1], batch.users, batch.prefixes)[rows, steps - 1]  # [T, A]
        user = torch.cat([self.attribute_weights * before, states @ self.out + self.out_bias], dim=1)
        return TrainingPairs(user, tokens[rows, steps] - 1, _StepTable(self, mask))

    def _step_rows(self, mask: Tensor | None, items: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return item vectors ``[g ; r]``, ``[..., A + K]``, and biases ``[...]``, as a training step compares them.

        Parameters
        ----------
        mask : Tensor or None
            Of residuals; see `training_pairs`.
        items : Tensor, optional
            Item indexes of any shape; all items by default.
        """
        g, cold = (self.guided, self.cold) if items is None else (self.guided[items], self.cold[items])
        r, b = self._table(mask, items)
        # An item without training events is never a target. As a competitor, it would only be pushed down.
        return torch.cat([g, r], dim=-1), b.masked_fill(cold, -torch.inf) if self.anchored else b

    def row_gradients(self) -> dict[str, nn.Parameter]:
        """Make gradients of the tables sparse, by row, from now on; return these tables by name."""
        self.by_row = True
        return {"reduced": self.reduced, "bias": self.bias} if self.reduced.numel() else {"bias": self.bias}

    def parameter_groups(self, config: TrainingConfig) -> list[dict[str, Any]]:
        """Group parameters by weight decay: R like any item table, other matrices, and vectors, which have none."""
        named = [(name, p) for name, p in self.named_parameters() if p.requires_grad and p.numel()]
        return [
            {"params": [p for n, p in named if n == "reduced"], "weight_decay": config.table_weight_decay},
            {"params": [p for n, p in named if n != "reduced" and p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for _, p in named if p.ndim < 2], "weight_decay": 0.0},
        ]

    def _user_side(self, users: IntArray, histories: list[IntArray]) -> tuple[Tensor, Tensor]:
        """Return the guided profile p ``[B, A]`` and ``out(h)`` ``[B, K]`` after each history."""
        self.eval()
        tokens = torch.from_numpy(item_seq(histories, self.encoder.config.max_length)).to(self.bias.device)  # [B, L]
        sums, counts = self._decayed_sums(histories)
        profile = self._towards_prior(sums[:, None], counts[:, None], users)[:, 0]
        state = self.encoder.last(self.vectors(tokens, self._residual_mask()), tokens > 0)  # [B, D]
        return profile, state @ self.out + self.out_bias

    def _scores(self, profile: Tensor, state: Tensor, items: Tensor | None = None) -> Tensor:
        """Return scores ``[B, n]``, products of user vectors ``[w p ; out(h)]`` and item vectors ``[g ; r]``."""
        r, b = self._table(self._residual_mask(), items)
        vectors = torch.cat([self.guided if items is None else self.guided[items], r], dim=1)  # [n, A + K]
        user = torch.cat([self.attribute_weights * profile, state], dim=1)  # [B, A + K]
        return torch.addmm(b, user, vectors.T)

    @torch.inference_mode()
    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, N]``."""
        scores: FloatArray = self._scores(*self._user_side(users, histories)).cpu().numpy()
        return scores

    @torch.inference_mode()
    def parts(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> Parts:
        """Split the scores for each history, of some items or of all."""
        profile, state = self._user_side(users, histories)
        slopes = self._slopes(profile, state)
        rows = None if items is None else torch.from_numpy(items).to(self.bias.device)
        bias = self._table(self._residual_mask(), rows)[1]
        arrays = (self._scores(profile, state, rows), profile, slopes, state @ self._residuals(rows).T, bias)
        return replace(Parts(*(a.cpu().numpy() for a in arrays)), factors=state.cpu().numpy())

    @torch.inference_mode()
    def slope_sources(self, users: IntArray, histories: list[IntArray]) -> Sources:
        """Split the slopes by source, ``[B, A]``: ``w p`` is own taste; what an anchor adds is from interactions."""
        profile, state = self._user_side(users, histories)
        own = (self.attribute_weights * profile).cpu().numpy()
        return Sources.of(
            own.shape,
            own_taste=own,
            **({"interactions": (state @ self.anchor.T).cpu().numpy()} if self.anchored else {}),
        )

    @torch.inference_mode()
    def remainder_factors(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return ``out(h)``, ``[B, K]``."""
        factors: FloatArray = self._user_side(users, histories)[1].cpu().numpy()
        return factors

    @torch.inference_mode()
    def remainder_vectors(self) -> FloatArray:
        """Return R, or delta where anchored, ``[N, K]``."""
        vectors: FloatArray = self._residuals().cpu().numpy()
        return vectors

    @torch.inference_mode()
    def item_biases(self) -> FloatArray:
        """Return b, ``[N]``."""
        self.eval()
        biases: FloatArray = self._table(self._residual_mask())[1].cpu().numpy()
        return biases

    def _residuals(self, items: Tensor | None = None) -> Tensor:
        """Return what of item vectors is no attribute's, ``[n, K]``; if anchored, 0 for cold items."""
        residuals: Tensor = self.reduced if items is None else self.reduced[items]
        if not self.anchored:
            return residuals
        return residuals * ~(self.cold if items is None else self.cold[items]).unsqueeze(1)

    def _slopes(self, profile: Tensor, state: Tensor) -> Tensor:
        """Return what one unit of an item's value adds, ``[B, A]``."""
        slopes = self.attribute_weights * profile
        return slopes + state @ self.anchor.T if self.anchored else slopes

    @torch.inference_mode()
    def new_item_parts(self, users: IntArray, histories: list[IntArray], guided: FloatArray) -> Parts:
        """Split the scores of items outside the catalogue; without anchor they get an average remainder and bias."""
        profile, state = self._user_side(users, histories)
        slopes, g = self._slopes(profile, state), torch.from_numpy(guided).to(state.device)
        if self.anchored:
            remainder, bias = state.new_zeros(len(state)), g @ self.anchor_bias
        else:
            remainder, bias = state @ self.reduced.mean(dim=0), self.bias.mean().expand(len(g))
        remainder = remainder.unsqueeze(1).expand(-1, len(g))  # [B, n]
        arrays = (slopes @ g.T + remainder + bias, profile, slopes, remainder, bias)
        return Parts(*(a.cpu().numpy() for a in arrays))

    @torch.inference_mode()
    def new_item_remainders(self, guided: FloatArray) -> FloatArray | None:
        """Return ``A2 g`` of items outside the catalogue, ``[n, K]``; None without anchor."""
        if not self.anchored:
            return None
        remainders: FloatArray = (torch.from_numpy(guided).to(self.anchor.device) @ self.anchor).cpu().numpy()
        return remainders

    def frozen(self) -> dict[str, np.ndarray]:
        """Return the frozen inputs other than G, ready to store."""
        arrays = {"cold": self.cold.cpu().numpy().astype(np.uint8)} if self.anchored else {}
        return {**arrays, "user_scores": self.user_scores.cpu().numpy()} if len(self.user_scores) else arrays

    def with_item_value(self, item: int, value: FloatArray) -> Self:
        """Return the same model with another row of G, ``[A]``, for one item; all that was learned is shared."""
        other, guided = copy.copy(self), self.guided.clone()
        guided[item] = torch.from_numpy(value)
        other._buffers = {**self._buffers, "guided": guided}
        return other

    def item_values(self) -> FloatArray:
        """Return the guided embedding G, ``[N, A]``."""
        return self.guided.cpu().numpy()

    def item_remainders(self) -> FloatArray:
        """Return R, ``[N, K]``."""
        self.eval()
        with torch.no_grad():
            return self._table(self._residual_mask())[0].cpu().numpy()

    def weights(self) -> FloatArray:
        """Return the learned weight w of each attribute, ``[A]``."""
        return self.attribute_weights.detach().cpu().numpy().copy()
