"""The head: a linear combination of frozen models and attributes, with weights fitted on held-out targets.

    score = sum_c tau_c score_c + sum_h gamma_h popularity_h + sum_a (w_a p_a + v_a) g_ia

score_c: scores of the base model, of a refined model trained over it, and of item-kNN, where there are such models;
popularity_h: log(1 + training interactions), standardised, and with a temporal split the same over decayed
interactions, once for each half-life; p: the user's guided profile; g: guided embedding, both whitened within the head.
The weights are fitted on the validation targets by penalised maximum likelihood of a softmax over the items the user
has not seen; see `head_fit`. Which terms a head has, and how far popularity is taken back, is chosen by the ranks of
targets that the weights were not fitted on; see `head_choice`.

Why on the validation part: item vectors have memorised the training targets, so that weights fitted on these would be
too small. Why whitened: one weight per attribute cannot undo correlations between attributes. Whitened columns are
linear in the guided embedding, so that contributions are reported in its own, readable columns; `sources` splits them.

Shapes: B histories, V validation cases, C frozen models, P kinds of popularity, N items, A attributes.
"""

import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.notices import Notice
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.models.base import BaseModel
from guidedrec_core.refinement.guided import FloatArray, GuidedEmbedding
from guidedrec_core.refinement.head_blocks import Sampling, blocks_of
from guidedrec_core.refinement.head_fit import WHOLE, Block, Doubles, Form, HeadFit, HeadWeights
from guidedrec_core.refinement.profiles import guided_profiles
from guidedrec_core.refinement.refined import Parts, RefinedModel
from guidedrec_core.refinement.sources import Sources


class Neighbours(Protocol):
    """What a head needs of item-kNN."""

    def scores(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> FloatArray:
        """Return each item's similarity to each history, ``[B, n]``; of all items by default."""

    def shares(self, history: IntArray, item: int) -> Doubles:
        """Return what each position of one history adds to an item's score, ``[n]``."""


class _AveragedBase:
    """A frozen base model that scores cold items, about which it has learned nothing, as its average item.

    Parameters
    ----------
    model : BaseModel
        Frozen.
    cold : ndarray of bool
        ``[N]``; if all items are cold, they keep the base model's scores.
    """

    def __init__(self, model: BaseModel, cold: npt.NDArray[np.bool_]) -> None:
        self.model = model
        self.cold = cold & ~cold.all()

    def parts(self, users: IntArray, histories: list[IntArray]) -> tuple[FloatArray, FloatArray]:
        """Return scores without bias ``[B, N]``, and biases ``[N]``."""
        bias = self.model.item_bias()
        rest = self.model.scores(users, histories) - bias
        if self.cold.any():
            bias = np.where(self.cold, bias[~self.cold].mean(), bias)
            rest = np.where(self.cold, rest[:, ~self.cold].mean(axis=1, keepdims=True), rest)
        return rest, bias

    def parts_of(
        self, users: IntArray, histories: list[IntArray], items: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return what `parts` does for some items, ``[B, n]`` and ``[n]``, and user vectors ``[B, d]``."""
        vectors, bias = self._table
        user = self.model.user_vectors(users, histories)
        return user @ vectors[items].T, bias[items], user

    @property
    def vectors(self) -> FloatArray:
        """Item vectors ``[N, d]``, the average at cold items."""
        return self._table[0]

    @property
    def biases(self) -> FloatArray:
        """Item biases ``[N]``, the average at cold items."""
        return self._table[1]

    def new_item_parts(self, users: IntArray, histories: list[IntArray]) -> tuple[FloatArray, np.float32]:
        """Return the average item's scores without bias ``[B]``, and its bias."""
        vector, bias = self._average_item
        return self.model.user_vectors(users, histories) @ vector, bias

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray]:
        """Item vectors ``[N, d]`` and biases ``[N]``, averages at cold items."""
        vectors, bias = self.model.item_embedding(), self.model.item_bias()
        if self.cold.any():
            average, average_bias = self._average_item
            vectors, bias = np.where(self.cold[:, None], average, vectors), np.where(self.cold, average_bias, bias)
        return vectors, bias

    @cached_property
    def _average_item(self) -> tuple[FloatArray, np.float32]:
        """Mean vector ``[d]`` and bias of the items that are not cold."""
        return self.model.item_embedding()[~self.cold].mean(axis=0), self.model.item_bias()[~self.cold].mean()


class HeadModel:
    """Refined model that combines a frozen base model, a refined model trained over it, and attributes.

    Parameters
    ----------
    base : BaseModel or None
        None gives the base model no share in the score.
    refined : RefinedModel or None
        Over the same guided embedding.
    embedding : FloatArray
        The second block of the refined embedding, ``[N, K]``.
    guided : GuidedEmbedding
        G.
    interactions : ndarray
        Training interactions of each item, ``[N, P]``: plain counts first, then decayed ones.
    config : RefinementConfig
        Profile decay and shrinkage, penalty.
    ranks_cold : bool
        Give items without training interactions the average of the base model's scores, which says nothing about them,
        and an offset of their own; otherwise they keep the base model's scores.
    neighbours : Neighbours or None
        Item-kNN, which keeps co-occurrences of item pairs that sequence models lose. It uses no attributes, so it
        belongs to the remainder.
    """

    def __init__(
        self,
        base: BaseModel | None,
        refined: RefinedModel | None,
        embedding: FloatArray,
        guided: GuidedEmbedding,
        interactions: npt.NDArray[Any],
        config: RefinementConfig,
        ranks_cold: bool = True,
        neighbours: Neighbours | None = None,
    ) -> None:
        self.base = base
        self.refined = refined
        self.neighbours = neighbours
        self.embedding = embedding
        self.guided = guided
        self.config = config
        self.ranks_cold = ranks_cold
        self.cold = (interactions[:, 0] == 0) & ranks_cold  # [N]
        self.cold_offset = 0.0
        self._base = None if base is None else _AveragedBase(base, self.cold)
        self.popularity, self.new_popularity = _standardised(interactions)  # [N, P], [P]
        self.counts: Doubles = interactions[:, 0].astype(np.float64)  # [N]
        self.mix = guided.whitener().astype(np.float32)  # [A, A], symmetric
        none = np.zeros(self.n_attributes)
        self.learned = HeadWeights(self._start(), np.zeros(interactions.shape[1]), none, none)

    def refreshed(self, interactions: npt.NDArray[Any], neighbours: Neighbours | None) -> "HeadModel":
        """Return the same head with newer counts, because what is counted and not trained can be kept up to date.

        Parameters
        ----------
        interactions : ndarray
            As at construction, ``[N, P]``, with newer interactions.
        neighbours : Neighbours or None
            Item-kNN fitted on the same, where there is one.
        """
        newer = copy.copy(self)
        newer.popularity, newer.new_popularity = _standardised(interactions)
        newer.neighbours = neighbours
        return newer

    @property
    def models(self) -> list[str]:
        """Names of the frozen models, C, in the order of their weights."""
        parts = {"base": self.base, "refined": self.refined, "item_knn": self.neighbours}
        return [name for name, part in parts.items() if part is not None]

    def _start(self) -> Doubles:
        """Return the initial weights, ``[C]``: the average of base and refined model."""
        own: Doubles = np.array([name != "item_knn" for name in self.models], dtype=np.float64)
        shares: Doubles = own / max(float(own.sum()), 1.0)
        return shares

    def _tau(self, name: str) -> np.float32:
        """Return the weight of a frozen model."""
        return np.float32(self.learned.models[self.models.index(name)])

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.popularity)

    @property
    def n_attributes(self) -> int:
        """Number of attributes, A."""
        return int(self.guided.values.shape[1])

    def _profiles(self, histories: list[IntArray]) -> FloatArray:
        """Return the guided profile after each history, ``[B, A]``."""
        known = ~self.guided.missing
        return guided_profiles(histories, self.guided.values, known, self.config.decay, self.config.shrinkage)

    def fit(self, users: IntArray, histories: list[IntArray], targets: IntArray, form: Form = WHOLE) -> None:
        """Fit the weights of one form on V validation cases, over the whole catalogue where it is not too large.

        Parameters
        ----------
        users : IntArray
            User indexes, ``[V]``; -1 for an unknown user.
        histories : list of IntArray
            The history before each target.
        targets : IntArray
            Item indexes, ``[V]``.
        form : Form
            Which terms may have weights.
        """
        blocks = blocks_of(self, users, histories, targets, Sampling())
        self.learned = self.fitting(blocks).weights(form)

    def fitting(self, blocks: list[Block]) -> HeadFit:
        """Return the fits of this head's weights on some blocks of cases, whose scores it scales in place."""
        is_knn = np.array([name == "item_knn" for name in self.models], dtype=bool)
        guided, penalty = self.guided.values @ self.mix, self.config.head_penalty
        return HeadFit(blocks, self._start(), self.popularity, guided, penalty, is_knn)

    def frozen_scores(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> FloatArray:
        """Return each frozen model's own scores, of some items or of all, ``[C, B, n]``."""
        n = self.n_items if items is None else len(items)
        scores = np.empty((len(self.models), len(users), n), np.float32)
        room = dict(zip(self.models, scores, strict=True))
        if self._base is not None:
            if items is None:
                rest, bias = self._base.parts(users, histories)
            else:
                rest, bias, _ = self._base.parts_of(users, histories, items)
            np.add(rest, bias, out=room["base"])
        if self.refined is not None:
            inner = self.refined
            own = inner.scores(users, histories) if items is None else inner.parts(users, histories, items).scores
            room["refined"][:] = own
        if self.neighbours is not None:
            room["item_knn"][:] = self.neighbours.scores(users, histories, items)
        return scores

    def whitened_profiles(self, histories: list[IntArray]) -> FloatArray:
        """Return the guided profile after each history in the columns that weights are fitted in, ``[B, A]``."""
        whitened: FloatArray = self._profiles(histories) @ self.mix
        return whitened

    def combined(self, weights: HeadWeights, scores: FloatArray, profiles: FloatArray) -> FloatArray:
        """Return what some weights make of all items, ``[B, N]``, without the offset of cold items.

        Parameters
        ----------
        weights : HeadWeights
            Fitted.
        scores, profiles : FloatArray
            From `frozen_scores` and `whitened_profiles`.
        """
        slopes = (weights.profile * profiles + weights.everyone).astype(np.float32)
        total: FloatArray = slopes @ (self.guided.values @ self.mix).T
        total += self.popularity @ weights.popularity.astype(np.float32)
        for each, tau in zip(scores, weights.models, strict=True):
            if tau:
                total += np.float32(tau) * each
        return total

    def without_neighbours(self) -> None:
        """Drop item-kNN, and its weight."""
        kept = [name != "item_knn" for name in self.models]
        self.learned = replace(self.learned, models=self.learned.models[kept])
        self.neighbours = None

    def notices(self) -> tuple[Notice, ...]:
        """Return a warning if the weights are known not to have converged."""
        fit = self.learned.convergence
        if fit is None or fit.converged:
            return ()
        message = (
            f"the weights of the head had not converged when their fit ended (L-BFGS iterations: {fit.iterations}, "
            f"largest gradient: {fit.gradient_norm:.3g}); they are the best found, and a larger head_penalty makes the "
            "fit easier"
        )
        return (Notice("head_not_converged", fit.iterations, message),)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was fitted, ready to store."""
        cold = {"ranks_cold": np.array([self.ranks_cold], np.uint8), "cold_offset": np.array([self.cold_offset])}
        return {**self.learned.arrays(), **cold}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Set what `arrays` returned."""
        self.learned = HeadWeights.of(arrays)
        self.cold_offset = float(arrays["cold_offset"][0])

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, N]``."""
        return self.parts(users, histories).scores

    def parts(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> Parts:
        """Split the scores for each history, of some items or of all."""
        popularity, cold, values = self.popularity, self.cold, self.guided.values
        if items is not None:
            popularity, cold, values = popularity[items], cold[items], values[items]
        profile, trained_values = self._profiles(histories), None
        slopes = self._slopes(profile)
        gamma = self.learned.popularity.astype(np.float32)
        bias = popularity @ gamma + np.float32(self.cold_offset) * cold
        remainder = np.zeros((len(histories), len(values)), np.float32)
        factors: list[FloatArray] | None = [np.zeros((len(histories), 0), np.float32)]
        if self._base is not None:
            tau = self._tau("base")
            if items is None:
                rest, base_bias = self._base.parts(users, histories)
                factors = None  # the base model scores the whole catalogue in its own way
            else:
                rest, base_bias, user = self._base.parts_of(users, histories, items)
                factors = [tau * user]
            remainder, bias = tau * rest, bias + tau * base_bias
        if self.refined is not None:
            inner = self.refined.parts(users, histories, items)
            tau = self._tau("refined")
            profile, trained_values = inner.profile, inner.trained_values
            slopes = slopes + tau * inner.slopes
            remainder, bias = remainder + tau * inner.remainder, bias + tau * inner.bias
            if factors is not None and inner.factors is not None:
                factors.append(tau * inner.factors)
        if self.neighbours is not None:
            remainder = remainder + self.neighbour_scores(users, histories, items)
        scores: FloatArray = slopes @ values.T + remainder + bias
        at_hand = None if factors is None else np.concatenate(factors, axis=1)
        return Parts(scores, profile, slopes, remainder, bias, trained_values, at_hand)

    def remainder_factors(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Return the user vectors of base and refined model, each times its weight, ``[B, d]``."""
        blocks = [np.zeros((len(histories), 0), np.float32)]
        if self.base is not None:
            blocks.append(self._tau("base") * self.base.user_vectors(users, histories))
        if self.refined is not None:
            blocks.append(self._tau("refined") * self.refined.remainder_factors(users, histories))
        return np.concatenate(blocks, axis=1)

    def remainder_vectors(self) -> FloatArray:
        """Return the item vectors of base and refined model, ``[N, d]``."""
        blocks = [np.zeros((self.n_items, 0), np.float32)]
        if self._base is not None:
            blocks.append(self._base.vectors)
        if self.refined is not None:
            blocks.append(self.refined.remainder_vectors())
        return np.concatenate(blocks, axis=1)

    def item_biases(self) -> FloatArray:
        """Return what popularity, base and refined model give each item for every user alike, ``[N]``."""
        bias = self.popularity @ self.learned.popularity.astype(np.float32) + np.float32(self.cold_offset) * self.cold
        if self._base is not None:
            bias = bias + self._tau("base") * self._base.biases
        if self.refined is not None:
            bias = bias + self._tau("refined") * self.refined.item_biases()
        biases: FloatArray = bias.astype(np.float32)
        return biases

    def neighbour_scores(self, users: IntArray, histories: list[IntArray], items: IntArray | None = None) -> FloatArray:
        """Return the share of item-kNN in the remainder, ``[B, n]``; 0 where there is none."""
        n = self.n_items if items is None else len(items)
        if self.neighbours is None:
            return np.zeros((len(histories), n), np.float32)
        scores: FloatArray = self._tau("item_knn") * self.neighbours.scores(users, histories, items)
        return scores

    def neighbour_shares(self, history: IntArray, item: int) -> Doubles:
        """Return what each position of one history adds to an item's score by way of item-kNN, ``[n]``; exact."""
        if self.neighbours is None:
            return np.zeros(len(history))
        return float(self._tau("item_knn")) * self.neighbours.shares(history, item)

    def _slopes(self, profile: FloatArray) -> FloatArray:
        """Return what one unit of an item's value adds in the head itself, ``[B, A]``."""
        whitened = self.learned.profile * (profile @ self.mix) + self.learned.everyone  # [B, A]
        return whitened.astype(np.float32) @ self.mix

    def slope_sources(self, users: IntArray, histories: list[IntArray]) -> Sources:
        """Split the slopes for each history by source, ``[B, A]``: the head's own, and those of a refined model."""
        profile, mix = self._profiles(histories).astype(np.float64), self.mix.astype(np.float64)
        weights = (mix * self.learned.profile) @ mix  # [A, A], W of `sources`
        own = profile * np.diag(weights)
        everyone = self.learned.everyone @ mix
        sources = Sources.of(own.shape, own_taste=own, other_tastes=profile @ weights - own, everyone=everyone)
        if self.refined is None:
            return sources
        return sources.plus(self.refined.slope_sources(users, histories).times(float(self._tau("refined"))))

    def new_item_parts(self, users: IntArray, histories: list[IntArray], guided: FloatArray) -> Parts:
        """Split the scores of items without interactions that the catalogue does not hold.

        They are scored like items without training interactions: the average of the base model's scores, nothing from
        item-kNN, the popularity of no interactions, and the cold offset; see `RefinedModel.new_item_parts`.
        """
        profile, trained_values = self._profiles(histories), None
        slopes = self._slopes(profile)
        gamma = self.learned.popularity.astype(np.float32)
        remainder = np.zeros((len(histories), len(guided)), np.float32)
        bias = np.full(len(guided), self.new_popularity @ gamma + np.float32(self.cold_offset))
        if self._base is not None:
            average, base_bias = self._base.new_item_parts(users, histories)
            tau = self._tau("base")
            remainder, bias = remainder + tau * average[:, None], bias + tau * base_bias
        if self.refined is not None:
            inner = self.refined.new_item_parts(users, histories, guided)
            tau = self._tau("refined")
            profile, trained_values = inner.profile, inner.trained_values
            slopes = slopes + tau * inner.slopes
            remainder, bias = remainder + tau * inner.remainder, bias + tau * inner.bias
        scores: FloatArray = slopes @ guided.T + remainder + bias
        return Parts(scores, profile, slopes, remainder, bias, trained_values)

    def new_item_remainders(self, guided: FloatArray) -> FloatArray | None:
        """Return the second block of their refined embedding, ``[n, K]``; None where attributes do not give it."""
        return None if self.refined is None else self.refined.new_item_remainders(guided)

    def with_item_value(self, item: int, value: FloatArray) -> Self:
        """Return the same head with another row of G, ``[A]``, for one item; all that was learned is shared."""
        other, values = copy.copy(self), self.guided.values.copy()
        values[item] = value
        other.guided = replace(self.guided, values=values)
        other.refined = None if self.refined is None else self.refined.with_item_value(item, value)
        return other

    def item_values(self) -> FloatArray:
        """Return the guided embedding G, ``[N, A]``."""
        return self.guided.values

    def item_remainders(self) -> FloatArray:
        """Return the second block of the refined embedding, ``[N, K]``."""
        return self.embedding

    def frozen(self) -> dict[str, np.ndarray]:
        """Return nothing: the models that a head combines are stored by themselves; see `arrays`."""
        return {}

    def weights(self) -> FloatArray:
        """Return how much each attribute's match counts, ``[A]``: the head's weight and a refined model's own.

        The head's is the coefficient of ``p_a g_ia`` in readable columns: the diagonal of ``mix diag(w) mix``.
        """
        own = (self.mix**2 @ self.learned.profile).astype(np.float32)
        return own if self.refined is None else own + self._tau("refined") * self.refined.weights()


def _standardised(interactions: npt.NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Return ``log(1 + interactions)`` with mean 0 and deviation 1 by column, and the value of no interactions."""
    popularity = np.log1p(interactions.astype(np.float64))
    mean, spread = popularity.mean(axis=0), np.maximum(popularity.std(axis=0), 1e-12)
    return ((popularity - mean) / spread).astype(np.float32), (-mean / spread).astype(np.float32)
