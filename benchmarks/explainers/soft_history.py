"""The refined model as a function of a gate on each past item, which gradients and learned masks need.

A gate of 1 leaves an item as it is. A smaller one scales the item's vector where an encoder reads it, as item dropout
did when the encoders were trained (with gate 0), and its weight in the user's profile and in item-kNN. Gates change no
distances: an item with gate 0 keeps its place, unlike one that is removed.

Shapes: B histories, L positions (padded on the left), N items.
"""

import numpy as np
import torch
from torch import Tensor

from guidedrec_core.data.sequences import IntArray, item_seq
from guidedrec_core.models.sequence_model import SequenceModel
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.head import HeadModel


class SoftHistory:
    """Scores of a head over a SASRec, GRU4Rec or BERT4Rec base and an additive refined model, differentiable in gates.

    Parameters
    ----------
    head : HeadModel
        Frozen; its parts may be missing.
    """

    def __init__(self, head: HeadModel) -> None:
        self.head = head
        self.models = [model for model in (head.base, head.refined) if model is not None]
        for model in self.models:
            assert isinstance(model, SequenceModel | AdditiveRefinedModel), type(model)
            model.eval()
            for parameter in model.parameters():
                parameter.requires_grad_(False)
        self.guided = torch.from_numpy(head.guided.values)
        self.known = torch.from_numpy(~head.guided.missing)
        everyone = head.learned.everyone.astype(np.float32) @ head.mix  # [A]
        biases = torch.from_numpy(head.item_biases()) + self.guided @ torch.from_numpy(everyone)
        self.biases = biases
        self.weights = torch.from_numpy(((head.mix * head.learned.profile) @ head.mix).astype(np.float32))  # [A, A]
        if head.neighbours is not None:
            self.similarity = torch.from_numpy(head.neighbours.similarity.toarray().T.copy())  # [N of history, N]

    def tokens(self, histories: list[IntArray]) -> Tensor:
        """Return whole histories as tokens, ``[B, L]``."""
        return torch.from_numpy(item_seq(histories, max(1, *(len(history) for history in histories), 1)))

    def scores(self, users: IntArray, tokens: Tensor, gates: Tensor) -> Tensor:
        """Return the scores of all items, ``[B, N]``.

        Parameters
        ----------
        users : IntArray
            ``[B]``.
        tokens : Tensor
            ``[B, L]``, 0 = padding.
        gates : Tensor
            ``[B, L]``, 0 to 1.
        """
        head = self.head
        total = self.biases + self._profile(tokens, gates) @ self.weights @ self.guided.T
        if head.base is not None:
            model, vectors = head.base, torch.from_numpy(head._base.vectors)
            x, present = self._window(model, tokens)
            state = model.output(self._last(model, model.items(x) * self._recent(model, gates).unsqueeze(-1), present))
            total = total + float(head._tau("base")) * (state @ vectors.T)
        if head.refined is not None:
            model = head.refined
            x, present = self._window(model, tokens)
            read = model.vectors(x, model._residual_mask()) * self._recent(model, gates).unsqueeze(-1)
            state = self._last(model, read, present) @ model.out + model.out_bias
            sums, counts = self._sums(tokens, gates, model.config.decay)
            profile = model._towards_prior(sums[:, None], counts[:, None], users)[:, 0]
            own = model._scores(profile, state) - model._table(model._residual_mask())[1]
            total = total + float(head._tau("refined")) * own
        if head.neighbours is not None:
            weights = self._decayed(tokens, gates, head.neighbours.config.decay)  # [B, L]
            near = self.similarity[(tokens - 1).clamp(min=0)]  # [B, L, N]
            total = total + float(head._tau("item_knn")) * torch.einsum("bl,bln->bn", weights, near)
        return total

    @staticmethod
    def _window(model: SequenceModel | AdditiveRefinedModel, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return what an encoder reads of the tokens, and where there are items."""
        read = tokens[:, -model.encoder.config.max_length :]
        return read, read > 0

    @staticmethod
    def _recent(model: SequenceModel | AdditiveRefinedModel, gates: Tensor) -> Tensor:
        return gates[:, -model.encoder.config.max_length :]

    @staticmethod
    def _last(model: SequenceModel | AdditiveRefinedModel, x: Tensor, present: Tensor) -> Tensor:
        state: Tensor = model.encoder.last(x, present)
        return state

    @staticmethod
    def _decayed(tokens: Tensor, gates: Tensor, decay: float) -> Tensor:
        """Return each position's gate times its weight by the steps since, ``[B, L]``; 0 at padding."""
        steps = torch.arange(tokens.shape[1] - 1, -1, -1)
        return gates * (tokens > 0) * torch.pow(torch.tensor(decay, dtype=torch.float64), steps).float()

    def _sums(self, tokens: Tensor, gates: Tensor, decay: float) -> tuple[Tensor, Tensor]:
        """Return decayed sums of guided vectors and of their counts, ``[B, A]`` each."""
        weights = self._decayed(tokens, gates, decay).unsqueeze(1)  # [B, 1, L]
        rows = (tokens - 1).clamp(min=0)
        return (weights @ self.guided[rows])[:, 0], (weights @ self.known[rows].float())[:, 0]

    def _profile(self, tokens: Tensor, gates: Tensor) -> Tensor:
        """Return the head's guided profile, ``[B, A]``."""
        sums, counts = self._sums(tokens, gates, self.head.config.decay)
        return sums / (counts + self.head.config.shrinkage).clamp(min=1e-9)
