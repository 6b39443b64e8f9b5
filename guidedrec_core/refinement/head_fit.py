"""The fit of a head: the few weights that combine frozen models and attributes, by penalised maximum likelihood.

The likelihood is that of a softmax over all items a user has not seen, on validation cases; see `head` for the formula
and for why not on training targets. The fit is convex, and L-BFGS starts from the average of the models.

Shapes: V validation cases, C frozen models, P kinds of popularity, N items, A attributes.
"""

from dataclasses import astuple, dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.refinement.guided import FloatArray

Doubles = npt.NDArray[np.float64]

MAX_ITERATIONS = 200
"""Iterations of L-BFGS at most. Fits of the bundled shop take 7 to 17."""


@dataclass(frozen=True)
class Convergence:
    """How the fit of a head's weights ended.

    Attributes
    ----------
    converged : bool
        The loss stopped falling; False where the limit of iterations, or the precision of float32, ended the fit first.
    iterations : int
        Of L-BFGS.
    gradient_norm : float
        Largest absolute component of the gradient of the penalised loss at the end: nats over all V cases, per unit of
        a weight on inputs scaled to deviation 1.
    """

    converged: bool
    iterations: int
    gradient_norm: float


@dataclass(frozen=True)
class HeadWeights:
    """The fitted weights of a head.

    Attributes
    ----------
    models : Doubles
        tau, ``[C]``: weight of each frozen model's score.
    popularity : Doubles
        gamma, ``[P]``.
    profile : Doubles
        w, ``[A]``: weight of the product of user's and item's value on a whitened attribute.
    everyone : Doubles
        v, ``[A]``: weight of an item's value on a whitened attribute, the same for all users.
    convergence : Convergence or None
        None before the fit, and for weights stored before it was recorded.
    """

    models: Doubles
    popularity: Doubles
    profile: Doubles
    everyone: Doubles
    convergence: Convergence | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights ready to store; `convergence` as its three numbers, where it is known."""
        arrays = {name: value for name, value in vars(self).items() if name != "convergence"}
        if self.convergence is not None:
            arrays["convergence"] = np.array(astuple(self.convergence), dtype=np.float64)
        return arrays

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Make weights from what `arrays` returned; other entries are ignored."""
        weights = cls(arrays["models"], arrays["popularity"], arrays["profile"], arrays["everyone"])
        if "convergence" not in arrays:
            return weights
        converged, iterations, gradient_norm = arrays["convergence"].tolist()
        return replace(weights, convergence=Convergence(bool(converged), int(iterations), gradient_norm))


def fit_head(
    scores: FloatArray,
    start: Doubles,
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
        Frozen models' scores, ``[C, V, N]``; C may be 0. Scaled in place.
    start : Doubles
        Initial weights of the models, ``[C]``, and the mean of their prior.
    seen : ndarray of bool
        Items not to be recommended, ``[V, N]``.
    targets : IntArray
        Item index of each case's target, ``[V]``.
    popularity : FloatArray
        Standardised, ``[N, P]``.
    profiles : FloatArray
        p, ``[V, A]``.
    guided : FloatArray
        G, ``[N, A]``; A may be 0.
    penalty : float
        Precision of the normal prior, whose mean is `start` for the models and 0 for the rest, on inputs scaled to
        deviation 1.

    Returns
    -------
    HeadWeights
    """
    C, P, A = len(scores), popularity.shape[1], guided.shape[1]
    spreads = np.array([_spread(each, seen) for each in scores])
    scores /= spreads[:, None, None].astype(np.float32)
    profile_spread = np.maximum(profiles.std(axis=0), 1e-6)
    unit_profiles = profiles / profile_spread
    cases = np.arange(len(targets))
    first = np.concatenate([start * spreads, np.zeros(P + 2 * A)])
    ends = np.cumsum([C, P, A])

    def loss(x: Doubles) -> tuple[float, Doubles]:
        tau, gamma, w, v = np.split(x, ends)
        logits = (w * unit_profiles + v).astype(np.float32) @ guided.T  # [V, N]
        logits += popularity @ gamma.astype(np.float32)
        for each, weight in zip(scores, tau, strict=True):
            logits += np.float32(weight) * each
        logits[seen] = -np.inf
        own = logits[cases, targets].astype(np.float64)
        top = logits.max(axis=1, keepdims=True)
        share = np.exp(logits - top)
        size = share.sum(axis=1, keepdims=True)
        total = float((np.log(size[:, 0]) + top[:, 0] - own).sum())
        share /= size
        share[cases, targets] -= 1.0  # gradient of the loss with respect to the logits
        by_attribute = share @ guided  # [V, A]
        by_score = [*(float(np.vdot(share, each)) for each in scores), *(share @ popularity).sum(axis=0)]  # [C + P]
        gradient = np.concatenate([by_score, (by_attribute * unit_profiles).sum(axis=0), by_attribute.sum(axis=0)])
        distance = x - first
        return total + 0.5 * penalty * float(distance @ distance), gradient.astype(np.float64) + penalty * distance

    options = {"maxiter": MAX_ITERATIONS, "ftol": 1e-7}
    fit = minimize(loss, first, jac=True, method="L-BFGS-B", options=options)
    convergence = Convergence(bool(fit.success), int(fit.nit), float(np.abs(fit.jac).max(initial=0.0)))
    tau, gamma, w, v = np.split(fit.x, ends)
    return HeadWeights(tau / spreads, gamma, w / profile_spread, v, convergence)


def _spread(scores: FloatArray, seen: npt.NDArray[np.bool_]) -> float:
    """Return the root mean square distance of scores from their user's mean, over unseen items."""
    values = np.where(seen, 0.0, scores)
    count = np.maximum((~seen).sum(axis=1, keepdims=True), 1)
    centred = np.where(seen, 0.0, values - values.sum(axis=1, keepdims=True, dtype=np.float64) / count)
    return max(float(np.sqrt((centred**2).sum() / max(int((~seen).sum()), 1))), 1e-12)
