"""Row counts rounded up to a multiple, so that compiled kernels do not pile up in memory.

Batches have any number of targets and positions. For each shape that oneDNN meets, it compiles a kernel (products in
bfloat16, GELU) and keeps it, up to 1,024 kernels of a quarter of a megabyte each.
"""

from torch import Tensor
from torch.nn import functional as F

PRODUCT_ROWS = 64
"""Rows of a matrix product are padded to a multiple of this."""

GELU_ROWS = 512
"""Rows of GELU are padded to a multiple of this: it runs once over all positions of a batch, and costs little."""


def pad_rows(x: Tensor, multiple: int) -> Tensor:
    """Append rows of zeros to ``[n, D]`` up to a multiple; changes no bit of what is computed from the others."""
    lacking = -len(x) % multiple
    return F.pad(x, (0, 0, 0, lacking)) if lacking else x


def gelu(x: Tensor) -> Tensor:
    """Return GELU (Hendrycks and Gimpel 2016) of ``[..., D]``, at least two-dimensional, computed on padded rows."""
    rows = x.flatten(0, -2)
    return F.gelu(pad_rows(rows, GELU_ROWS))[: len(rows)].view(x.shape)
