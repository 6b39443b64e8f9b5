"""Seeds: every random choice descends from one seed and a name, never from global state."""

import hashlib

import numpy as np


def derive_seed(seed: int, *names: str | int) -> int:
    """Derive an independent 63-bit seed from a run's seed and the name of its use.

    Parameters
    ----------
    seed : int
        The run's seed.
    *names : str or int
        What the seed is for, e.g. ``("sasrec", "epoch", 3)``. Other names give unrelated seeds.

    Returns
    -------
    int
        In ``[0, 2**63)``; the same on every platform.

    Examples
    --------
    >>> derive_seed(0, "dropout") == derive_seed(0, "dropout")
    True
    >>> derive_seed(0, "dropout") == derive_seed(0, "batches")
    False
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator for one named use; see :func:`derive_seed`."""
    return np.random.default_rng(derive_seed(seed, *names))
