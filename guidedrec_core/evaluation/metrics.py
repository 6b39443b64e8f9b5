"""Metrics of a single held-out item, from its rank: MRR without cut-off, Recall@K, NDCG@K.

With one held-out item a case, Recall@K equals HitRate@K, and NDCG@K is normalised by what one item can achieve (1.0 at
rank 1; Järvelin and Kekäläinen, TOIS 2002).
"""

import numpy as np
import numpy.typing as npt

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.ranking.ranks import ndcg_at


def metric_names(cutoffs: tuple[int, ...]) -> list[str]:
    """Return the metrics computed, in order of display.

    Examples
    --------
    >>> metric_names((10, 20))
    ['MRR', 'Recall@10', 'Recall@20', 'NDCG@10', 'NDCG@20']
    """
    return ["MRR", *(f"Recall@{k}" for k in cutoffs), *(f"NDCG@{k}" for k in cutoffs)]


def case_metrics(ranks: IntArray, cutoffs: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return each case's metrics, ``[n_cases, n_metrics]``, in the order of `metric_names`.

    Examples
    --------
    >>> case_metrics(np.array([1, 4, 30]), (10,)).round(3).tolist()
    [[1.0, 1.0, 1.0], [0.25, 1.0, 0.431], [0.033, 0.0, 0.0]]
    """
    recalls = [(ranks <= k).astype(np.float64) for k in cutoffs]
    ndcgs = [ndcg_at(ranks, k) for k in cutoffs]
    return np.stack([1.0 / ranks, *recalls, *ndcgs], axis=1)
