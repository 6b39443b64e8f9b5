"""The named model: items are nothing but attributes and facts, so no part of a score is without a name.

    r_i = A2 g_i + A3 f_i          b_i = beta . g_i + gamma . f_i

in place of the additive form's trained rows; all else is as there. g: guided embedding; f: facts, in standardised
columns. No parameter belongs to an item, so that a new item is ranked like any other: by what is known about it. Since
``<out(h), r_i> + b_i`` is linear in g and f, the whole score is a sum over named columns.

Shapes: N items, A attributes, Q columns of facts, K width of item vectors, D encoder width.
"""

import copy
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.models.encoder import Encoder
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import FloatArray, GuidedEmbedding
from guidedrec_core.refinement.refined import Parts

_SPREAD = 0.3
"""Initial standard deviation of item vectors; a trained base table has about the same."""


class NamedRefinedModel(AdditiveRefinedModel):
    """Recommender whose items consist of named columns alone.

    Parameters
    ----------
    encoder : Encoder
        Of width D; trained here from scratch.
    guided : GuidedEmbedding
        G, ``[N, A]``.
    facts : FloatArray
        F, ``[N, Q]``.
    config : RefinementConfig
        Profile decay and shrinkage.
    user_scores : FloatArray or None
        Standardised LLM scores of users, ``[n_users, A]``.
    cold : ndarray of bool
        Items without training events, ``[N]``; never a target or a competitor in training.
    """

    facts: Tensor

    def __init__(
        self,
        encoder: Encoder,
        guided: GuidedEmbedding,
        facts: FloatArray,
        config: RefinementConfig,
        user_scores: FloatArray | None,
        cold: npt.NDArray[np.bool_],
    ) -> None:
        none = np.zeros((0, encoder.config.width), np.float32)
        super().__init__(encoder, guided, none, none[:, 0], config, user_scores, cold)
        if not self.anchored:  # without attributes; facts alone are named, too
            self.anchored = True
            self.anchor = nn.Parameter(torch.zeros(0, encoder.config.width))
            self.anchor_bias = nn.Parameter(torch.zeros(0))
        self.register_buffer("facts", torch.from_numpy(facts.copy()), persistent=False)
        self.fact_matrix = nn.Parameter(torch.zeros(facts.shape[1], encoder.config.width))  # A3 [Q, K]
        self.fact_bias = nn.Parameter(torch.zeros(facts.shape[1]))  # gamma [Q]

    def initialise(self, seed: int) -> None:
        """Draw the matrices; the encoder is initialised by `make_encoder`."""
        super().initialise(seed)
        draw = torch.Generator().manual_seed(seed + 1)
        n_columns = self.n_attributes + len(self.fact_bias)
        with torch.no_grad():
            for matrix in (self.anchor, self.fact_matrix):
                if matrix.numel():
                    matrix.normal_(0.0, _SPREAD * n_columns**-0.5, generator=draw)

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.guided)

    def with_facts(self, facts: FloatArray) -> Self:
        """Return the same model with newer facts, ``[N, Q]``; all that was learned is shared."""
        other = copy.copy(self)
        other._buffers = {**self._buffers, "facts": torch.from_numpy(facts).to(self.facts.device)}
        return other

    def _residual_mask(self) -> Tensor | None:
        """Return None: no item has a residual."""
        return None

    def _table(self, mask: Tensor | None, items: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return r ``[..., K]`` and b ``[...]`` of some items, all by default."""
        g, f = (self.guided, self.facts) if items is None else (self.guided[items], self.facts[items])
        return g @ self.anchor + f @ self.fact_matrix, g @ self.anchor_bias + f @ self.fact_bias

    def _residuals(self, items: Tensor | None = None) -> Tensor:
        """Return what of item vectors is no attribute's, ``[n, K]``: that of facts."""
        return (self.facts if items is None else self.facts[items]) @ self.fact_matrix

    def row_gradients(self) -> dict[str, nn.Parameter]:
        """Return nothing: there is no table of items."""
        return {}

    @torch.inference_mode()
    def new_item_parts(self, users: IntArray, histories: list[IntArray], guided: FloatArray) -> Parts:
        """Split the scores of items outside the catalogue; of facts they have those of an item nobody knows yet."""
        profile, state = self._user_side(users, histories)
        slopes, g = self._slopes(profile, state), torch.from_numpy(guided).to(state.device)
        facts = self.facts[self.cold].mean(dim=0) if self.cold.any() else self.facts.new_zeros(self.facts.shape[1])
        remainder = (state @ (facts @ self.fact_matrix)).unsqueeze(1).expand(-1, len(g))  # [B, n]
        bias = g @ self.anchor_bias + facts @ self.fact_bias
        arrays = (slopes @ g.T + remainder + bias, profile, slopes, remainder, bias)
        return Parts(*(a.cpu().numpy() for a in arrays))
