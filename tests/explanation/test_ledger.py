"""The ledger's promise, for every mode over every kind of base: the parts are the score."""

import numpy as np
import pytest
from small_models import KINDS, MAKERS, N_ITEMS, N_USERS, base_of
from tiny import arrays

from guidedrec_core.explanation.ledger import base_ledger, refined_ledger
from guidedrec_core.explanation.question import UserHistory


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", MAKERS)
def test_a_score_is_the_sum_of_its_parts(form: str, kind: str) -> None:
    """20 users with 25 items for each of 60 models: 30,000 pairs."""
    model = MAKERS[form](kind)
    rng = np.random.default_rng(3)
    users = rng.integers(-1, N_USERS + 2, 20)
    histories = arrays([rng.integers(0, N_ITEMS, rng.integers(0, 25)) for _ in users])
    parts, scores = model.parts(users, histories), model.scores(users, histories)
    np.testing.assert_allclose(parts.scores, scores, atol=1e-6, rtol=1e-6)
    doubles = [part.astype(np.float64) for part in (parts.slopes, model.item_values(), parts.remainder, parts.bias)]
    np.testing.assert_allclose(doubles[0] @ doubles[1].T + doubles[2] + doubles[3], scores, atol=1e-5, rtol=1e-5)
    some = rng.permutation(N_ITEMS)[:7]
    few = model.parts(users, histories, some)
    for one, all_items in ((few.scores, parts.scores), (few.remainder, parts.remainder)):
        np.testing.assert_allclose(one, all_items[:, some], atol=2e-6, rtol=1e-6)
    np.testing.assert_allclose(few.bias, parts.bias[some], atol=1e-6)
    np.testing.assert_array_equal(few.slopes, parts.slopes)
    n_attributes = model.n_attributes
    assert parts.slopes.shape == parts.profile.shape == (20, n_attributes)
    assert model.weights().shape == (n_attributes,)
    assert parts.bias.shape == (N_ITEMS,)
    assert model.item_remainders().shape[0] == N_ITEMS
    assert np.ptp(scores, axis=1).min() > 0.01
    for user, history, row in zip(users.tolist()[:3], histories, scores, strict=False):
        ledger = refined_ledger(model, UserHistory(user, history), np.arange(N_ITEMS))
        total = ledger.contributions.sum(axis=1) + ledger.remainder + ledger.bias
        np.testing.assert_allclose(total, row, atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(ledger.score, total, atol=1e-12)
        np.testing.assert_allclose(ledger.contributions.mean(axis=0), 0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_base_score_is_remainder_and_bias(kind: str) -> None:
    model = base_of(kind)
    history = np.array([1, 2, 3])
    ledger = base_ledger(model, UserHistory(0, history), np.arange(N_ITEMS))
    scores = model.scores(np.array([0]), [history])[0]
    np.testing.assert_allclose(ledger.remainder + ledger.bias, scores, atol=1e-6)
    assert ledger.contributions.shape == (N_ITEMS, 0)
