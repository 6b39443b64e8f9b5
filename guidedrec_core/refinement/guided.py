"""Guided embedding: raw guided scores on one scale, each column still its attribute."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import DataError

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Standardisation:
    """How raw scores become the guided embedding: fitted on a catalogue, the same for items that come later.

    Attributes
    ----------
    mean, scale : ndarray
        Raw mean and standard deviation of each attribute over scored items, float64 ``[A]``; the mean is weighted where
        scores are.
    mix : ndarray or None
        ZCA matrix of the z-scores, float64 ``[A, A]``; None leaves them as they are.
    shift : ndarray
        Subtracted from the mixed columns, so that the mean of known scores is 0, float64 ``[A]``.
    """

    mean: Doubles
    scale: Doubles
    mix: Doubles | None
    shift: Doubles

    @classmethod
    def of(
        cls, raw: FloatArray, normalisation: Literal["z", "white"] = "z", weights: Doubles | None = None
    ) -> "Standardisation":
        """Fit on raw scores; see `GuidedEmbedding.of`."""
        missing = np.isnan(raw)
        if missing.all(axis=0).any():
            raise DataError(
                f"attributes in columns {np.flatnonzero(missing.all(axis=0)).tolist()} have no scores at all"
            )
        mean, scale = _moments(raw)
        if (scale == 0).any():
            raise DataError(
                f"attributes in columns {np.flatnonzero(scale == 0).tolist()} have the same score for every item; "
                "remove them from the schema"
            )
        plain = cls(mean, scale, None, np.zeros(len(mean)))
        centre = mean if weights is None else _weighted_mean(raw, weights, mean)
        if normalisation == "z":
            return cls(centre, scale, None, plain.shift)
        # Of the scores without weights: whitening the weighted ones would scale them up again.
        mix = whitening(plain._mixed(raw))
        # A missing score stays the attribute's mean, so the mean of the known ones must be 0 again.
        mixed = cls(centre, scale, mix, plain.shift)._mixed(raw, weights)
        return cls(centre, scale, mix, np.where(missing, 0.0, mixed).sum(axis=0) / (~missing).sum(axis=0))

    def apply(self, raw: FloatArray, weights: Doubles | None = None) -> FloatArray:
        """Normalise raw scores ``[n, A]``; missing ones become 0, the attribute's mean.

        Parameters
        ----------
        raw : FloatArray
            NaN = missing.
        weights : ndarray, optional
            Weight of each score, 0..1, ``[n, A]``, or ``[A]`` where all rows have the same; the remaining weight goes
            to the attribute's mean.
        """
        return np.where(np.isnan(raw), 0.0, self._mixed(raw, weights) - self.shift).astype(np.float32)

    def _mixed(self, raw: FloatArray, weights: Doubles | None = None) -> Doubles:
        """Return z-scores, 0 where missing, with weights applied and whitened where configured; ``[n, A]``."""
        z: Doubles = np.where(np.isnan(raw), 0.0, (raw - self.mean) / self.scale)
        z = z if weights is None else z * weights
        return z if self.mix is None else z @ self.mix


@dataclass(frozen=True)
class GuidedEmbedding:
    """Normalised guided scores of all items, G.

    Attributes
    ----------
    values : FloatArray
        ``[n_items, n_attributes]``, mean 0 in each column; 0 where the score was missing.
    missing : ndarray of bool
        ``[n_items, n_attributes]``; True where there is no score and ``values`` holds the attribute's mean.
    mean, scale : FloatArray
        Raw mean and standard deviation of each attribute over scored items, ``[n_attributes]``.
    moments : ndarray or None
        Where scores are weighted: second moments of the table without weights, float64
        ``[n_attributes, n_attributes]``. Whitening must use these: with the moments of the weighted table it would
        scale up again what the weights have scaled down.
    """

    values: FloatArray
    missing: npt.NDArray[np.bool_]
    mean: FloatArray
    scale: FloatArray
    moments: Doubles | None = None

    @classmethod
    def of(
        cls, raw: FloatArray, normalisation: Literal["z", "white"] = "z", weights: Doubles | None = None
    ) -> "GuidedEmbedding":
        """Normalise raw scores.

        Parameters
        ----------
        raw : FloatArray
            ``[n_items, n_attributes]`` on the schema's scale; NaN = missing.
        normalisation : {"z", "white"}
            ``"z"``: z-scores over items. ``"white"``: ZCA-whitened z-scores, uncorrelated, each column the closest
            to its own attribute (Kessy, Lewin and Strimmer, The American Statistician 2018).
        weights : ndarray, optional
            Weight of each score, 0..1, ``[n_items, n_attributes]``; see `reliability.doubt`. A z-score is multiplied by
            its weight, before any whitening. The means are weighted, too, so that columns keep mean 0.

        Raises
        ------
        DataError
            An attribute has no scores, or the same score everywhere: it cannot tell items apart.
        """
        how = Standardisation.of(raw, normalisation, weights)
        table = how.apply(raw, weights), np.isnan(raw), how.mean.astype(np.float32), how.scale.astype(np.float32)
        if weights is None:
            return cls(*table)
        full = cls.of(raw, normalisation).values.astype(np.float64)
        return cls(*table, moments=full.T @ full / len(full))

    def shuffled(self, rng: np.random.Generator) -> "GuidedEmbedding":
        """Permute the rows over items: the placebo, the same numbers without their meaning."""
        order = rng.permutation(len(self.values))
        return GuidedEmbedding(self.values[order], self.missing[order], self.mean, self.scale, self.moments)

    def take(self, attributes: list[int]) -> "GuidedEmbedding":
        """Keep some attributes; an empty list leaves none, as the second-training control needs."""
        return GuidedEmbedding(
            self.values[:, attributes],
            self.missing[:, attributes],
            self.mean[attributes],
            self.scale[attributes],
            None if self.moments is None else self.moments[np.ix_(attributes, attributes)],
        )

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return what a model needs of it, ready to store."""
        table: dict[str, npt.NDArray[np.generic]] = {"values": self.values, "missing": self.missing.astype(np.uint8)}
        return table if self.moments is None else {**table, "moments": self.moments}

    def whitener(self) -> Doubles:
        """Return the ZCA matrix of the columns; where scores are weighted, that of the columns without weights."""
        return whitening(self.values.astype(np.float64)) if self.moments is None else _inverse_root(self.moments)


def standardise_user_scores(raw: FloatArray) -> FloatArray:
    """Turn raw user scores into z-scores over users; missing ones become 0, the average user.

    Parameters
    ----------
    raw : FloatArray
        ``[n_users, n_attributes]``; NaN = missing.
    """
    mean, scale = _moments(raw)
    z = (raw - mean) / np.where(scale > 0, scale, 1.0)
    return np.nan_to_num(z, nan=0.0).astype(np.float32)


def _moments(raw: FloatArray) -> tuple[Doubles, Doubles]:
    """Return mean and standard deviation of each column's known values; 0 where there are none.

    Sums of float32 values are exact in float64, so equal values have a spread of exactly 0.
    """
    known, values = ~np.isnan(raw), raw.astype(np.float64)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, scale


def _weighted_mean(raw: FloatArray, weights: Doubles, otherwise: Doubles) -> Doubles:
    """Return the weighted mean of each column's known values; `otherwise` where none has any weight."""
    used = np.where(np.isnan(raw), 0.0, weights)
    total = used.sum(axis=0)
    sums = (used * np.nan_to_num(raw.astype(np.float64), nan=0.0)).sum(axis=0)
    return np.where(total > 0, sums / np.where(total > 0, total, 1.0), otherwise)


def whitening(z: Doubles) -> Doubles:
    """Return the ZCA matrix of centred columns, ``[A, A]``, symmetric.

    Directions without variance, as between an attribute and its copy, become 0: nothing can be learned along them.
    """
    if not z.size:
        return np.zeros((z.shape[1], z.shape[1]))
    return _inverse_root(z.T @ z / len(z))


def _inverse_root(moments: Doubles) -> Doubles:
    """Return the inverse square root of second moments; 0 along directions without variance."""
    if not moments.size:
        return moments
    values, vectors = np.linalg.eigh(moments)
    varies = values > 1e-6 * values.max()
    factors = varies / np.sqrt(np.where(varies, values, 1.0))
    matrix: Doubles = (vectors * factors) @ vectors.T
    return matrix
