"""Maps: base and refined item space on two comparable planes (aligned UMAP), computed once and stored.

Aligned UMAP (McInnes, Healy and Melville, arXiv 1802.03426; umap-learn's `AlignedUMAP`) fits both maps together and
pulls an item's two positions towards each other, so that a move on the map is a move between the spaces. Never fitted
inside an app session: UMAP is neither fast nor safe in threads.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidedrec_core.config import ProjectionConfig
from guidedrec_core.data.sequences import IntArray
from guidedrec_core.errors import DataError
from guidedrec_core.projection.spaces import ItemSpace, overlap
from guidedrec_core.randomness import derive_seed

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Projection:
    """Both maps, and the neighbourhoods they stand for.

    Attributes
    ----------
    base, refined : FloatArray
        Positions, ``[n_items, 2]``.
    base_neighbours, refined_neighbours : IntArray
        Nearest items in the original spaces, ``[n_items, k]``.
    overlap : FloatArray
        Share of neighbours kept, ``[n_items]``, measured in the original spaces, not on the maps.
    """

    base: FloatArray
    refined: FloatArray
    base_neighbours: IntArray
    refined_neighbours: IntArray
    overlap: FloatArray


def project(base: ItemSpace, refined: ItemSpace, config: ProjectionConfig, seed: int) -> Projection:
    """Compute both maps.

    Parameters
    ----------
    base, refined : ItemSpace
        The same items in both.
    config : ProjectionConfig
        UMAP's parameters.
    seed : int
        Seed of the layout; the same seed gives the same maps.

    Raises
    ------
    DataError
        Too few items for a map.
    """
    n_items = len(base.vectors)
    if n_items < 4:
        raise DataError(f"expected at least 4 items for a map, got {n_items}; import more items")
    import umap  # slow to import and needed here alone

    mapper = umap.AlignedUMAP(
        n_neighbors=min(config.neighbours, n_items - 1),
        min_dist=config.min_dist,
        metric="euclidean",  # on unit vectors this orders neighbours as the cosine does
        alignment_regularisation=config.alignment,
        random_state=derive_seed(seed, "umap") % 2**32,
        init="pca" if n_items < 12 else "spectral",
    )
    with warnings.catch_warnings():
        # A seed means one thread, which is wanted; UMAP warns of it twice.
        warnings.filterwarnings("ignore", message="n_jobs value")
        maps = mapper.fit_transform([base.vectors, refined.vectors], relations=[{i: i for i in range(n_items)}])
    near_base = base.neighbours(config.compared_neighbours)
    near_refined = refined.neighbours(config.compared_neighbours)
    positions = [np.ascontiguousarray(m, dtype=np.float32) for m in maps]
    return Projection(positions[0], positions[1], near_base, near_refined, overlap(near_base, near_refined))
