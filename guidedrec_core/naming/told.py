"""Directions that texts tell: item vectors as far as texts of other items predict them.

Ridge regression from text features to the rest of item vectors, each item predicted without itself. A direction u is
told as much as ``sum over items of weight * (predicted . u) * (rest . u)``, so the most told ones are eigenvectors of
the symmetric part of ``P' W E``: reduced-rank regression with the rank that holds for items left out. How many there
are is read off texts that are shuffled over items.

Shapes: N items, d width of vectors, F text features, K directions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.randomness import generator

Doubles = npt.NDArray[np.float64]

SHUFFLES = 19
"""Times that texts are shuffled over items."""
MOST_TOLD = 4
"""Directions that texts may give, at most."""
_PENALTY = 3.0  # in mean item weights; directions hardly change between 1 and 10


@dataclass(frozen=True, eq=False)
class Told:
    """Directions that texts tell, the most told first.

    Attributes
    ----------
    directions : Doubles
        ``[d, K]``, orthonormal.
    predicted : Doubles
        ``[N, K]``, what texts of other items say of each item's loading.
    """

    directions: Doubles
    predicted: Doubles

    def __len__(self) -> int:
        return int(self.directions.shape[1])


def told_directions(whole: Doubles, weight: Doubles, texts: Doubles, count: int) -> Told:
    """Find the directions of item vectors that texts tell best.

    Parameters
    ----------
    whole : Doubles
        Item vectors of mean 0 by weight, ``[N, d]``.
    weight : Doubles
        Of items, from 0, ``[N]``.
    texts : Doubles
        Text features, ``[N, F]``.
    count : int
        K.
    """
    predicted = _left_out(whole, weight, texts)
    directions = _strongest(whole, predicted, weight)[1][:, :count]
    return Told(directions, predicted @ directions)


def number_told(whole: Doubles, weight: Doubles, texts: Doubles, seed: int = 0) -> int:
    """Return how many directions texts tell more than they do when shuffled over items; see `told_directions`."""
    strengths = _strongest(whole, _left_out(whole, weight, texts), weight)[0][:MOST_TOLD]
    rng = generator(seed, "texts shuffled over items")
    by_chance = np.max(
        [
            _strongest(whole, _left_out(whole, weight, texts[rng.permutation(len(texts))]), weight)[0][:MOST_TOLD]
            for _ in range(SHUFFLES)
        ],
        axis=0,
    )
    more = strengths > by_chance
    return int(len(more) if more.all() else np.argmin(more))


def _left_out(whole: Doubles, weight: Doubles, texts: Doubles) -> Doubles:
    """Predict each item's vector from its text by a ridge regression without the item, in closed form."""
    columns = np.column_stack([texts, np.ones(len(texts))])
    penalties = np.append(np.full(texts.shape[1], _PENALTY), 1e-6) * max(float(weight.mean()), 1e-12)
    solved = np.linalg.solve((columns.T * weight) @ columns + np.diag(penalties), columns.T * weight)  # [F + 1, N]
    own = np.einsum("nf,fn->n", columns, solved)
    predicted: Doubles = whole - (whole - columns @ (solved @ whole)) / np.clip(1 - own, 1e-6, None)[:, None]
    return predicted


def _strongest(whole: Doubles, predicted: Doubles, weight: Doubles) -> tuple[Doubles, Doubles]:
    """Return how much each direction is told, falling, and the directions ``[d, d]``."""
    agreement = (predicted.T * weight) @ whole
    strengths, directions = np.linalg.eigh((agreement + agreement.T) / 2)
    return strengths[::-1], directions[:, ::-1]
