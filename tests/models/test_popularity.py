import numpy as np
from tiny import arrays

from guidedrec_core.models.popularity import PopularityModel


def test_everybody_gets_the_same_counts() -> None:
    model = PopularityModel(np.array([3, 0, 7]))
    assert model.scores(np.array([0, -1]), arrays([[2], []])).tolist() == [[3, 0, 7], [3, 0, 7]]
    assert model.n_items == 3


def test_changing_the_scores_does_not_change_the_model() -> None:
    model = PopularityModel(np.array([3, 0, 7]))
    model.scores(np.array([0]), arrays([[]]))[:] = -1
    assert model.scores(np.array([0]), arrays([[]])).tolist() == [[3, 0, 7]]
