"""Steering: what is pulled up never comes out lower, and every edit is what a scoring from nothing would say."""

from typing import Any

import numpy as np
import pytest
from small_models import MAKERS, N_ITEMS, RAW, A

from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.explanation.steering.steer import Steering, history_scores, pull_unit, steer
from guidedrec_core.ranking.ranks import mask_seen, top_k

HISTORY = np.array([3, 7, 3, 11])
GIVEN = UserHistory(0, HISTORY)
FORMS = ["additive", "anchored", "literal-itself", "head-beside-item-knn"]


def pulled(attribute: int, steps: float) -> tuple[float, ...]:
    return tuple(steps if a == attribute else 0.0 for a in range(A))


@pytest.fixture(scope="module", params=FORMS)
def model(request: pytest.FixtureRequest) -> Any:
    return MAKERS[request.param]("sasrec")


def test_no_pull_and_no_edit_change_nothing(model: Any) -> None:
    plain = history_scores(model, GIVEN)
    result = steer(model, plain, plain, (), RAW, k=5)
    expected = top_k(mask_seen(model.scores(np.array([0]), [HISTORY]), [HISTORY]), 5)[0]
    assert result.items.tolist() == result.before.tolist() == expected.tolist()
    assert result.old_ranks.tolist() == result.new_ranks.tolist() == [1, 2, 3, 4, 5]
    assert result.entered.tolist() == result.left.tolist() == []
    np.testing.assert_array_equal(result.mix_before, result.mix_after)


def test_a_pull_adds_its_unit_times_the_item_value(model: Any) -> None:
    plain, pulls = history_scores(model, GIVEN), (1.5, 0.0, -0.5)
    result = steer(model, plain, plain, pulls, RAW, k=N_ITEMS)
    slow = {
        item: float(model.scores(np.array([0]), [HISTORY])[0, item])
        + pull_unit(model) * sum(p * float(g) for p, g in zip(pulls, model.item_values()[item], strict=True))
        for item in set(range(N_ITEMS)) - set(HISTORY.tolist())
    }
    assert result.items.tolist() == sorted(slow, key=lambda item: -slow[item])
    places = {item: place for place, item in enumerate(result.before.tolist(), start=1)}
    assert result.old_ranks.tolist() == [places[item] for item in result.items.tolist()]
    assert not set(HISTORY.tolist()) & set(result.items.tolist())


def test_pulling_up_never_lowers_the_mean_and_mostly_raises_it(model: Any) -> None:
    rng = np.random.default_rng(5)
    higher = 0
    for _ in range(60):
        history = rng.permutation(N_ITEMS)[: rng.integers(0, 12)]
        attribute = int(rng.integers(0, A))
        plain = history_scores(model, UserHistory(int(rng.integers(-1, 20)), history))
        result = steer(model, plain, plain, pulled(attribute, rng.uniform(0.5, 3)), RAW, k=5)
        gain = result.mix_after[attribute] - result.mix_before[attribute]
        assert gain > -1e-9
        higher += gain > 1e-9
    assert higher > 30


def test_an_edited_history_is_what_the_model_sees_and_is_not_recommended(model: Any) -> None:
    plain = history_scores(model, GIVEN)
    new = int(steer(model, plain, plain, (), RAW).items[0])
    edited = Steering(removed=(3,), added=(new,)).edited(HISTORY)
    assert edited.tolist() == [7, 11, new]
    result = steer(model, plain, history_scores(model, UserHistory(0, edited)), (), RAW, k=N_ITEMS)
    expected = top_k(mask_seen(model.scores(np.array([0]), [edited]), [edited]), N_ITEMS)[0]
    assert result.items.tolist() == expected[expected >= 0].tolist()
    assert result.new_ranks[0] == 0  # what was first is now in the history
    assert new in result.left
    assert result.old_ranks[result.items.tolist().index(3)] == 0  # and what left it can be recommended
    assert 3 in result.entered


def test_a_history_of_everything_leaves_an_empty_list(model: Any) -> None:
    plain = history_scores(model, GIVEN)
    result = steer(model, plain, history_scores(model, UserHistory(0, np.arange(N_ITEMS))), pulled(0, 1), RAW, k=5)
    assert len(result.items) == 0
    assert result.new_ranks.tolist() == [0] * 5
    np.testing.assert_allclose(result.mix_after, np.nanmean(RAW, axis=0), rtol=1e-6)


def test_an_item_without_a_score_counts_as_average() -> None:
    model = MAKERS["head"]("external")
    all_but_one = UserHistory(0, np.setdiff1d(np.arange(N_ITEMS), [1]))  # item 1 has no score on attribute 0
    plain = history_scores(model, all_but_one)
    mix = steer(model, plain, plain, (), RAW).mix_before
    np.testing.assert_allclose(mix[0], np.nanmean(RAW[:, 0]), rtol=1e-6)
    np.testing.assert_allclose(mix[1:], RAW[1, 1:], rtol=1e-6)


def test_the_unit_is_felt_where_weights_are_tiny() -> None:
    model = MAKERS["additive"]("sasrec")
    assert pull_unit(model) == pytest.approx(np.sqrt(np.mean(model.weights().astype(float) ** 2)))
    assert pull_unit(MAKERS["second-training"]("sasrec")) == 0.05
