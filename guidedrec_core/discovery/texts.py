"""Text features of items: what titles, categories and descriptions say, as a few numbers (latent semantic analysis)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from guidedrec_core import columns as c
from guidedrec_core.data.catalogue import Catalogue
from guidedrec_core.language import EMPTY

WIDTH = 50
"""Numbers for each text, at most."""
_COLUMNS = (c.TITLE, c.CATEGORY, c.DESCRIPTION)
_WORD = r"(?u)\b[^\W\d_]{2,}\b"


def text_features(catalogue: Catalogue, seed: int = 0) -> npt.NDArray[np.float64] | None:
    """Return text features of all items, ``[N, F]``: TF-IDF of words, reduced by a singular value decomposition.

    Parameters
    ----------
    catalogue : Catalogue
        Titles, categories and descriptions are read, as far as there are any.
    seed : int
        Of the decomposition, which draws at random.

    Returns
    -------
    ndarray or None
        None where texts have too few words in common.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    frame = catalogue.frame
    parts = frame[[name for name in _COLUMNS if name in frame]].fillna("").astype(str)
    texts = parts.agg(" ".join, axis=1).str.replace("|", " ").tolist()
    try:
        words: Any = TfidfVectorizer(min_df=2, sublinear_tf=True, stop_words=sorted(EMPTY), token_pattern=_WORD)
        counts = words.fit_transform(texts)
    except ValueError:  # no word is in two texts
        return None
    width = min(WIDTH, min(counts.shape) - 1)
    if width < 2:
        return None
    return np.asarray(TruncatedSVD(width, n_iter=7, random_state=seed).fit_transform(counts), dtype=np.float64)
