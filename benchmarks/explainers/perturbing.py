"""Explainers that ask the model about parts of a history: LIME, SHAP, and leaving one item out.

They explain an output of the model: the recommended item's probability, as in LXR's code, or its score.
"""

import warnings

import numpy as np
from sklearn.linear_model import Ridge

from guidedrec_core.explanation.standing import BoolArray, FloatArray, Standing

EVALUATIONS = 1024
"""Parts of a history that LIME and SHAP may ask about; of ten positions these are all."""
OUTPUTS = ("probability", "score")

_KERNEL_WIDTH = 25.0


def output_of(standing: Standing, kept: BoolArray, output: str) -> FloatArray:
    """Return one output of the model for parts of a history, ``[M]``."""
    places = standing(kept)
    return places.probabilities if output == "probability" else places.scores


def lime(standing: Standing, output: str, rng: np.random.Generator, evaluations: int = EVALUATIONS) -> FloatArray:
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
    fitted = Ridge(alpha=1.0).fit(kept.astype(float), output_of(standing, kept, output), sample_weight=weights)
    coefficients: FloatArray = fitted.coef_
    return coefficients


def kernel_shap(standing: Standing, output: str, seed: int, evaluations: int = EVALUATIONS) -> FloatArray:
    """Estimate Shapley values with `shap.KernelExplainer` (Lundberg and Lee, NeurIPS 2017).

    Against the empty history; without the selection of ten features that it makes by default, which would leave all
    other positions at 0.
    """
    import shap

    n = standing.n_positions

    def model(rows: FloatArray) -> FloatArray:
        return output_of(standing, rows.astype(bool), output)

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


def leave_one_out(standing: Standing, output: str) -> FloatArray:
    """Return what the output loses without each position alone; `find_fia_mask` of LXR's `code/metrics.ipynb`."""
    n = standing.n_positions
    whole = output_of(standing, np.ones((1, n), dtype=bool), output)
    lost: FloatArray = whole - output_of(standing, ~np.eye(n, dtype=bool), output)
    return lost
