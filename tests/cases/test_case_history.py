"""A history's explanation with titles, from a stored run."""

import numpy as np
import pytest

from guidedrec_core.cases.history import build_history
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore


@pytest.fixture(scope="module")
def system(tiny_build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


def test_rows_and_columns_add_up_to_the_score(system: RefinedRecommender) -> None:
    user = system.data.dataset.users.id(3)
    history = system.data.shown_history(3)
    shown = build_history(system, user, "item-05")
    score = system.refined.scores(np.array([3]), [history])[0, system.data.dataset.items.index("item-05")]
    assert shown.score == pytest.approx(score, abs=1e-5)
    assert shown.items["value"].sum() + shown.alone.sum() + shown.bias == pytest.approx(shown.score)
    np.testing.assert_allclose(shown.matrix.sum(axis=1), shown.items["value"])
    labels = [line.label for line in system.named.columns.lines]
    assert list(shown.matrix.columns) == [*labels, "Other choice patterns"]
    newest = system.data.dataset.items.id(int(history[-1]))
    assert (shown.items["item_id"].iloc[0], shown.items["number"].iloc[0]) == (newest, len(history))
    assert shown.exact == (len(history) <= 12)
    dropped = system.refined.scores(np.array([3]), [history[:-1]])[0, system.data.dataset.items.index("item-05")]
    assert shown.items["without"].iloc[0] == pytest.approx(dropped - score, abs=1e-5)


def test_the_base_model_has_no_attributes(system: RefinedRecommender) -> None:
    user = system.data.dataset.users.id(3)
    shown = build_history(system, user, "item-05", "base")
    assert list(shown.matrix.columns) == ["Choice patterns"]
    score = system.base.scores(np.array([3]), [system.data.shown_history(3)])[0, 5]
    assert system.data.dataset.items.index("item-05") == 5
    assert shown.score == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize("wrong", [{"user_id": "nobody"}, {"item_id": "nothing"}, {"model": "other"}])
def test_unknown_names_are_told(system: RefinedRecommender, wrong: dict[str, str]) -> None:
    with pytest.raises(UnknownIdError):
        build_history(system, **{"user_id": system.data.dataset.users.id(3), "item_id": "item-05", **wrong})
