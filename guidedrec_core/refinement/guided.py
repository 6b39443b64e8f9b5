"""Guided embedding: raw guided scores on one scale, each column still its attribute."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import DataError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Standardisation:
    """How raw scores become the guided embedding: fitted on a catalogue, the same for items that come later.

    Attributes
    ----------
    mean, scale : ndarray
        Raw mean and standard deviation of each attribute over scored items, float64 ``[A]``.
    mix : ndarray or None
        ZCA matrix of the z-scores, float64 ``[A, A]``; None leaves them as they are.
    shift : ndarray
        What is taken off the mixed columns, so that the mean of known scores is 0, float64 ``[A]``.
    """

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    mix: npt.NDArray[np.float64] | None
    shift: npt.NDArray[np.float64]

    @classmethod
    def of(cls, raw: FloatArray, normalisation: Literal["z", "white"] = "z") -> "Standardisation":
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
        if normalisation == "z":
            return plain
        mix = whitening(plain._mixed(raw))
        # A missing score stays the attribute's mean, so the mean of the known ones must be 0 again.
        mixed = cls(mean, scale, mix, plain.shift)._mixed(raw)
        return cls(mean, scale, mix, np.where(missing, 0.0, mixed).sum(axis=0) / (~missing).sum(axis=0))

    def apply(self, raw: FloatArray) -> FloatArray:
        """Normalise raw scores ``[n, A]``; missing ones become 0, the attribute's mean."""
        return np.where(np.isnan(raw), 0.0, self._mixed(raw) - self.shift).astype(np.float32)

    def _mixed(self, raw: FloatArray) -> npt.NDArray[np.float64]:
        """Return z-scores, 0 where missing, and mixed if asked for; ``[n, A]``."""
        z: npt.NDArray[np.float64] = np.where(np.isnan(raw), 0.0, (raw - self.mean) / self.scale)
        return z if self.mix is None else z @ self.mix


@dataclass(frozen=True)
class GuidedEmbedding:
    """Normalised guided scores of all items, G.

    Attributes
    ----------
    values : FloatArray
        ``[n_items, n_attributes]``, mean 0 in each column; 0 where the score was missing.
    missing : ndarray of bool
        ``[n_items, n_attributes]``; True where ``values`` holds the attribute's mean for want of a score.
    mean, scale : FloatArray
        Raw mean and standard deviation of each attribute over scored items, ``[n_attributes]``.
    """

    values: FloatArray
    missing: npt.NDArray[np.bool_]
    mean: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, raw: FloatArray, normalisation: Literal["z", "white"] = "z") -> "GuidedEmbedding":
        """Normalise raw scores.

        Parameters
        ----------
        raw : FloatArray
            ``[n_items, n_attributes]`` on the schema's scale; NaN = missing.
        normalisation : {"z", "white"}
            ``"z"``: z-scores over items. ``"white"``: ZCA-whitened z-scores, uncorrelated, each column the closest
            to its own attribute (Kessy, Lewin and Strimmer, The American Statistician 2018).

        Raises
        ------
        DataError
            An attribute has no scores, or the same score everywhere: it cannot tell items apart.
        """
        how = Standardisation.of(raw, normalisation)
        return cls(how.apply(raw), np.isnan(raw), how.mean.astype(np.float32), how.scale.astype(np.float32))

    def shuffled(self, rng: np.random.Generator) -> "GuidedEmbedding":
        """Give every item another item's row: the placebo, same numbers without their meaning."""
        order = rng.permutation(len(self.values))
        return GuidedEmbedding(self.values[order], self.missing[order], self.mean, self.scale)

    def take(self, attributes: list[int]) -> "GuidedEmbedding":
        """Keep some attributes; an empty list leaves none, as the second-training control needs."""
        return GuidedEmbedding(
            self.values[:, attributes], self.missing[:, attributes], self.mean[attributes], self.scale[attributes]
        )


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


def _moments(raw: FloatArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and standard deviation of each column's known values; 0 where there are none.

    Sums of float32 values are exact in float64, so equal values have a spread of exactly 0.
    """
    known, values = ~np.isnan(raw), raw.astype(np.float64)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, scale


def whitening(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the ZCA matrix of centred columns, ``[A, A]``, symmetric.

    Directions without variance, as between an attribute and its copy, become 0: nothing can be learned along them.
    """
    if not z.size:
        return np.zeros((z.shape[1], z.shape[1]))
    values, vectors = np.linalg.eigh(z.T @ z / len(z))
    varies = values > 1e-6 * values.max()
    factors = varies / np.sqrt(np.where(varies, values, 1.0))
    matrix: npt.NDArray[np.float64] = (vectors * factors) @ vectors.T
    return matrix
