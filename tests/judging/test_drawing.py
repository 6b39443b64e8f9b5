"""Cases drawn from a real run: the lists and items are the recommenders', and nothing in them tells which is which."""

from functools import cache

import numpy as np
import pytest

from guidedrec_core.errors import InputError, NotFoundError, UnknownIdError
from guidedrec_core.judging.prediction import new_prediction_test, placebo_values
from guidedrec_core.judging.taste import Opener, new_taste_test, offered
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.library import RefinedEntry, find_entry
from guidedrec_core.runs.store import RunStore


@pytest.fixture(scope="module")
def store(tiny_build) -> RunStore:
    return RunStore(tiny_build.data.path.parents[1])


@pytest.fixture(scope="module")
def entry(store: RunStore) -> RefinedEntry:
    return find_entry(store, "tiny")


@pytest.fixture(scope="module")
def opened(store: RunStore) -> Opener:
    return cache(lambda run_id: open_refined(store, run_id))


def test_lists_are_those_of_both_recommenders(store, entry, opened) -> None:
    content, runs = new_taste_test(store, entry, "base", "refined", opened, cases=5, length=4, seed=3)
    assert runs == {"refined": entry.run.id}
    model = opened(entry.run.id)
    assert len(content.taste) == 5
    for case in content.taste:
        for shown, recommender in ((case.first, model.base_recommender), (case.second, model)):
            listed = recommender.recommend([case.customer.user_id], k=4)["item_id"].tolist()
            assert [item.item_id for item in shown] == listed
        assert {item.item_id for item in case.first} != {item.item_id for item in case.second}
        history = model.data.showing("full").shown_history(model.data.dataset.users.index(case.customer.user_id))
        assert case.customer.n_history == len(history)
        newest = model.data.dataset.items.ids[history[::-1][:6]]
        assert [item.item_id for item in case.customer.history] == newest.tolist()
    assert content.drawn["users"] >= 5
    assert content.drawn["users"] == 5 + content.drawn["same items"] + content.drawn["list too short"]
    assert new_taste_test(store, entry, "base", "refined", opened, cases=5, length=4, seed=3)[0] == content
    other = new_taste_test(store, entry, "base", "refined", opened, cases=5, length=4, seed=4)[0]
    assert [case.customer.user_id for case in other.taste] != [case.customer.user_id for case in content.taste]


@pytest.mark.parametrize("second", ["placebo", "named"])
def test_the_placebo_and_named_parts_alone_can_be_compared(store, entry, opened, second: str) -> None:
    content, runs = new_taste_test(store, entry, "refined", second, opened, cases=3, length=5)
    assert [one.key for one in content.compared] == ["refined", second]
    assert second in offered(store, entry)
    if second == "placebo":
        assert runs["placebo"] == entry.evaluation.inputs["placebo"]
        model = opened(runs["placebo"])
        case = content.taste[0]
        listed = model.recommend([case.customer.user_id], k=5)["item_id"].tolist()
        assert [item.item_id for item in case.second] == listed


def test_what_cannot_be_compared_is_refused(store, entry, opened) -> None:
    with pytest.raises(InputError, match="two different recommenders, got 'base' twice"):
        new_taste_test(store, entry, "base", "base", opened)
    with pytest.raises(NotFoundError, match="another refined run of the same data, got 'nothing'"):
        new_taste_test(store, entry, "base", "nothing", opened)
    with pytest.raises(UnknownIdError):
        new_taste_test(store, entry, "base", "refined", opened, users=["nobody"])
    with pytest.raises(InputError, match="every user once"):
        new_taste_test(store, entry, "base", "refined", opened, users=["user-03", "user-03"])
    with pytest.raises(InputError, match="at least 1 of cases, got 0"):
        new_taste_test(store, entry, "base", "refined", opened, cases=0)
    with pytest.raises(InputError, match="make the lists shorter"):
        new_taste_test(store, entry, "base", "refined", opened, length=40)
    with pytest.raises(InputError, match="make the list shorter"):
        new_prediction_test(entry, opened, length=20)


def test_a_prediction_pairs_a_recommended_item_with_one_from_further_down(entry, opened) -> None:
    content, runs = new_prediction_test(entry, opened, cases=8, length=4, per_judge=6, seed=1)
    assert runs == {"refined": entry.run.id}
    assert (content.per_judge, content.length, len(content.prediction)) == (6, 4, 8)
    model, favoured = opened(entry.run.id), []
    for case in content.prediction:
        ranked = model.recommend([case.customer.user_id], k=40)["item_id"].tolist()
        for option in (case.recommended, case.other):
            assert ranked[option.rank - 1] == option.item.item_id
        assert 1 <= case.recommended.rank <= 4 < 12 < case.other.rank <= 40
        why = model.explain(case.customer.user_id, case.recommended.item.item_id).lines.query("name != 'average'")
        largest = why["contribution"].abs().nlargest(len(case.recommended.reasons)).tolist()
        assert [abs(reason.value) for reason in case.recommended.reasons] == pytest.approx(largest)
        placebo = [sum(reason.value for reason in option.placebo) for option in (case.recommended, case.other)]
        favoured.append(placebo[0] > placebo[1])
    assert sum(favoured) == 4  # whoever believes the placebo is right in half of the cases


def test_a_placebo_has_the_same_values_on_other_lines() -> None:
    rng = np.random.default_rng(0)
    first, second = [2.0, -1.0, 0.5, 0.1, 0.05], [1.5, 0.7]
    wins = []
    for _ in range(200):
        one, two = placebo_values(first, second, bool(rng.integers(2)), rng)
        assert sorted([*one, *two]) == sorted([*first, *second])
        assert (len(one), len(two)) == (5, 2)
        wins.append(one[0])
    assert len(set(wins)) > 4
    alike = placebo_values([1.0], [1.0], True, rng)  # no draw favours either: any will do
    assert alike == ([1.0], [1.0])
