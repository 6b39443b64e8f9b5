"""Guided profiles: decayed means of the guided vectors in users' histories, missing scores left out.

Nothing here sees a whole table. The caller gathers the rows of the items that occur in its histories, so that a
training step costs what its batch costs, whatever the size of the catalogue, and on whichever device the table lives.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.refinement.guided import FloatArray


def concatenate_histories(histories: list[IntArray]) -> tuple[IntArray, IntArray]:
    """Join histories end to end.

    Parameters
    ----------
    histories : list of IntArray
        Item indexes, oldest first; B arrays of any length, n items in total.

    Returns
    -------
    items, lengths : IntArray
        Item indexes ``[n]``, and the number that belongs to each history ``[B]``.

    Examples
    --------
    >>> items, lengths = concatenate_histories([np.array([4, 2]), np.array([7])])
    >>> items.tolist(), lengths.tolist()
    ([4, 2, 7], [2, 1])
    """
    lengths = np.array([len(history) for history in histories], dtype=np.int64)
    return np.concatenate([*histories, np.empty(0, np.int64)]), lengths


def decayed_sums(guided: Tensor, known: Tensor, lengths: IntArray, decay: float) -> tuple[Tensor, Tensor]:
    """Sum the guided vectors of each history, an interaction weighing `decay` times the one after it.

    Sums run in float64, oldest interaction first, so that a history has the same sums in every batch.

    Parameters
    ----------
    guided : Tensor
        Rows of G for the items of all histories, one history after another, float32 ``[n, A]``; 0 where unknown.
        See `concatenate_histories`.
    known : Tensor
        Whether an item has a score on an attribute, bool ``[n, A]``.
    lengths : IntArray
        Interactions of each history, ``[B]``; they add up to n.
    decay : float
        Weight of an interaction relative to the next one, above 0 to 1.

    Returns
    -------
    sums, counts : Tensor
        ``sum_s decay^(t-s) g_s`` and ``sum_s decay^(t-s)`` over the interactions s whose score is known, float32
        ``[B, A]`` each, on the device of `guided`.
    """
    device = guided.device
    steps_back = np.repeat(np.cumsum(lengths), lengths) - 1 - np.arange(len(guided))  # [n]
    weights = torch.from_numpy(float(decay) ** steps_back).to(device).unsqueeze(1)  # float64 [n, 1]
    segments = torch.from_numpy(lengths).to(device)

    def total(rows: Tensor) -> Tensor:
        if not rows.numel():  # no interactions or no attributes: there is nothing to reduce
            return torch.zeros(len(lengths), rows.shape[1], device=device)
        # Deterministic on GPUs, too, unlike `index_add_`.
        return torch.segment_reduce(weights * rows, "sum", lengths=segments, axis=0, initial=0.0).float()

    return total(guided), total(known)


def shrunk_means(sums: Tensor, counts: Tensor, shrinkage: float, prior: Tensor | float = 0.0) -> Tensor:
    """Turn decayed sums into means, shrunk towards a prior where little is known.

    Parameters
    ----------
    sums, counts : Tensor
        See `decayed_sums`; ``[..., A]``.
    shrinkage : float
        Pseudo-interactions: how many items with the prior's values are added to each history.
    prior : Tensor or float
        Broadcasts to ``[..., A]``; 0 is the average item.

    Returns
    -------
    Tensor
        ``(sums + shrinkage * prior) / (counts + shrinkage)``; 0 where both are 0.
    """
    return (sums + shrinkage * prior) / (counts + shrinkage).clamp(min=1e-9)


def guided_profiles(
    histories: list[IntArray],
    guided: FloatArray,
    known: npt.NDArray[np.bool_],
    decay: float,
    shrinkage: float,
) -> FloatArray:
    """Average the guided vectors of histories, shrunk towards 0, the average item, where little is known.

    ``p = sum_s decay^(t-s) g_s / (sum_s decay^(t-s) + shrinkage)``.

    Parameters
    ----------
    histories : list of IntArray
        Item indexes, oldest first; B arrays.
    guided : FloatArray
        G, ``[n_items, A]``; 0 where unknown. Only the rows of the histories' items are read.
    known : ndarray of bool
        ``[n_items, A]``; False where an item has no score on an attribute.
    decay : float
        Weight of an interaction relative to the next one, above 0 to 1.
    shrinkage : float
        Interactions with an average item that are added to each history.

    Returns
    -------
    FloatArray
        p, ``[B, A]``, in units of G (z-scores over items).
    """
    items, lengths = concatenate_histories(histories)
    sums, counts = decayed_sums(torch.from_numpy(guided[items]), torch.from_numpy(known[items]), lengths, decay)
    profiles: FloatArray = shrunk_means(sums, counts, shrinkage).numpy()
    return profiles
