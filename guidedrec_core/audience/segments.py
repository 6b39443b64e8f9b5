"""Segments found: users grouped by the direction of their taste, if the data hold groups at all.

k-means cuts any cloud of points into k pieces, also one without groups. A number of segments counts as found if two
halves of the users, clustered apart, agree on all users (adjusted Rand index; Hubert and Arabie, 1985), and do so
clearly more than on a cloud without groups that has the same means, spreads and correlations (a Gaussian; after the
gap statistic of Tibshirani et al., 2001, with stability in place of compactness; Ben-Hur et al., 2002).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.explanation.words import listing, lower_first
from guidedrec_core.randomness import derive_seed, generator

Doubles = npt.NDArray[np.float64]

STABLE = 0.75
"""Agreement of two halves from which on a number of segments counts as stable."""
BEYOND_CHANCE = 0.15
"""How much more the halves must agree than on a cloud without groups."""
_AS_GOOD = 0.03
_RESAMPLES = 10
_MOST_USERS = 4000  # of one half; more do not make its centres surer
_STARTS = 3
_NOTABLE = 0.4  # standard deviations over users from which on a segment seeks or avoids an attribute
_NAMED = 2  # attributes named on each side


@dataclass(frozen=True, eq=False)
class Segments:
    """Groups of users by taste.

    Attributes
    ----------
    stability : pandas.DataFrame
        One row a number of segments tried: ``k, agreement, chance, passed``: the mean adjusted Rand index of two
        halves, the same without groups, and whether it counts as found.
    k : int
        Number of segments; 0 where no number passed.
    labels : IntArray
        Each user's segment from 0, the largest first, ``[n_users]``; -1 for users without a past, and for all where
        none was found.
    centres : Doubles
        Mean taste of each segment, ``[k, A]``, in standard deviations over users.
    names : tuple of str
        What each seeks and avoids.
    """

    stability: pd.DataFrame
    k: int
    labels: IntArray
    centres: Doubles
    names: tuple[str, ...]

    @property
    def stable(self) -> bool:
        """Whether a number of segments passed."""
        return self.k > 0

    @property
    def sizes(self) -> IntArray:
        """Users of each segment, ``[k]``."""
        sizes: IntArray = np.bincount(self.labels[self.labels >= 0], minlength=self.k)[: self.k].astype(np.int64)
        return sizes


def find_segments(
    profiles: npt.NDArray[np.floating], schema: AttributeSchema, seed: int = 0, most: int = 8
) -> Segments:
    """Look for segments of users.

    Parameters
    ----------
    profiles : ndarray
        Guided profiles, ``[n_users, A]``; all 0 for users without a past, who belong to no segment.
    schema : AttributeSchema
        Names of the attributes, in column order.
    seed : int
        Seed of resamples and starts.
    most : int
        Largest number of segments tried.
    """
    some = np.flatnonzero(np.any(profiles != 0, axis=1))
    standard, directions = _directions(profiles[some].astype(np.float64))
    rng = generator(seed, "segments")
    rows = []
    free = _without_groups(standard, rng)
    for k in range(2, most + 1):
        if len(some) < 20 * k:  # halves of ten users a segment tell nothing
            break
        agreement, chance = (_agreement(points, k, rng) for points in (directions, free))
        rows.append((k, agreement, chance, agreement >= STABLE and agreement >= chance + BEYOND_CHANCE))
    stability = pd.DataFrame(rows, columns=["k", "agreement", "chance", "passed"])
    labels = np.full(len(profiles), -1, dtype=np.int64)
    passed = stability[stability["passed"]]
    if passed.empty:
        return Segments(stability, 0, labels, np.zeros((0, profiles.shape[1])), ())
    # The finest of those that are as good as the best.
    k = int(passed["k"][passed["agreement"] >= passed["agreement"].max() - _AS_GOOD].max())
    own = _clustered(directions, k, derive_seed(seed, "segments", k), starts=10).labels_.astype(np.int64)
    own = np.argsort(np.argsort(-np.bincount(own, minlength=k), kind="stable"))[own]
    labels[some] = own
    centres = np.stack([standard[own == number].mean(axis=0) for number in range(k)])
    return Segments(stability, k, labels, centres, segment_names(centres, schema))


def segment_names(centres: Doubles, schema: AttributeSchema) -> tuple[str, ...]:
    """Name segments by their strongest attributes; equal names get a number.

    Parameters
    ----------
    centres : Doubles
        ``[k, A]``, in standard deviations over users.
    schema : AttributeSchema
        Names.
    """
    names = [_name(centre, schema) for centre in centres]
    return tuple(
        name if names.count(name) == 1 else f"{name} ({names[:place].count(name) + 1})"
        for place, name in enumerate(names)
    )


def agreement_of(first: IntArray, second: IntArray) -> float:
    """Return the adjusted Rand index of two groupings: 1 for the same, 0 on average for unrelated ones."""
    return float(adjusted_rand_score(first, second))


def _name(centre: Doubles, schema: AttributeSchema) -> str:
    """Say what a segment seeks and avoids."""
    order = np.argsort(-centre, kind="stable")
    label = [lower_first(one.label) for one in schema.attributes]
    seeks = [label[a] for a in order[:_NAMED] if centre[a] >= _NOTABLE]
    avoids = [label[a] for a in order[::-1][:_NAMED] if centre[a] <= -_NOTABLE]
    said = [f"seeks {listing(seeks)}"] if seeks else []
    said += [f"avoids {listing(avoids)}"] if avoids else []
    return ", ".join(said) or "average taste"


def _directions(profiles: Doubles) -> tuple[Doubles, Doubles]:
    """Return profiles in standard deviations over users, and their directions.

    A profile of a short history is short, because it is shrunk; its direction says what is sought all the same.
    """
    if not len(profiles):
        return profiles, profiles
    spread = profiles.std(axis=0)
    standard = (profiles - profiles.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    return standard, _unit(standard)


def _unit(points: Doubles) -> Doubles:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    directions: Doubles = points / np.where(lengths > 1e-9, lengths, 1.0)
    return directions


def _without_groups(standard: Doubles, rng: np.random.Generator) -> Doubles:
    """Draw directions of a cloud with the same correlations and no groups."""
    if len(standard) < 2:
        return standard
    covariance = np.atleast_2d(np.cov(standard.T))
    return _unit(rng.multivariate_normal(np.zeros(len(covariance)), covariance, len(standard), method="svd"))


def _agreement(points: Doubles, k: int, rng: np.random.Generator) -> float:
    """Return how far two halves of the users agree on all of them."""
    found = []
    for _ in range(_RESAMPLES):
        order = rng.permutation(len(points))
        half = min(len(points) // 2, _MOST_USERS)
        groups = [
            _clustered(points[part], k, int(rng.integers(2**31)), _STARTS).predict(points).astype(np.int64)
            for part in (order[:half], order[half : 2 * half])
        ]
        found.append(agreement_of(*groups))
    return float(np.mean(found))


def _clustered(points: Doubles, k: int, seed: int, starts: int) -> KMeans:
    """Cluster points."""
    return KMeans(n_clusters=k, n_init=starts, random_state=seed % 2**32).fit(points)
