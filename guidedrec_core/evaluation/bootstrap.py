"""Paired bootstrap over users: how sure an average and a difference of averages are (Efron and Tibshirani, 1993)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray

FloatArray = npt.NDArray[np.float64]

# Resamples drawn at a time; bounds memory to this many numbers a user.
_BLOCK = 100
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % percentile interval."""

    value: float
    low: float
    high: float


class UserBootstrap:
    """Resampled means of several columns; all columns share the same resamples, so differences are paired.

    Parameters
    ----------
    values : FloatArray
        ``[n_cases, n_columns]``, e.g. one column for each model and metric.
    users : IntArray
        User of each case, ``[n_cases]``; a user's cases are drawn together.
    samples : int
        Resamples.
    rng : numpy.random.Generator
        Source of the resamples.
    """

    def __init__(self, values: FloatArray, users: IntArray, samples: int, rng: np.random.Generator) -> None:
        _, cluster = np.unique(users, return_inverse=True)
        n_users = int(cluster.max()) + 1
        sizes = np.bincount(cluster, minlength=n_users).astype(np.float64)  # [n_users]
        sums = np.zeros((n_users, values.shape[1]))
        np.add.at(sums, cluster, values)
        self.means = values.mean(axis=0)
        resampled = []
        for first in range(0, samples, _BLOCK):
            count = min(_BLOCK, samples - first)
            draws = rng.multinomial(n_users, np.full(n_users, 1.0 / n_users), size=count).astype(np.float64)
            resampled.append((draws @ sums) / (draws @ sizes)[:, None])
        self.resampled = np.concatenate(resampled)  # [samples, n_columns]

    def mean(self, column: int) -> Interval:
        """Return a column's mean with its interval."""
        low, high = np.percentile(self.resampled[:, column], _INTERVAL)
        return Interval(float(self.means[column]), float(low), float(high))

    def difference(self, column: int, against: int) -> Interval:
        """Return the paired difference of two columns' means."""
        low, high = np.percentile(self.resampled[:, column] - self.resampled[:, against], _INTERVAL)
        return Interval(float(self.means[column] - self.means[against]), float(low), float(high))

    def relative(self, column: int, against: int) -> Interval | None:
        """Return the difference as a share of the second mean; None when that mean is 0 in some resample."""
        base = self.resampled[:, against]
        if self.means[against] <= 0 or (base <= 0).any():
            return None
        low, high = np.percentile(self.resampled[:, column] / base - 1.0, _INTERVAL)
        return Interval(float(self.means[column] / self.means[against] - 1.0), float(low), float(high))
