"""PCA: what the remainder starts from, and how several tables of vectors become one."""

import numpy as np
import numpy.typing as npt

from guidedrec_core.errors import ConfigError

FloatArray = npt.NDArray[np.float32]


def pca(embedding: FloatArray, components: int) -> FloatArray:
    """Reduce item vectors to their leading principal components.

    Parameters
    ----------
    embedding : FloatArray
        ``[n_items, d_base]``.
    components : int
        k, at most ``min(n_items, d_base)``.

    Returns
    -------
    FloatArray
        ``[n_items, k]``; signs fixed so that a component's largest entry is positive, hence repeatable.

    Raises
    ------
    ConfigError
        More components wanted than there are.
    """
    if not 0 < components <= min(embedding.shape):
        raise ConfigError(
            f"expected 1 to {min(embedding.shape)} reduced dimensions for a base embedding of shape "
            f"{embedding.shape}, got {components}; use fewer attributes or a wider base model"
        )
    centred = embedding.astype(np.float64) - embedding.mean(axis=0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    reduced = left[:, :components] * sizes[:components]
    signs = np.sign(reduced[np.abs(reduced).argmax(axis=0), np.arange(components)])
    fixed: FloatArray = (reduced * np.where(signs == 0, 1.0, signs)).astype(np.float32)
    return fixed
