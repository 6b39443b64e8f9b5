"""Steering: pull a user's list towards an attribute or away from it, and see what that makes of it.

    score'(u, i) = score(u, i) + unit * sum_a pull_a g_ia

One step of pull is one standard deviation of taste on an attribute of average weight. A pull acts on the slopes, not on
the profile that they are learned from: a learned weight may be small or negative, and an attribute pulled up shall
never come out lower. It cannot: were ``S`` the best K items before and ``S'`` those after a pull up, then
``sum_S' (score + pull g) >= sum_S (score + pull g)`` and ``sum_S score >= sum_S' score``, so that
``sum_S' g >= sum_S g``.
"""

import numpy as np
import numpy.typing as npt

from guidedrec_core.refinement.refined import RefinedModel

FloatArray = npt.NDArray[np.float64]

_LEAST_UNIT = 0.05


def pull_unit(model: RefinedModel) -> float:
    """Return by how much one step of pull changes a slope: the root mean square of the attributes' learned weights.

    Where a model hardly uses its attributes, at least 0.05 (in logits), so that pulling is felt.
    """
    weights = model.weights().astype(np.float64)
    return max(float(np.sqrt(np.mean(weights**2))), _LEAST_UNIT) if weights.size else _LEAST_UNIT
