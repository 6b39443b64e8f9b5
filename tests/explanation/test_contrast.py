"""Contrasts sum to differences of scores and are the Shapley values of the linear part."""

import numpy as np
import pytest
from small_models import KINDS, N_ITEMS, N_USERS, NAMED_FORMS, named
from tiny import arrays

from guidedrec_core.explanation.contrast import Contrast, contrast, just_below
from guidedrec_core.explanation.named_ledger import named_ledger
from guidedrec_core.explanation.question import UserHistory


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", NAMED_FORMS)
def test_parts_sum_to_the_difference_of_scores(form: str, kind: str) -> None:
    """10,000 random pairs of items for each base kind and mode."""
    names, rng = named(form, kind), np.random.default_rng(5)
    model = names.model
    for user in range(0, N_USERS, 2):
        (history,) = arrays([rng.integers(0, N_ITEMS, rng.integers(0, 12))])
        scores = model.scores(np.array([user]), [history])[0].astype(np.float64)
        ledger = named_ledger(names, UserHistory(user, history), np.arange(N_ITEMS))
        first, second = rng.integers(0, N_ITEMS, (2, 1000))
        found = Contrast.between(ledger, first, second)
        total = found.contributions.sum(axis=1) + found.neighbours + found.unnamed
        np.testing.assert_allclose(total, scores[first] - scores[second], atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(found.difference, total, atol=1e-12)
        average = contrast(names, UserHistory(user, history), np.arange(N_ITEMS))
        by_itself = scores - average.neighbours
        np.testing.assert_allclose(
            average.difference - average.neighbours, by_itself - by_itself.mean(), atol=1e-5, rtol=1e-5
        )


def test_contributions_are_shap_values_on_1000_pairs() -> None:
    import shap

    names, rng, n = named("anchored", "sasrec"), np.random.default_rng(6), 1000
    worst, done = 0.0, 0
    while done < n:
        user, (history,) = int(rng.integers(0, N_USERS)), arrays([rng.integers(0, N_ITEMS, 8)])
        parts, x = names.parts(np.array([user]), [history]), names.columns.values.astype(np.float64)
        items, other = rng.integers(0, N_ITEMS, 50), int(rng.integers(0, N_ITEMS))
        explainer = shap.LinearExplainer((parts.slopes[0], 0.0), shap.maskers.Independent(x[[other]]))
        result = names.columns.by_line(explainer.shap_values(x[items]))
        found = contrast(names, UserHistory(user, history), items, np.full(50, other)).contributions
        assert np.abs(result).max() > 0.01
        worst, done = max(worst, float(np.abs(found - result).max())), done + len(items)
    assert worst < 1e-5


def test_one_pair_is_a_row_of_the_ledger_less_another() -> None:
    names, history = named("additive", "gru4rec"), np.array([3, 8])
    ledger = named_ledger(names, UserHistory(1, history), np.array([4, 9]))
    found = contrast(names, UserHistory(1, history), np.array([4]), np.array([9]))
    np.testing.assert_array_equal(found.contributions[0], ledger.contributions[0] - ledger.contributions[1])
    assert found.difference[0] == ledger.score[0] - ledger.score[1]


def test_just_below_is_the_next_item_of_the_list() -> None:
    scores = np.array([1.0, 3.0, -np.inf, 3.0, 2.0], dtype=np.float32)
    assert [just_below(scores, item) for item in (1, 3, 4, 0)] == [3, 4, 0, None]
