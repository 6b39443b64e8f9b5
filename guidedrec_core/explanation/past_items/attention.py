"""Attention over a history, as it is often shown for an explanation: something to hold explanations against."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guidedrec_core.data.sequences import IntArray
from guidedrec_core.ranking.ranks import block_size
from guidedrec_core.refinement.head import HeadModel

FloatArray = npt.NDArray[np.float64]


def has_attention(model: Any) -> bool:
    """Tell whether a model reads histories by attention: SASRec and BERT4Rec do, GRU4Rec and external bases do not."""
    return hasattr(_sequential(model), "encoder") and hasattr(_sequential(model).encoder, "blocks")


def history_attention(model: Any, users: IntArray, histories: list[IntArray]) -> list[FloatArray]:
    """Return how much the last block looks at each item of a history when it makes the user's state.

    Parameters
    ----------
    model : RefinedModel or BaseModel
        One that `has_attention`. Of a head on several models, the refined one is read.
    users : IntArray
        User indexes, ``[B]``.
    histories : list of IntArray
        Item indexes, oldest first; B arrays.

    Returns
    -------
    list of FloatArray
        A weight for each position, the mean of all heads; 0 for those beyond the model's window.
    """
    inner = _sequential(model)
    block = inner.encoder.blocks[-1]
    looks: list[torch.Tensor] = []

    def look(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        looks.append(block.attention(*inputs)[:, -1])  # [B, L], of the state that is compared with items

    handle = block.register_forward_pre_hook(look)
    try:
        weights: list[FloatArray] = []
        size = block_size(inner.n_items)
        for first in range(0, len(histories), size):
            part = histories[first : first + size]
            inner.scores(users[first : first + size], part)
            rows = looks.pop().cpu().numpy().astype(np.float64)
            weights += [_unpadded(row, len(history)) for row, history in zip(rows, part, strict=True)]
    finally:
        handle.remove()
    return weights


def _unpadded(row: FloatArray, length: int) -> FloatArray:
    """Return the weights of a history's positions from those of its window, which is padded on the left."""
    seen = min(length, len(row))
    return np.concatenate([np.zeros(length - seen), row[len(row) - seen :]])


def _sequential(model: Any) -> Any:
    """Return the model that reads the history: of a head, the refined one it weighs, else its base."""
    if isinstance(model, HeadModel):
        return model.base if model.refined is None else model.refined
    return model
