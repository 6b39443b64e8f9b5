"""The head: attributes weighed on held-out targets, on top of frozen models.

    score = sum_c tau_c score_c + gamma * popularity + sum_a (w_a p_a + v_a) g_ia

score_c: the base model's score, and that of a refined model trained over it, if there is one; popularity: log(1 +
training interactions), standardised; p: the user's guided profile; g: guided embedding, both whitened within the head.
These few numbers are fitted on the validation targets by penalised maximum likelihood of a softmax over all items the
user has not seen; the frozen models are asked once.

Why on the validation part: on training targets item vectors know the answer by heart, so that weights learned beside
them are too small. Why whitened: a weight an attribute cannot undo correlations. Whitened columns are linear in the
guided embedding, so all is told in its own, readable columns.

Shapes: B histories, V validation cases, C frozen models, N items, A attributes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.refinement.guided import FloatArray, GuidedEmbedding, whitening
from guidedrec_core.refinement.profiles import guided_profiles
from guidedrec_core.refinement.refined import Parts, RefinedModel

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HeadWeights:
    """What a head learned.

    Attributes
    ----------
    models : Doubles
        tau, ``[C]``: how much of each frozen model's score counts.
    popularity : float
        gamma.
    profile : Doubles
        w, ``[A]``: how much the match of user and item on a whitened attribute counts.
    everyone : Doubles
        v, ``[A]``: what a whitened attribute adds for everyone.
    """

    models: Doubles
    popularity: float
    profile: Doubles
    everyone: Doubles


class HeadModel:
    """Refined model that weighs a frozen base model, a refined model trained over it, and attributes.

    Parameters
    ----------
    base : BaseModel or None
        Satisfies the models' `BaseModel`.
    refined : RefinedModel or None
        Over the same guided embedding.
    embedding : FloatArray
        The other half of the refined embedding, ``[N, K]``.
    guided : GuidedEmbedding
        G.
    interactions : IntArray
        Training interactions of each item, ``[N]``.
    config : RefinementConfig
        Profile decay and shrinkage, penalty.
    ranks_cold : bool
        Give items without training interactions the average of the base model's scores, as it knows nothing of them,
        and an offset of their own; else they keep the base model's.
    """

    def __init__(
        self,
        base: Any,
        refined: RefinedModel | None,
        embedding: FloatArray,
        guided: GuidedEmbedding,
        interactions: IntArray,
        config: RefinementConfig,
        ranks_cold: bool = True,
    ) -> None:
        self.base = base
        self.refined = refined
        self.embedding = embedding
        self.guided = guided
        self.config = config
        self.ranks_cold = ranks_cold
        self.cold = (interactions == 0) & ranks_cold  # [N]
        self.cold_offset = 0.0
        popularity = np.log1p(interactions.astype(np.float64))
        self.popularity = ((popularity - popularity.mean()) / max(float(popularity.std()), 1e-12)).astype(np.float32)
        self.mix = whitening(guided.values.astype(np.float64)).astype(np.float32)  # [A, A], symmetric
        none = np.zeros(self.n_attributes)
        self.learned = HeadWeights(np.eye(1, self._n_models)[0], 0.0, none, none)

    @property
    def _n_models(self) -> int:
        """Number of frozen models, C."""
        return (self.base is not None) + (self.refined is not None)

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

    def _base_parts(self, users: IntArray, histories: list[IntArray]) -> tuple[FloatArray, FloatArray]:
        """Return the base model's scores without bias ``[B, N]`` and its bias ``[N]``, averages at cold items."""
        bias = self.base.item_bias()
        rest = self.base.scores(users, histories) - bias
        if self.cold.any() and not self.cold.all():
            bias = np.where(self.cold, bias[~self.cold].mean(), bias)
            rest = np.where(self.cold, rest[:, ~self.cold].mean(axis=1, keepdims=True), rest)
        return rest, bias

    def fit(self, users: IntArray, histories: list[IntArray], targets: IntArray) -> None:
        """Learn the weights from V validation cases: user indexes, what precedes each target, and its item index."""
        scores = np.empty((self._n_models, len(users), self.n_items), np.float32)
        if self.base is not None:
            rest, bias = self._base_parts(users, histories)
            scores[0] = rest + bias
        if self.refined is not None:
            scores[-1] = self.refined.scores(users, histories)
        seen = np.zeros((len(users), self.n_items), dtype=bool)
        seen[np.repeat(np.arange(len(users)), [len(h) for h in histories]), np.concatenate(histories)] = True
        profiles, guided = self._profiles(histories) @ self.mix, self.guided.values @ self.mix
        self.learned = fit_head(scores, seen, targets, self.popularity, profiles, guided, self.config.head_penalty)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was learned, ready to store."""
        learned = {name: np.atleast_1d(value) for name, value in vars(self.learned).items()}
        cold = {"ranks_cold": np.array([self.ranks_cold], np.uint8), "cold_offset": np.array([self.cold_offset])}
        return {**learned, **cold}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take what `arrays` returned."""
        popularity = float(arrays["popularity"][0])
        self.learned = HeadWeights(arrays["models"], popularity, arrays["profile"], arrays["everyone"])
        self.cold_offset = float(arrays["cold_offset"][0])

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, N]``."""
        return self.parts(users, histories).scores

    def parts(self, users: IntArray, histories: list[IntArray]) -> Parts:
        """Split the scores for each history."""
        learned, tau = self.learned, self.learned.models.astype(np.float32)
        profile = self._profiles(histories)
        whitened = learned.profile * (profile @ self.mix) + learned.everyone  # [B, A]
        slopes = whitened.astype(np.float32) @ self.mix
        bias = np.float32(learned.popularity) * self.popularity + np.float32(self.cold_offset) * self.cold
        remainder = np.zeros((len(histories), self.n_items), np.float32)
        if self.base is not None:
            rest, own = self._base_parts(users, histories)
            remainder, bias = tau[0] * rest, bias + tau[0] * own
        if self.refined is not None:
            inner = self.refined.parts(users, histories)
            profile, slopes = inner.profile, slopes + tau[-1] * inner.slopes
            remainder, bias = remainder + tau[-1] * inner.remainder, bias + tau[-1] * inner.bias
        scores: FloatArray = slopes @ self.guided.values.T + remainder + bias
        return Parts(scores, profile, slopes, remainder, bias)

    def item_values(self) -> FloatArray:
        """Return the guided embedding G, ``[N, A]``."""
        return self.guided.values

    def item_remainders(self) -> FloatArray:
        """Return the other half of the refined embedding, ``[N, K]``."""
        return self.embedding

    def weights(self) -> FloatArray:
        """Return how much each attribute's match counts, ``[A]``: the head's weight and a refined model's own.

        The head's is the coefficient of ``p_a g_ia`` in readable columns: the diagonal of ``mix diag(w) mix``.
        """
        own = (self.mix**2 @ self.learned.profile).astype(np.float32)
        return own if self.refined is None else own + np.float32(self.learned.models[-1]) * self.refined.weights()


def fit_head(
    scores: FloatArray,
    seen: npt.NDArray[np.bool_],
    targets: IntArray,
    popularity: FloatArray,
    profiles: FloatArray,
    guided: FloatArray,
    penalty: float,
) -> HeadWeights:
    """Fit the weights of a head.

    Parameters
    ----------
    scores : FloatArray
        Frozen models' scores, ``[C, V, N]``; C may be 0.
    seen : ndarray of bool
        Items not to be recommended, ``[V, N]``.
    targets : IntArray
        Item index each case must find, ``[V]``.
    popularity : FloatArray
        Standardised, ``[N]``.
    profiles : FloatArray
        p, ``[V, A]``.
    guided : FloatArray
        G, ``[N, A]``; A may be 0.
    penalty : float
        Precision of the normal prior around the average of the models alone, on inputs scaled to spread 1.

    Returns
    -------
    HeadWeights
    """
    C, A = len(scores), guided.shape[1]
    spreads = np.array([_spread(each, seen) for each in scores])
    scaled = scores / spreads[:, None, None].astype(np.float32)
    profile_spread = np.maximum(profiles.std(axis=0), 1e-6)
    unit_profiles = profiles / profile_spread
    cases = np.arange(len(targets))
    start = np.concatenate([spreads / max(C, 1), np.zeros(1 + 2 * A)])  # tau is 1 / C

    def loss(x: Doubles) -> tuple[float, Doubles]:
        tau, gamma, w, v = x[:C], x[C], x[C + 1 : C + 1 + A], x[C + 1 + A :]
        logits = (w * unit_profiles + v).astype(np.float32) @ guided.T + np.float32(gamma) * popularity  # [V, N]
        for each, weight in zip(scaled, tau, strict=True):
            logits += np.float32(weight) * each
        logits[seen] = -np.inf
        own = logits[cases, targets].astype(np.float64)
        top = logits.max(axis=1, keepdims=True)
        share = np.exp(logits - top)
        size = share.sum(axis=1, keepdims=True)
        total = float((np.log(size[:, 0]) + top[:, 0] - own).sum())
        share /= size
        share[cases, targets] -= 1.0  # the loss's gradient by the logits
        towards = share @ guided  # [V, A]
        few = [*(float(np.vdot(share, each)) for each in scaled), float((share @ popularity).sum())]
        gradient = np.concatenate([few, (towards * unit_profiles).sum(axis=0), towards.sum(axis=0)])
        away = x - start
        return total + 0.5 * penalty * float(away @ away), gradient.astype(np.float64) + penalty * away

    x = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": 1e-7}).x
    w, v = x[C + 1 : C + 1 + A], x[C + 1 + A :]
    return HeadWeights(x[:C] / spreads, float(x[C]), w / profile_spread, v)


def _spread(scores: FloatArray, seen: npt.NDArray[np.bool_]) -> float:
    """Return the root mean square distance of scores from their user's mean, over unseen items."""
    values = np.where(seen, 0.0, scores)
    count = np.maximum((~seen).sum(axis=1, keepdims=True), 1)
    centred = np.where(seen, 0.0, values - values.sum(axis=1, keepdims=True, dtype=np.float64) / count)
    return max(float(np.sqrt((centred**2).sum() / max(int((~seen).sum()), 1))), 1e-12)
