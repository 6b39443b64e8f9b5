"""One item beside another, with titles, from a stored run: the parts are the difference of the scores."""

import numpy as np
import pytest

from guidedrec_core.cases.against import build_against
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.ranking.ranks import mask_seen, top_k
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore

USER = 3


@pytest.fixture(scope="module")
def system(tiny_build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


@pytest.fixture(scope="module")
def scores(system: RefinedRecommender) -> np.ndarray:
    history = system.data.shown_history(USER)
    return mask_seen(system.refined.scores(np.array([USER]), [history]), [history])


def test_the_parts_are_the_difference_to_the_item_just_below_or_to_any_other(
    system: RefinedRecommender, scores: np.ndarray
) -> None:
    order = top_k(scores, 40)[0]
    order = order[order >= 0]
    user, ids = system.data.dataset.users.id(USER), system.data.dataset.items.ids
    for place, other in ((0, None), (0, 5), (9, 2)):
        asked = None if other is None else str(ids[order[other]])
        result = build_against(system, user, str(ids[order[place]]), asked)
        assert result is not None
        beside = order[place + 1] if other is None else order[other]
        assert result.other_id == ids[beside]
        assert result.difference == pytest.approx(scores[0, order[place]] - scores[0, beside], abs=1e-5)
        assert result.parts["value"].sum() == pytest.approx(result.difference, abs=1e-9)
        assert (" above " if place < (other or 1) else " below ") in result.sentence
        assert result.sentence.count(result.other) == 1
    assert build_against(system, user, str(ids[order[-1]])) is None


def test_an_item_of_the_history_has_nothing_below_it_but_can_be_compared(system: RefinedRecommender) -> None:
    user, ids = system.data.dataset.users.id(USER), system.data.dataset.items.ids
    taken = str(ids[system.data.shown_history(USER)[0]])
    assert build_against(system, user, taken) is None
    assert build_against(system, user, taken, "item-00" if taken != "item-00" else "item-01") is not None
    with pytest.raises(UnknownIdError):
        build_against(system, user, taken, "nosuch")
