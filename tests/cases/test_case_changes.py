"""What would change a case, with titles, from a stored run: all that is told holds in the stored models."""

import numpy as np
import pytest

from guidedrec_core.cases.changes import build_changes, build_moved, build_why_not
from guidedrec_core.errors import UnknownIdError
from guidedrec_core.explanation.steering.steer import pull_unit
from guidedrec_core.ranking.ranks import mask_seen, ranks_of, top_k
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore

USER = 3


@pytest.fixture(scope="module")
def system(tiny_build) -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


def ids(system: RefinedRecommender, place: int) -> tuple[str, str, int]:
    """Return the ids of a user and of the item at a place in the refined ranking, and its index."""
    history = system.data.shown_history(USER)
    scores = mask_seen(system.refined.scores(np.array([USER]), [history]), [history])
    item = int(top_k(scores, place)[0, -1])
    return system.data.dataset.users.id(USER), system.data.dataset.items.id(item), item


@pytest.mark.parametrize("place", [2, 14])
def test_every_change_told_changes_the_list(system: RefinedRecommender, place: int) -> None:
    user, item, _ = ids(system, place)
    found = build_changes(system, user, item)
    assert not found.seen
    assert ((found.edits["rank"] > 10) == (place <= 10)).all()
    assert {"taste"} <= set(found.edits["kind"]) <= {"history", "taste", "scores"}
    goal = "would drop to" if place <= 10 else "would rise to"
    assert any(goal in sentence for sentence in found.pulls)
    middle = found.curves[found.curves["steps"].abs() < 1e-9]
    assert len(middle) == len(system.schema)
    assert (middle["rank"] == place).all()


def test_the_curves_are_the_models(system: RefinedRecommender) -> None:
    user, item, index = ids(system, 5)
    curves = build_changes(system, user, item).curves
    row = curves.iloc[7]
    history = system.data.shown_history(USER)
    g = system.refined.item_values()[:, system.schema.index(row["attribute"])]
    scores = system.refined.scores(np.array([USER]), [history]) + pull_unit(system.refined) * row["steps"] * g
    assert int(ranks_of(mask_seen(scores, [history]), np.array([index]))[0]) == row["rank"]


def test_why_not_names_what_it_is_compared_with(system: RefinedRecommender) -> None:
    user, item, _ = ids(system, 14)
    result = build_why_not(system, user, item)
    assert result.sentence.startswith(f"{result.title} is 14th, ")
    assert f"below {result.against}, the last in the top 10, with 3 items in between" in result.sentence
    assert result.parts["value"].sum() == pytest.approx(result.margin)
    assert result.parts["value"].is_monotonic_increasing
    assert len(result.parts) == len(system.named.columns.lines) + 1


def test_why_it_moved_adds_up(system: RefinedRecommender) -> None:
    user, item, _ = ids(system, 1)
    moved = build_moved(system, user, item)
    assert moved is not None
    assert moved.exact
    assert moved.rank == 1
    assert moved.parts["gained"].sum() == pytest.approx(moved.base_rank - 1)
    assert {"Other choice patterns", "Popularity"} < set(moved.parts["label"])
    assert "The base model uses no attributes." in moved.base_sentence
    assert len(moved.base_parts) == len(system.schema)


def test_what_the_user_has_is_told(system: RefinedRecommender) -> None:
    user, item = (
        system.data.dataset.users.id(USER),
        system.data.dataset.items.id(int(system.data.shown_history(USER)[0])),
    )
    assert build_changes(system, user, item).seen
    assert "has already chosen it" in build_why_not(system, user, item).sentence
    assert build_moved(system, user, item) is None
    with pytest.raises(UnknownIdError):
        build_changes(system, "nobody", item)
