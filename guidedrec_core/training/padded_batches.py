"""Row counts that come in steps, so that compiled code does not pile up in memory.

Batches have any number of targets and positions. For each shape that oneDNN meets, it compiles code (products in
bfloat16, GELU) and keeps it, up to 1,024 pieces of a quarter of a megabyte each.
"""

from torch import Tensor
from torch.nn import functional as F

STEP = 64
"""Rows of a product are a multiple of this."""

GELU_STEP = 512
"""Rows that GELU is asked for are a multiple of this: it sees all positions of a batch at once, and costs little."""


def whole_steps(x: Tensor, step: int) -> Tensor:
    """Append rows of zeros to ``[n, D]`` until there is a multiple of `step`; changes no bit of the others' results."""
    lacking = -len(x) % step
    return F.pad(x, (0, 0, 0, lacking)) if lacking else x


def gelu(x: Tensor) -> Tensor:
    """Return GELU (Hendrycks and Gimpel 2016) of ``[..., D]``, at least two-dimensional, in whole steps of rows."""
    rows = x.flatten(0, -2)
    return F.gelu(whole_steps(rows, GELU_STEP))[: len(rows)].view(x.shape)
