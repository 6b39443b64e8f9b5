"""Dealing cases: balanced within a judge and over judges, at random otherwise, and the same for the same seed."""

from collections import Counter

import pytest
from planted import dealt, prediction_content, taste_content

from guidedrec_core.judging.content import ARMS
from guidedrec_core.judging.design import deal


def spread(counts: Counter, keys) -> int:
    found = [counts[key] for key in keys]
    return max(found) - min(found)


@pytest.mark.parametrize(
    ("n_cases", "per_judge", "n_judges"), [(12, 12, 9), (12, 7, 10), (20, 6, 11), (5, 4, 3), (1, 1, 4)]
)
def test_everything_is_balanced(n_cases: int, per_judge: int, n_judges: int) -> None:
    content = prediction_content(n_cases, per_judge)
    plans, ids = dealt(content, n_judges), [case.id for case in content.cases]
    for plan in plans:
        assert len({slot.case_id for slot in plan}) == per_judge
        assert spread(Counter(slot.arm for slot in plan), ARMS) <= 1
        assert spread(Counter(slot.side for slot in plan), ("left", "right")) <= 1
        for arm in ARMS:
            assert spread(Counter(slot.side for slot in plan if slot.arm == arm), ("left", "right")) <= 1
    slots = [slot for plan in plans for slot in plan]
    assert spread(Counter(slot.case_id for slot in slots), ids) <= 1
    assert spread(Counter(slot.arm for slot in slots), ARMS) <= 1


def test_every_case_gets_every_arm_over_three_judges() -> None:
    for n_judges in (3, 6, 9):
        slots = [slot for plan in dealt(prediction_content(12), n_judges) for slot in plan]
        pairs = Counter((slot.case_id, slot.arm) for slot in slots)
        assert set(pairs.values()) == {n_judges // 3}
        assert len(pairs) == 36


def test_order_and_sides_are_drawn_anew_for_each_judge_and_are_the_same_again() -> None:
    content = taste_content(10)
    plans = dealt(content, 200)
    assert plans == dealt(content, 200)
    assert plans[0] != dealt(content, 1, seed=1)[0]
    first_of_all = Counter(plan[0].case_id for plan in plans)
    assert len(first_of_all) == 10
    assert max(first_of_all.values()) < 45  # 20 expected, P(45 or more of 200) < 1e-6
    sides = Counter(slot.side for plan in plans for slot in plan if slot.case_id == "case-003")
    assert 65 <= sides["left"] <= 135  # 200 draws of one half: five standard deviations
    assert {slot.arm for plan in plans for slot in plan} == {""}


def test_whoever_comes_next_gets_the_cases_that_were_asked_least() -> None:
    first = deal(["a", "b", "c", "d"], [""], 2, 0)
    second = deal(["a", "b", "c", "d"], [""], 2, 0, [first])
    assert {slot.case_id for slot in (*first, *second)} == {"a", "b", "c", "d"}
