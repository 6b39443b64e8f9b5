"""Guided profiles of users from their histories: a faded mean of guided vectors, missing scores left out."""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.refinement.guided import FloatArray


def faded_sums(
    histories: list[IntArray], guided: FloatArray, known: npt.NDArray[np.bool_], decay: float
) -> tuple[FloatArray, FloatArray]:
    """Sum the guided vectors of histories, recent items more.

    Parameters
    ----------
    histories : list of IntArray
        Item indexes of B users, oldest first.
    guided : FloatArray
        G, ``[n_items, A]``; 0 where unknown.
    known : ndarray of bool
        ``[n_items, A]``; False where an item has no score on an attribute.
    decay : float
        Weight of an interaction relative to the next one, above 0 to 1.

    Returns
    -------
    sums, counts : FloatArray
        ``sum_s decay^(t-s) g_s`` and ``sum_s decay^(t-s)`` over the items s whose score is known, ``[B, A]`` each.
    """
    lengths = np.array([len(h) for h in histories], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    items = np.concatenate([*histories, np.empty(0, np.int64)])
    steps_back = np.repeat(starts[1:], lengths) - 1 - np.arange(len(items))
    fade = sparse.csr_matrix((float(decay) ** steps_back, items, starts), shape=(len(histories), len(guided)))
    return (fade @ guided).astype(np.float32), (fade @ known.astype(np.float64)).astype(np.float32)


def guided_profiles(
    histories: list[IntArray],
    guided: FloatArray,
    known: npt.NDArray[np.bool_],
    decay: float,
    shrinkage: float,
) -> FloatArray:
    """Average the guided vectors of histories, pulled to 0, the average item, where little is known.

    ``p = sum_s decay^(t-s) g_s / (sum_s decay^(t-s) + shrinkage)``, ``[B, A]``; parameters as in `faded_sums`.
    """
    sums, counts = faded_sums(histories, guided, known, decay)
    profiles: FloatArray = sums / np.maximum(counts + np.float32(shrinkage), np.float32(1e-9))
    return profiles
