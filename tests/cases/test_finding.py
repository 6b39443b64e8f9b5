"""What a typed text may mean: a user, an item, or users on whom something holds."""

import numpy as np
import pandas as pd
import pytest

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


def test_had_is_counted_from_the_histories(system) -> None:
    catalogue = system.data.dataset.catalogue.frame
    category = str(catalogue["category"].iloc[0])
    found = read_condition(f"chose {category}", system, None)
    own = set(np.flatnonzero(catalogue["category"] == category).tolist())
    users = range(len(system.data.dataset.users))
    expected = [bool(own & set(system.data.shown_history(user).tolist())) for user in users]
    assert found is not None
    assert found.users.tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_seeks_and_avoids_are_quarters_that_do_not_meet(system) -> None:
    seeks, avoids = (read_condition(f"{word} warmth", system, None) for word in ("seeks", "avoids"))
    assert seeks is not None
    assert avoids is not None
    n = len(system.data.dataset.users)
    assert n / 5 < seeks.users.sum() < n / 3
    assert not (seeks.users & avoids.users).any()
    assert seeks.phrase == "seek warmth (the highest quarter)"


def test_lost_and_found_compare_the_ranks_of_both_models(system) -> None:
    users = [system.data.dataset.users.id(user) for user in range(3)]
    cases = pd.DataFrame({"user_id": users, "rank_base": [3, 12, 5], "rank_refined": [11, 2, 4]})
    lost = read_condition("lost by refinement", system, cases)
    found = read_condition("Found by refinement", system, cases)
    assert lost is not None
    assert found is not None
    assert np.flatnonzero(lost.users).tolist() == [0]
    assert np.flatnonzero(found.users).tolist() == [1]
    assert read_condition("lost by refinement", system, None) is None


@pytest.mark.parametrize("text", ["", "seeks", "seeks zebras", "chose nothing like it", "buy low"])
def test_anything_else_is_no_condition(system, text: str) -> None:
    assert read_condition(text, system, None) is None
