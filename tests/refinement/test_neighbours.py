"""Item-kNN beside a refined model: it adds to the remainder and to nothing else."""

import numpy as np
from numpy.testing import assert_array_equal
from tiny import arrays

from guidedrec_core.config import RefinementConfig
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel, HeadWeights
from guidedrec_core.refinement.neighbours import WithNeighbours

N_ITEMS = 9
RNG = np.random.default_rng(0)
GUIDED = GuidedEmbedding.of(RNG.normal(size=(N_ITEMS, 3)).astype(np.float32))
EMBEDDING, INTERACTIONS = RNG.normal(size=(N_ITEMS, 4)).astype(np.float32), RNG.integers(0, 9, N_ITEMS)
REFINED = HeadModel(None, None, EMBEDDING, GUIDED, INTERACTIONS, RefinementConfig())
REFINED.learned = HeadWeights(np.zeros(0), 1.0, RNG.normal(size=3), RNG.normal(size=3))
USERS, HISTORIES = np.array([0, -1]), arrays([[1, 2], []])


class Likeness:
    """Returns one known table."""

    table = RNG.normal(size=(2, N_ITEMS)).astype(np.float32)

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        return self.table


def test_only_score_and_remainder_change_and_the_sum_holds() -> None:
    model = WithNeighbours(REFINED, Likeness(), 0.7)
    own, both = REFINED.parts(USERS, HISTORIES), model.parts(USERS, HISTORIES)
    np.testing.assert_allclose(both.remainder - own.remainder, 0.7 * Likeness.table, rtol=1e-6)
    np.testing.assert_allclose(both.scores - own.scores, 0.7 * Likeness.table, rtol=1e-5, atol=1e-6)
    for name in ("profile", "slopes", "bias"):
        assert_array_equal(getattr(both, name), getattr(own, name))
    total = both.slopes @ model.item_values().T + both.remainder + both.bias
    np.testing.assert_allclose(total, model.scores(USERS, HISTORIES), rtol=1e-5, atol=1e-6)


def test_without_weight_it_is_the_refined_model() -> None:
    model = WithNeighbours(REFINED, Likeness(), 0.0)
    assert_array_equal(model.scores(USERS, HISTORIES), REFINED.scores(USERS, HISTORIES))
    assert (model.n_items, model.n_attributes) == (N_ITEMS, 3)
    assert_array_equal(model.weights(), REFINED.weights())
    assert_array_equal(model.item_remainders(), REFINED.item_remainders())
