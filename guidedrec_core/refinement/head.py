"""The head: guided scores on top of frozen recommenders, without retraining them.

    score = sum_c tau_c score_c + gamma * popularity + sum_a (w_a p_a + v_a) g_ia

score_c: a frozen model's score (the base model's, and others' put beside it); popularity: log(1 + training
interactions), standardised; p: the user's guided profile; g: guided embedding. These few numbers are fitted on the
validation targets by penalised maximum likelihood of a softmax over all items the user has not seen; the frozen models
are asked once.

Shapes: B histories, V validation cases, C frozen models, N items, A attributes.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.refinement.guided import FloatArray, GuidedEmbedding
from guidedrec_core.refinement.profiles import guided_profiles
from guidedrec_core.refinement.refined import Parts

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
        w, ``[A]``: how much the match of user and item on an attribute counts.
    everyone : Doubles
        v, ``[A]``: what an attribute adds for everyone.
    """

    models: Doubles
    popularity: float
    profile: Doubles
    everyone: Doubles


class HeadModel:
    """Refined model that leaves its base as it is.

    Parameters
    ----------
    models : list
        Recommenders, the base model first. One with `parts` is split further, one with `item_bias` in two.
    embedding : FloatArray
        The base item embedding, ``[N, K]``: the other half of the refined embedding.
    guided : GuidedEmbedding
        G, the same as that of a refined model among `models`.
    popularity : FloatArray
        Standardised, ``[N]``.
    config : RefinementConfig
        Profile decay and shrinkage, penalty.
    attributes : bool
        Let the head weigh attributes; False where a refined model among `models` does that.
    """

    def __init__(
        self,
        models: list[Any],
        embedding: FloatArray,
        guided: GuidedEmbedding,
        popularity: FloatArray,
        config: RefinementConfig,
        attributes: bool = True,
    ) -> None:
        self.models = models
        self.embedding = embedding
        self.guided = guided
        self.popularity = popularity
        self.config = config
        self.attributes = attributes
        none = np.zeros(self.n_attributes)
        self.learned = HeadWeights(np.eye(1, len(models))[0], 0.0, none, none)

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

    def fit(self, users: IntArray, histories: list[IntArray], targets: IntArray) -> None:
        """Learn the weights from V validation cases: user indexes, what precedes each target, and its item index."""
        scores = np.zeros((len(self.models), len(users), self.n_items), np.float32)
        for place, model in enumerate(self.models):
            scores[place] = model.scores(users, histories)
        seen = np.zeros((len(users), self.n_items), dtype=bool)
        seen[np.repeat(np.arange(len(users)), [len(h) for h in histories]), np.concatenate(histories)] = True
        used = slice(None) if self.attributes else slice(0)
        profiles, guided = self._profiles(histories)[:, used], self.guided.values[:, used]
        learned = fit_head(scores, seen, targets, self.popularity, profiles, guided, self.config.head_penalty)
        unused = (0, self.n_attributes - guided.shape[1])
        self.learned = replace(
            learned, profile=np.pad(learned.profile, unused), everyone=np.pad(learned.everyone, unused)
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was learned, ready to store."""
        return {name: np.atleast_1d(value) for name, value in vars(self.learned).items()}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take what `arrays` returned."""
        popularity = float(arrays["popularity"][0])
        self.learned = HeadWeights(arrays["models"], popularity, arrays["profile"], arrays["everyone"])

    def scores(self, users: IntArray, histories: list[IntArray]) -> FloatArray:
        """Score all items for each history, ``[B, N]``."""
        return self.parts(users, histories).scores

    def parts(self, users: IntArray, histories: list[IntArray]) -> Parts:
        """Split the scores for each history."""
        learned = self.learned
        profile = self._profiles(histories)
        slopes = (learned.profile * profile + learned.everyone).astype(np.float32)  # [B, A]
        bias = np.float32(learned.popularity) * self.popularity
        remainder = np.zeros((len(histories), self.n_items), np.float32)
        for tau, model in zip(learned.models.astype(np.float32), self.models, strict=True):
            if hasattr(model, "parts"):
                inner: Parts = model.parts(users, histories)
                profile, slopes = inner.profile, slopes + tau * inner.slopes
                remainder, bias = remainder + tau * inner.remainder, bias + tau * inner.bias
            elif hasattr(model, "item_bias"):
                own = model.item_bias()
                remainder, bias = remainder + tau * (model.scores(users, histories) - own), bias + tau * own
            else:
                remainder = remainder + tau * model.scores(users, histories)
        scores: FloatArray = slopes @ self.guided.values.T + remainder + bias
        return Parts(scores, profile, slopes, remainder, bias)

    def item_values(self) -> FloatArray:
        """Return the guided embedding G, ``[N, A]``."""
        return self.guided.values

    def item_remainders(self) -> FloatArray:
        """Return the base item embedding, ``[N, K]``."""
        return self.embedding

    def weights(self) -> FloatArray:
        """Return the learned weight w of each attribute, ``[A]``."""
        weights = self.learned.profile.astype(np.float32)
        for tau, model in zip(self.learned.models.astype(np.float32), self.models, strict=True):
            if hasattr(model, "parts"):
                weights = weights + tau * model.weights()
        return weights


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
        Frozen models' scores, ``[C, V, N]``.
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
        Precision of the normal prior around "the first model alone", on inputs scaled to spread 1.

    Returns
    -------
    HeadWeights
    """
    C, A = len(scores), guided.shape[1]
    spreads = np.array([_spread(s, seen) for s in scores]) if C else np.zeros(0)
    scaled = scores / spreads[:, None, None].astype(np.float32)
    profile_spread = np.maximum(profiles.std(axis=0), 1e-6)
    unit_profiles = profiles / profile_spread
    cases = np.arange(len(targets))
    start = np.zeros(C + 1 + 2 * A)
    start[: min(C, 1)] = spreads[:1]  # tau of the first model is 1

    def loss(x: Doubles) -> tuple[float, Doubles]:
        tau, gamma, w, v = x[:C], x[C], x[C + 1 : C + 1 + A], x[C + 1 + A :]
        logits = ((w * unit_profiles + v).astype(np.float32) @ guided.T) + np.float32(gamma) * popularity  # [V, N]
        for c in range(C):
            logits += np.float32(tau[c]) * scaled[c]
        logits[seen] = -np.inf
        own = logits[cases, targets].astype(np.float64)
        top = logits.max(axis=1, keepdims=True)
        share = np.exp(logits - top)
        size = share.sum(axis=1, keepdims=True)
        total = float((np.log(size[:, 0]) + top[:, 0] - own).sum())
        share /= size
        share[cases, targets] -= 1.0  # the loss's gradient by the logits
        towards = share @ guided  # [V, A]
        by_model = [float(np.vdot(share, scaled[c])) for c in range(C)]
        by_popularity = float((share @ popularity).sum())
        by_attribute = [(towards * unit_profiles).sum(axis=0), towards.sum(axis=0)]
        gradient = np.concatenate([by_model, [by_popularity], *by_attribute]).astype(np.float64)
        away = x - start
        return total + 0.5 * penalty * float(away @ away), gradient + penalty * away

    x = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": 1e-7}).x
    w, v = x[C + 1 : C + 1 + A], x[C + 1 + A :]
    return HeadWeights(x[:C] / spreads, float(x[C]), w / profile_spread, v)


def _spread(scores: FloatArray, seen: npt.NDArray[np.bool_]) -> float:
    """Return the root mean square distance of scores from their user's mean, over unseen items."""
    values = np.where(seen, 0.0, scores)
    count = np.maximum((~seen).sum(axis=1, keepdims=True), 1)
    centred = np.where(seen, 0.0, values - values.sum(axis=1, keepdims=True, dtype=np.float64) / count)
    return max(float(np.sqrt((centred**2).sum() / max(int((~seen).sum()), 1))), 1e-12)
