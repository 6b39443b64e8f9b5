"""Explainers that ask the model about parts of a history: LIME, SHAP, and leaving one item out.

Each explains two outputs of the model at once, since both come from the same answers: the recommended item's
probability, as in LXR's code, and its score.
"""

import warnings

import numpy as np
from sklearn.linear_model import Ridge

from guidedrec_core.explanation.past_items.standing import BoolArray, FloatArray, Standing

EVALUATIONS = 1024
"""Parts of a history that LIME and SHAP may ask about; of ten positions these are all."""
OUTPUTS = ("probability", "score")
"""Columns of what the model is asked for, and of explanations ``[n, 2]``."""

_KERNEL_WIDTH = 25.0


def outputs_of(standing: Standing, kept: BoolArray) -> FloatArray:
    """Return both outputs of the model for parts of a history, ``[M, 2]``."""
    places = standing(kept)
    return np.stack([places.probabilities, places.scores], axis=1)


def lime(standing: Standing, rng: np.random.Generator, evaluations: int = EVALUATIONS) -> FloatArray:
    """Fit a linear model to parts of the history near the whole one (Ribeiro, Singh and Guestrin, KDD 2016).

    As `lime.lime_text` does by default: a uniform number of positions, drawn at random, is removed; parts weigh by
    their cosine distance from the whole, kernel width 25 on a scale of 100; ridge regression with penalty 1.
    """
    n = standing.n_positions
    kept = np.ones((evaluations, n), dtype=bool)
    for row, count in enumerate(rng.integers(1, n + 1, evaluations - 1), start=1):
        kept[row, rng.choice(n, count, replace=False)] = False
    distance = 100 * (1 - np.sqrt(kept.mean(axis=1)))  # cosine of a part with the whole is the root of its share
    weights = np.sqrt(np.exp(-((distance / _KERNEL_WIDTH) ** 2)))
    fitted = Ridge(alpha=1.0).fit(kept.astype(float), outputs_of(standing, kept), sample_weight=weights)
    coefficients: FloatArray = fitted.coef_.T
    return coefficients


def kernel_shap(standing: Standing, seed: int, evaluations: int = EVALUATIONS) -> FloatArray:
    """Estimate Shapley values with `shap.KernelExplainer` (Lundberg and Lee, NeurIPS 2017).

    Against the empty history; without the selection of ten features that it makes by default, which would leave all
    other positions at 0.
    """
    import shap

    n = standing.n_positions

    def model(rows: FloatArray) -> FloatArray:
        return outputs_of(standing, rows.astype(bool))

    state = np.random.get_state()  # noqa: NPY002 (shap draws from NumPy's global generator)
    try:
        np.random.seed(seed % 2**32)  # noqa: NPY002
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            explainer = shap.KernelExplainer(model, np.zeros((1, n)))
            values = explainer.shap_values(np.ones((1, n)), nsamples=evaluations, l1_reg=False, silent=True)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    found: FloatArray = np.asarray(values)[0]
    return found


def leave_one_out(standing: Standing) -> FloatArray:
    """Return what the outputs lose without each position alone; `find_fia_mask` of LXR's `code/metrics.ipynb`."""
    n = standing.n_positions
    whole = outputs_of(standing, np.ones((1, n), dtype=bool))
    lost: FloatArray = whole - outputs_of(standing, ~np.eye(n, dtype=bool))
    return lost
