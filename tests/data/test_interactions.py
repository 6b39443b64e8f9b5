from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.data.interactions import Interactions, core_filter
from guidedrec_core.errors import DataError

DAY = 86_400
NOW = 1_500_000_000


def table(rows: list[tuple[Any, ...]], *extra: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "item_id", "datetime", *extra])


def rows_of(interactions: Interactions) -> list[tuple[str, str]]:
    return list(zip(interactions.frame["user_id"], interactions.frame["item_id"], strict=True))


def codes(notices: tuple[Any, ...]) -> dict[str, int]:
    return {notice.code: notice.count for notice in notices}


def test_sorted_by_user_then_time_with_ties_in_source_order() -> None:
    raw = table([("b", "z", NOW), ("a", "late", NOW + DAY), ("b", "y", NOW), ("a", "soon", NOW), ("b", "x", NOW)])
    clean, _ = Interactions.clean(raw)
    assert rows_of(clean) == [("a", "soon"), ("a", "late"), ("b", "z"), ("b", "y"), ("b", "x")]
    assert clean.frame["weight"].tolist() == [1.0] * 5


def test_ids_become_text_and_keep_leading_zeros() -> None:
    clean, notices = Interactions.clean(table([("007", "ünïcode id", NOW), (" 8 ", "b", NOW)]))
    assert rows_of(clean) == [("007", "ünïcode id"), ("8", "b")]
    assert codes(notices)["user_ids_trimmed"] == 1
    assert "item_ids_trimmed" not in codes(notices)


def test_whole_floating_point_ids_lose_their_fraction() -> None:
    clean, _ = Interactions.clean(table([(1.0, 2, NOW)]))
    assert rows_of(clean) == [("1", "2")]


@pytest.mark.parametrize(
    ("times", "unit"),
    [([NOW, NOW + DAY], "seconds"), ([NOW * 1000, (NOW + DAY) * 1000], "milliseconds"), ([str(NOW), "1500086400"], "")],
)
def test_unix_times_are_told_apart_by_size(times: list[Any], unit: str) -> None:
    clean, notices = Interactions.clean(table([("a", "x", times[0]), ("a", "y", times[1])]))
    assert clean.frame["datetime"].tolist() == [pd.Timestamp(NOW, unit="s"), pd.Timestamp(NOW + DAY, unit="s")]
    assert [n.message for n in notices if n.code == "time_unit"] == [f"times were read as Unix {unit or 'seconds'}"]


def test_text_times_with_a_zone_become_utc() -> None:
    clean, notices = Interactions.clean(table([("a", "x", "2020-01-01T01:00:00+02:00"), ("a", "y", "2020-01-01")]))
    assert clean.frame["datetime"].tolist() == [pd.Timestamp("2019-12-31 23:00"), pd.Timestamp("2020-01-01")]
    assert notices == ()


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["2020-01-01", "yesterday"], r"1 of 2 cannot be read \(first: 'yesterday' in row 2\)"),
        (["2020-01-01", None], "1 of 2 cannot be read"),
        ([NOW, NOW, float("nan")], r"1 of 3 cannot be read \(first: 'nan' in row 3\)"),
        ([NOW, NOW, "soon"], r"1 of 3 cannot be read \(first: 'soon' in row 3\)"),
        ([NOW, NOW, float("inf")], "1 of 3 cannot be read"),
        ([NOW, NOW, NOW * 1000], "most look like Unix seconds, but 1 of 3"),
        ([NOW * 10**9], "read as Unix milliseconds"),
        ([NOW * 10**6, NOW * 10**6], "2 of 2 lie outside"),
        ([5, 6], "2 of 2 lie outside .*'5' read as Unix seconds"),
        ([20200131, 20200201], r"2 of 2 look like dates without hyphens \(first: '20200131'\)"),
        ([NOW, 20200131, NOW + DAY], r"1 of 3 look like dates without hyphens \(first: '20200131'\)"),
        ([20200131, 20200201, NOW], "2 of 3 look like dates without hyphens"),
        (["2020-01-01", "today"], r"1 of 2 cannot be read \(first: 'today' in row 2\)"),
        (["now"], "1 of 1 cannot be read"),
        (["1815-06-18"], "between 1970 and 2100"),
    ],
)
def test_bad_times_give_one_clear_error(times: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Interactions.clean(table([("a", str(n), t) for n, t in enumerate(times)]))


@pytest.mark.parametrize("weight", ["much", None, float("inf")])
def test_bad_weights_are_refused(weight: Any) -> None:
    with pytest.raises(DataError, match="expected a number as weight in every row, 1 of 2"):
        Interactions.clean(table([("a", "x", NOW, 1.0), ("a", "y", NOW, weight)], "weight"))


def test_all_missing_columns_are_named_at_once() -> None:
    with pytest.raises(DataError, match=r"missing: user_id, datetime; found: item_id, when"):
        Interactions.clean(pd.DataFrame({"item_id": ["x"], "when": [NOW]}))


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match="got an empty table"):
        Interactions.clean(table([]))


@pytest.mark.parametrize("absent", [None, "", "  ", float("nan")])
def test_missing_ids_are_counted_and_placed(absent: Any) -> None:
    with pytest.raises(DataError, match=r"expected a user id in every row, 1 of 2 have none \(first: row 2\)"):
        Interactions.clean(table([("a", "x", NOW), (absent, "y", NOW)]))


def test_exact_repeats_are_dropped_and_returns_are_kept_with_counts() -> None:
    raw = table(
        [("a", "x", NOW, 3.0), ("a", "x", NOW, 5.0), ("a", "x", NOW + DAY, 4.0), ("a", "y", NOW, 1.0)], "weight"
    )
    clean, notices = Interactions.clean(raw)
    assert clean.frame["weight"].tolist() == [3.0, 1.0, 4.0]
    assert codes(notices) == {"time_unit": 4, "duplicate_rows": 1, "repeated_items": 1, "tied_times": 2}


def test_the_constructor_refuses_unsorted_tables() -> None:
    clean, _ = Interactions.clean(table([("a", "x", NOW), ("a", "y", NOW + DAY), ("b", "x", NOW)]))
    with pytest.raises(DataError, match="sorted by user and time"):
        Interactions(clean.frame.iloc[[1, 0, 2]])
    with pytest.raises(DataError, match="sorted by user and time"):
        Interactions(clean.frame.iloc[[0, 2, 1]])


def test_core_filter_repeats_until_all_have_enough() -> None:
    # Item z holds user c up, and falls only after user d is gone; then c falls too.
    raw = table(
        [(u, i, NOW) for u in "ab" for i in "xy"] + [("c", "x", NOW), ("c", "z", NOW), ("d", "z", NOW)],
    )
    kept, notices = core_filter(Interactions.clean(raw)[0], 2)
    assert rows_of(kept) == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    assert codes(notices) == {"core_filter": 3}
    assert "3 interactions, 2 users and 1 items were left out" in notices[0].message


def test_core_filter_of_one_changes_nothing() -> None:
    interactions, _ = Interactions.clean(table([("a", "x", NOW)]))
    assert core_filter(interactions, 1) == (interactions, ())


def test_core_filter_that_leaves_nothing_says_so() -> None:
    with pytest.raises(DataError, match="no interactions are left when every user and item needs 2"):
        core_filter(Interactions.clean(table([("a", "x", NOW), ("b", "y", NOW)]))[0], 2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), min_size=1, max_size=40),
    st.integers(1, 3),
)
def test_core_filter_is_the_largest_core(pairs: list[tuple[str, str]], minimum: int) -> None:
    interactions, _ = Interactions.clean(table([(u, i, NOW + n) for n, (u, i) in enumerate(pairs)]))
    expected = list(pairs)
    while True:  # peel one offender at a time
        users, items = [u for u, _ in expected], [i for _, i in expected]
        low = [p for p in expected if users.count(p[0]) < minimum or items.count(p[1]) < minimum]
        if not low:
            break
        expected.remove(low[0])
    if not expected:
        with pytest.raises(DataError):
            core_filter(interactions, minimum)
    else:
        assert sorted(rows_of(core_filter(interactions, minimum)[0])) == sorted(expected)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("uvwxyz"), st.integers(0, 5)), min_size=1, max_size=30)
)
def test_cleaning_twice_changes_nothing(rows: list[tuple[str, str, int]]) -> None:
    once, notices = Interactions.clean(table([(u, i, NOW + t) for u, i, t in rows]))
    twice, _ = Interactions.clean(once.frame)
    pd.testing.assert_frame_equal(once.frame, twice.frame)
    assert len(once) == len(rows) - codes(notices).get("duplicate_rows", 0)
