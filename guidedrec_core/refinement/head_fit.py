"""The fit of a head: the few weights that combine frozen models and attributes, by penalised maximum likelihood.

The likelihood is that of a softmax on validation cases over all items that a user has not seen, or over a sample of
them; see `head` for the formula and for why not on training targets. The fit is convex, and L-BFGS starts from the
average of the models. The weight of a frozen model is never negative: on other cases, a model that is right there
would be turned against itself.

With a sample, a case is compared with its target and with items drawn with probabilities q, each score lowered by
log q. This is sampling of alternatives (McFadden, 1978): whatever the number drawn, its maximum tends to the same
weights as that of the whole catalogue.

Shapes: V validation cases, b of a block, C frozen models, P kinds of popularity, N items, n of a block, A attributes.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

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
        Largest absolute component of the gradient of the penalised loss at the end, without those that would take a
        weight below its bound: nats over all V cases, per unit of a weight on inputs scaled to deviation 1.
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
        tau, ``[C]``: weight of each frozen model's score, 0 or more.
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


@dataclass(frozen=True)
class Block:
    """Some validation cases, and the candidates that their targets are compared with.

    Attributes
    ----------
    scores : FloatArray
        Frozen models' scores of the candidates, ``[C, b, n]``; C may be 0.
    items : IntArray or None
        Item index of each candidate, ``[n]``; None is the whole catalogue in its order.
    barred : ndarray of bool
        Candidates that a case is not compared with, ``[b, n]``: items its user has seen, and other cases' targets.
    targets : IntArray
        Column of each case's target, ``[b]``.
    profiles : FloatArray
        p, whitened, ``[b, A]``.
    shift : FloatArray
        Added to every score of a candidate, ``[n]``: minus the logarithm of its probability to be drawn, or 0.
    """

    scores: FloatArray
    items: IntArray | None
    barred: npt.NDArray[np.bool_]
    targets: IntArray
    profiles: FloatArray
    shift: FloatArray


@dataclass(frozen=True)
class Form:
    """Which terms a head has besides the models.

    Attributes
    ----------
    neighbours, popularity, attributes : bool
        Whether item-kNN, popularity and attributes may have weights other than 0.
    """

    neighbours: bool = True
    popularity: bool = True
    attributes: bool = True


WHOLE = Form()
"""Every term."""


class HeadFit:
    """The fits of a head's weights on the same blocks of cases, of any form.

    Parameters
    ----------
    blocks : sequence of Block
        At least one. Their scores are scaled in place, to a deviation of 1.
    start : Doubles
        Initial weights of the models, ``[C]``, and the mean of their prior.
    popularity : FloatArray
        Standardised, ``[N, P]``.
    guided : FloatArray
        G, whitened, ``[N, A]``; A may be 0.
    penalty : float
        Precision of the normal prior, whose mean is `start` for the models and 0 for the rest, on inputs scaled to
        deviation 1.
    neighbours : ndarray of bool
        Which of the models is item-kNN, ``[C]``.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        start: Doubles,
        popularity: FloatArray,
        guided: FloatArray,
        penalty: float,
        neighbours: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._blocks = blocks
        self._popularity, self._guided, self._penalty = popularity, guided, penalty
        self._neighbours = np.zeros(len(start), dtype=bool) if neighbours is None else neighbours
        self._spreads = _spreads(blocks)
        for block in blocks:
            block.scores[:] /= self._spreads[:, None, None].astype(np.float32)
        profiles = np.concatenate([block.profiles for block in blocks])
        self._profile_spread = np.maximum(profiles.std(axis=0), 1e-6)
        C, P, A = len(start), popularity.shape[1], guided.shape[1]
        self._ends = np.cumsum([C, P, A])
        self._first = np.concatenate([start * self._spreads, np.zeros(P + 2 * A)])

    def weights(
        self, form: Form = WHOLE, among: Sequence[int] | None = None, near: HeadWeights | None = None
    ) -> HeadWeights:
        """Fit the weights of one form.

        Parameters
        ----------
        form : Form
            What may have weights.
        among : sequence of int, optional
            Positions of the blocks fitted on; all by default.
        near : HeadWeights, optional
            Where the search starts, such as the weights of another form.
        """
        blocks = self._blocks if among is None else [self._blocks[place] for place in among]
        bounds = self._bounds(form)
        first = self._first if near is None else self._scaled(near)
        lowest, highest = bounds.T
        options = {"maxiter": MAX_ITERATIONS, "ftol": 1e-7}
        start = np.clip(first, lowest, highest)
        # One thread, so that sums do not depend on the machine; the products are small, and threads only wait for each
        # other where other programs are busy.
        with threadpool_limits(1, "blas"):
            fit = minimize(
                self._loss, start, args=(blocks,), jac=True, method="L-BFGS-B", bounds=bounds, options=options
            )
        slopes = fit.get("jac", np.zeros(len(start)))  # there is none where nothing may have a weight
        held = ((fit.x <= lowest) & (slopes > 0)) | (lowest == highest)
        steepest = float(np.abs(np.where(held, 0.0, slopes)).max(initial=0.0))
        tau, gamma, w, v = np.split(fit.x, self._ends)
        convergence = Convergence(bool(fit.success), int(fit.get("nit", 0)), steepest)
        return HeadWeights(tau / self._spreads, gamma, w / self._profile_spread, v, convergence)

    def _scaled(self, weights: HeadWeights) -> Doubles:
        """Return weights on inputs scaled to deviation 1, in one array."""
        models, profile = weights.models * self._spreads, weights.profile * self._profile_spread
        return np.concatenate([models, weights.popularity, profile, weights.everyone])

    def _bounds(self, form: Form) -> Doubles:
        """Return the least and the largest value of each weight, ``[C + P + 2 A, 2]``; both 0 for what has no part."""
        C, P, A = (int(n) for n in np.diff(self._ends, prepend=0))
        others = np.repeat([form.popularity, form.attributes], [P, 2 * A])
        allowed = np.concatenate([~self._neighbours | form.neighbours, others])
        bounds: Doubles = np.where(allowed[:, None], [-np.inf, np.inf], 0.0)
        # Recent popularity against that of all times is a trend, which may go down; popularity alone may not.
        n_positive = C + P if P == 1 else C
        bounds[:n_positive, 0] = 0.0
        return bounds

    def _loss(self, x: Doubles, blocks: Sequence[Block]) -> tuple[float, Doubles]:
        """Return the penalised negative log-likelihood of some blocks, and its gradient."""
        distance = x - self._first
        total, gradient = 0.5 * self._penalty * float(distance @ distance), self._penalty * distance
        for block in blocks:
            loss, slope = self._block_loss(x, block)
            total, gradient = total + loss, gradient + slope
        return total, gradient

    def _block_loss(self, x: Doubles, block: Block) -> tuple[float, Doubles]:
        """Return the negative log-likelihood of one block, and its gradient."""
        tau, gamma, w, v = np.split(x, self._ends)
        guided, popularity = self._guided, self._popularity
        if block.items is not None:
            guided, popularity = guided[block.items], popularity[block.items]
        profiles, cases = block.profiles / self._profile_spread, np.arange(len(block.targets))
        logits = (w * profiles + v).astype(np.float32) @ guided.T  # [b, n]
        logits += popularity @ gamma.astype(np.float32) + block.shift
        for each, weight in zip(block.scores, tau, strict=True):
            logits += np.float32(weight) * each
        logits[block.barred] = -np.inf
        own = logits[cases, block.targets].astype(np.float64)
        top = logits.max(axis=1, keepdims=True)
        share = np.exp(logits - top)
        size = share.sum(axis=1, keepdims=True)
        loss = float((np.log(size[:, 0]) + top[:, 0] - own).sum())
        share /= size
        share[cases, block.targets] -= 1.0  # gradient of the loss with respect to the logits
        by_attribute = share @ guided  # [b, A]
        by_score = [*(float(np.vdot(share, each)) for each in block.scores), *(share @ popularity).sum(axis=0)]
        slopes = [by_score, (by_attribute * profiles).sum(axis=0), by_attribute.sum(axis=0)]
        return loss, np.concatenate(slopes).astype(np.float64)


def _spreads(blocks: Sequence[Block]) -> Doubles:
    """Return each model's root mean square distance of scores from their user's mean over candidates, ``[C]``."""
    squares, count = np.zeros(len(blocks[0].scores)), 0
    for block in blocks:
        allowed = ~block.barred
        sizes = np.maximum(allowed.sum(axis=1, keepdims=True), 1)
        for model, scores in enumerate(block.scores):
            values = np.where(allowed, scores, 0.0)
            centred = np.where(allowed, values - values.sum(axis=1, keepdims=True, dtype=np.float64) / sizes, 0.0)
            squares[model] += (centred**2).sum()
        count += int(allowed.sum())
    spreads: Doubles = np.maximum(np.sqrt(squares / max(count, 1)), 1e-12)
    return spreads
