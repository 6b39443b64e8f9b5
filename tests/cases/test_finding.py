"""What a typed text may mean: a user, an item, or users on whom something holds."""

import numpy as np
import pytest

from guidedrec_core.audience.audience import Audience
from guidedrec_core.cases.finding import Condition, find, read_condition
from guidedrec_core.items.search import ItemIndex
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore


@pytest.fixture(scope="module")
def system(tiny_build):
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


def looked_up(system, text: str, conditions=None):
    return find(text, system.data.dataset.users, ItemIndex.of(system.data.dataset.catalogue), conditions, most=5)


def test_an_id_is_exact_in_any_case_and_comes_before_a_condition(system) -> None:
    def never(text: str) -> None:
        raise AssertionError(text)

    assert (looked_up(system, " USER-03 ", never).exact, looked_up(system, "user-03").users) == ("user", ("user-03",))
    found = looked_up(system, "Item-07", never)
    assert (found.exact, found.items) == ("item", ("item-07",))
    title = str(system.data.dataset.catalogue.frame["title"].iloc[7])
    assert looked_up(system, title.upper()).items == ("item-07",)


def test_parts_of_ids_and_titles_are_listed(system) -> None:
    found = looked_up(system, "user-0")
    assert (found.exact, len(found.users), found.n_users > 5) == (None, 5, True)
    items = looked_up(system, "tent")
    assert items.n_items > len(items.titles) == len(items.items) == 5
    assert looked_up(system, "   ").n_users == looked_up(system, "no such thing").n_items == 0


def test_any_reader_of_conditions_can_be_plugged_in(system) -> None:
    mask = np.zeros(len(system.data.dataset.users), dtype=bool)
    mask[[4, 9]] = True
    found = looked_up(system, "left-handed", lambda text: Condition(f"are {text}", mask))
    assert found.condition == "are left-handed"
    assert found.users == tuple(system.data.dataset.users.id(user) for user in (4, 9))
    assert found.n_users == 2


@pytest.fixture(scope="module")
def audience(system, tiny_build) -> Audience:
    run = tiny_build.evaluation
    return Audience.of(system, run.read_table("recommendations"), run.read_table("cases")).cut(10)


def test_conditions_are_those_of_audiences(system, audience) -> None:
    found = looked_up(system, "seeks warmth and lost by refinement", lambda text: read_condition(text, audience))
    assert found.condition == "seeks warmth and lost by refinement"
    expected = np.flatnonzero(audience.users("seeks warmth") & audience.users("lost by refinement"))
    assert found.n_users == len(expected)
    assert found.users == tuple(system.data.dataset.users.id(user) for user in expected[:5].tolist())


@pytest.mark.parametrize("text", ["", "seeks", "seeks zebras", "chose nothing like it", "buy low"])
def test_anything_else_is_no_condition(audience, text: str) -> None:
    assert read_condition(text, audience) is None
