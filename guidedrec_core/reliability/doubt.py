"""Doubt: how much of a guided score counts, by how far repeated passes agree on it.

A score is the item's true one plus noise, and repeated passes show the noise. The best linear guess of the true score
lies between the attribute's mean and the score (Kelley 1927, Interpretation of Educational
Measurements: the regressed true score; the same shrinkage as for regressors measured with error):

    rho_ia = between_a / (between_a + s2_ia / k_ia)

between_a: variance of the true scores over items, that of the means over passes less their noise and never negative;
k_ia: passes that scored the item; s2_ia: variance of one pass on it, in which stricter passes count as noise, as they
do in ICC(2,1). s2_ia / k_ia is the noise of a mean. That of the median, which is in use, is up to half as large again
where noise is normal, and smaller where most passes say the same number.

A few passes say little about one item's variance, so it is shrunk towards the attribute's (empirical Bayes; Buehlmann's
credibility estimate, as in Smyth 2004 for variances): with v = k - 1 degrees of freedom,

    s2_ia = (v0 pooled_a + v s2) / (v0 + v),    v0 = 2 + 2 / c

c is the squared coefficient of variation of the items' true variances, estimated from the same passes. Where items
differ no more than by chance, c is 0 and all share the pooled variance; v0 is never below 2.

Agreement is not truth: an error that all passes share is not seen here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Doubt:
    """How much of each score counts.

    Attributes
    ----------
    weights : ndarray
        rho, float64 ``[n_items, A]``, 0..1.
    one_pass : ndarray
        rho of an item that was scored once, float64 ``[A]``; 1 where nothing is known.
    repeated : int
        Items with two scores or more on some attribute.
    """

    weights: FloatArray
    one_pass: FloatArray
    repeated: int

    def take(self, attributes: tuple[int, ...] | None) -> "Doubt":
        """Keep the attributes at some positions, in that order; None keeps all."""
        if attributes is None:
            return self
        return Doubt(self.weights[:, list(attributes)], self.one_pass[list(attributes)], self.repeated)


def score_doubt(
    raw: npt.NDArray[np.floating], passes: npt.NDArray[np.floating], certain: npt.NDArray[np.bool_]
) -> Doubt:
    """Compute how much of each score counts.

    Parameters
    ----------
    raw : ndarray
        Scores in use, ``[n_items, A]``; NaN = missing.
    passes : ndarray
        The passes behind them, ``[passes, n_items, A]``; NaN where a pass gave none. An item with fewer than two counts
        as scored once.
    certain : ndarray of bool
        ``[n_items, A]``; scores beyond doubt, such as those set by a person: they count in full.
    """
    counts = (~np.isnan(passes)).sum(axis=0)
    weights, one_pass = np.ones(raw.shape), np.ones(raw.shape[1])
    for a in range(raw.shape[1]):
        known, means, variances, pooled = ~np.isnan(raw[:, a]), *_each_item(passes[:, :, a].astype(np.float64))
        noise = np.where(certain[:, a], 0.0, variances / np.maximum(counts[:, a], 1))
        levels = np.where(certain[:, a] | (counts[:, a] < 2), raw[:, a], means)[known]
        total = float(levels.var(ddof=1)) if len(levels) > 1 else 0.0
        between = max(0.0, total - float(noise[known].mean())) if len(levels) else 0.0
        # A score without noise counts in full even where the items do not differ.
        weights[:, a] = np.where(noise > 0, between / np.where(noise > 0, between + noise, 1.0), 1.0)
        one_pass[a] = between / (between + pooled) if pooled > 0 else 1.0
    return Doubt(weights, one_pass, int((counts > 1).any(axis=1).sum()))


def _each_item(passes: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return the mean over passes and the variance of one pass on each item, and the variance pooled over items.

    Variances are 0 where nothing was scored twice.

    Parameters
    ----------
    passes : ndarray
        One attribute's, ``[passes, n_items]``; NaN where a pass gave no score.
    """
    known = ~np.isnan(passes)
    counts = known.sum(axis=0)
    freedom = np.maximum(counts - 1, 0)
    means = np.where(known, passes, 0.0).sum(axis=0) / np.maximum(counts, 1)
    squares = (np.where(known, passes - means, 0.0) ** 2).sum(axis=0)
    pooled = float(squares.sum() / max(int(freedom.sum()), 1))
    twice = freedom > 0
    if pooled == 0:
        return means, np.zeros(len(counts)), pooled
    own = squares[twice] / freedom[twice]
    # The square of a sample variance is larger than that of the true one by the factor 1 + 2 / freedom (normal noise).
    true_squares = np.average(own**2 / (1 + 2 / freedom[twice]), weights=freedom[twice])
    differ = max(0.0, float(true_squares) / pooled**2 - 1)
    if differ == 0:
        return means, np.full(len(counts), pooled), pooled
    prior = 2 + 2 / differ
    return means, (prior * pooled + squares) / (prior + freedom), pooled
