"""The head: guided scores on top of a frozen base model, without retraining it.

    score = tau * base + gamma * popularity + sum_a (w_a p_a + v_a) g_ia

base: the base model's score; popularity: log(1 + training interactions), standardised; p: the user's guided profile;
g: guided embedding. The 2A + 2 numbers are fitted on the validation targets by penalised maximum likelihood of a
softmax over all items the user has not seen; the base model is asked once.

Shapes: B histories, V validation cases, N items, A attributes.
"""

from dataclasses import dataclass
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
    temperature : float
        tau: how much of a base score counts.
    popularity : float
        gamma.
    profile : Doubles
        w, ``[A]``: how much the match of user and item on an attribute counts.
    everyone : Doubles
        v, ``[A]``: what an attribute adds for everyone.
    """

    temperature: float
    popularity: float
    profile: Doubles
    everyone: Doubles


class HeadModel:
    """Refined model that leaves its base as it is.

    Parameters
    ----------
    base : BaseModel or None
        Satisfies the models' `BaseModel`; None leaves popularity and attributes alone.
    embedding : FloatArray
        The base item embedding, ``[N, K]``: the other half of the refined embedding.
    guided : GuidedEmbedding
        G.
    popularity : FloatArray
        Standardised, ``[N]``.
    config : RefinementConfig
        Profile decay and shrinkage, penalty.
    """

    def __init__(
        self,
        base: Any,
        embedding: FloatArray,
        guided: GuidedEmbedding,
        popularity: FloatArray,
        config: RefinementConfig,
    ) -> None:
        self.base = base
        self.embedding = embedding
        self.guided = guided
        self.popularity = popularity
        self.config = config
        none = np.zeros(self.n_attributes)
        self.learned = HeadWeights(1.0, 0.0, none, none)

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
        seen = np.zeros((len(users), self.n_items), dtype=bool)
        seen[np.repeat(np.arange(len(users)), [len(h) for h in histories]), np.concatenate(histories)] = True
        base = np.zeros(seen.shape, np.float32) if self.base is None else self.base.scores(users, histories)
        profiles, guided = self._profiles(histories), self.guided.values
        self.learned = fit_head(base, seen, targets, self.popularity, profiles, guided, self.config.head_penalty)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was learned, ready to store."""
        return {name: np.atleast_1d(value) for name, value in vars(self.learned).items()}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take what `arrays` returned."""
        temperature, popularity = (float(arrays[name][0]) for name in ("temperature", "popularity"))
        self.learned = HeadWeights(temperature, popularity, arrays["profile"], arrays["everyone"])

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
        if self.base is not None:
            tau, own = np.float32(learned.temperature), self.base.item_bias()
            remainder, bias = tau * (self.base.scores(users, histories) - own), bias + tau * own
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
        return self.learned.profile.astype(np.float32)


def fit_head(
    base: FloatArray,
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
    base : FloatArray
        The base model's scores, ``[V, N]``.
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
        Precision of the normal prior around "the base model alone", on inputs scaled to spread 1.

    Returns
    -------
    HeadWeights
    """
    A = guided.shape[1]
    spread = _spread(base, seen)
    scaled = (base / spread).astype(np.float32)
    profile_spread = np.maximum(profiles.std(axis=0), 1e-6)
    unit_profiles = profiles / profile_spread
    cases = np.arange(len(targets))
    start = np.zeros(2 + 2 * A)
    start[0] = spread  # tau is 1

    def loss(x: Doubles) -> tuple[float, Doubles]:
        w, v = x[2 : 2 + A], x[2 + A :]
        logits = (w * unit_profiles + v).astype(np.float32) @ guided.T  # [V, N]
        logits += np.float32(x[0]) * scaled + np.float32(x[1]) * popularity
        logits[seen] = -np.inf
        own = logits[cases, targets].astype(np.float64)
        top = logits.max(axis=1, keepdims=True)
        share = np.exp(logits - top)
        size = share.sum(axis=1, keepdims=True)
        total = float((np.log(size[:, 0]) + top[:, 0] - own).sum())
        share /= size
        share[cases, targets] -= 1.0  # the loss's gradient by the logits
        towards = share @ guided  # [V, A]
        two = [float(np.vdot(share, scaled)), float((share @ popularity).sum())]
        gradient = np.concatenate([two, (towards * unit_profiles).sum(axis=0), towards.sum(axis=0)])
        away = x - start
        return total + 0.5 * penalty * float(away @ away), gradient.astype(np.float64) + penalty * away

    x = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": 1e-7}).x
    return HeadWeights(float(x[0]) / spread, float(x[1]), x[2 : 2 + A] / profile_spread, x[2 + A :])


def _spread(scores: FloatArray, seen: npt.NDArray[np.bool_]) -> float:
    """Return the root mean square distance of scores from their user's mean, over unseen items."""
    values = np.where(seen, 0.0, scores)
    count = np.maximum((~seen).sum(axis=1, keepdims=True), 1)
    centred = np.where(seen, 0.0, values - values.sum(axis=1, keepdims=True, dtype=np.float64) / count)
    return max(float(np.sqrt((centred**2).sum() / max(int((~seen).sum()), 1))), 1e-12)
