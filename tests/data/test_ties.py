"""Ties: interactions of one user at the same moment are counted, and ordered as asked for."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.config import TiesConfig
from guidedrec_core.data.dataset import Dataset
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.data.interactions import Interactions
from guidedrec_core.errors import ConfigError, DataError

SHUFFLE = TiesConfig(order="shuffle", seed=3)
BY_LINE = TiesConfig(order="column", column="line")


def table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "item_id", "datetime", "tie_order"])


def items(raw: pd.DataFrame, ties: TiesConfig = TiesConfig()) -> list[str]:  # noqa: B008
    return Interactions.clean(raw, ties)[0].frame["item_id"].tolist()


def said(raw: pd.DataFrame, ties: TiesConfig = TiesConfig()) -> str | None:  # noqa: B008
    notices = {notice.code: notice for notice in Interactions.clean(raw, ties)[1]}
    return notices["tied_times"].message if "tied_times" in notices else None


# User a: three on the first day, one on the second; user b: two on one day; user c is never tied.
ROWS = [
    *(("a", "z", "2020-01-01", "10"), ("b", "x", "2020-01-01", "1"), ("a", "y", "2020-01-01", "9")),
    *(("a", "w", "2020-01-02", "0"), ("a", "x", "2020-01-01", "100"), ("b", "w", "2020-01-01", "1")),
    ("c", "x", "2020-01-01", "5"),
]


def test_ties_keep_the_order_of_the_file_and_are_counted() -> None:
    assert items(table(ROWS)) == ["z", "y", "x", "w", "x", "w", "x"]
    assert said(table(ROWS)) == (
        "5 of 7 interactions have the time of another one of the same user; these keep the order of the source"
    )


def test_without_ties_nothing_is_said() -> None:
    assert said(table([row for row in ROWS if row[0] == "c"])) is None
    # A row that repeats another is dropped, and ties nothing.
    assert said(table([ROWS[6], ROWS[6]]).assign(tie_order=1)) is None


@pytest.mark.parametrize("prefix", ["", "item "])
def test_a_file_sorted_by_item_id_is_found_out(prefix: str) -> None:
    rows = [("a", f"{prefix}{n}", "2020-01-01", 0) for n in range(8, 40)]  # "9" comes before "10" as a number only
    if prefix:
        rows = sorted(rows)
    assert str(said(table(rows))).endswith("which is that of item ids and says nothing about time")
    assert str(said(table([rows[1], rows[0], *rows[2:]]))).endswith("keep the order of the source")


def test_a_column_orders_ties_as_numbers_and_leaves_the_rest() -> None:
    assert items(table(ROWS), BY_LINE) == ["y", "z", "x", "w", "x", "w", "x"]
    assert str(said(table(ROWS), BY_LINE)).endswith("these are ordered by column line")
    as_text = table([(*row[:3], f"n{row[3]}") for row in ROWS])
    assert items(as_text, BY_LINE) == ["z", "x", "y", "w", "x", "w", "x"]
    as_dates = table([(*row[:3], pd.Timestamp("2020") + pd.Timedelta(days=int(row[3]))) for row in ROWS])
    assert items(as_dates, BY_LINE) == ["y", "z", "x", "w", "x", "w", "x"]


def test_a_column_with_gaps_orders_nothing() -> None:
    rows = table([*ROWS[:2], (*ROWS[2][:3], None), *ROWS[3:]])
    with pytest.raises(DataError, match=r"orders ties, 1 of 7 have none \(first: row 3\); fill them"):
        items(rows, BY_LINE)


def test_a_shuffle_follows_its_seed_and_not_the_file() -> None:
    rows = [("a", f"{n:02d}", "2020-01-01", 0) for n in range(30)] + [("a", "last", "2020-01-02", 0)]
    shuffled = items(table(rows), SHUFFLE)
    assert sorted(shuffled[:-1]) == [row[1] for row in rows[:-1]]
    assert shuffled[-1] == "last"
    assert shuffled[:-1] != sorted(shuffled[:-1])
    assert items(table(rows[::-1]), SHUFFLE) == shuffled
    assert items(table(rows), TiesConfig(order="shuffle", seed=4)) != shuffled
    assert str(said(table(rows), SHUFFLE)).endswith("these are shuffled with seed 3")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("uvwxyz"), st.integers(0, 2), st.integers(0, 3)), min_size=1
    ),
    st.sampled_from([TiesConfig(), SHUFFLE, BY_LINE]),
)
def test_nothing_but_ties_is_ordered_anew(rows: list[tuple[str, str, int, int]], ties: TiesConfig) -> None:
    raw = table([(u, i, pd.Timestamp("2020") + pd.Timedelta(days=t), k) for u, i, t, k in rows])
    plain, arranged = (Interactions.clean(raw, one)[0].frame for one in (TiesConfig(), ties))
    assert plain[["user_id", "datetime"]].equals(arranged[["user_id", "datetime"]])
    key = ["user_id", "datetime", "item_id"]
    assert plain.sort_values(key, ignore_index=True).equals(arranged.sort_values(key, ignore_index=True))


def test_the_order_is_recorded_with_the_data_set_unless_it_is_the_file_s(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    table(ROWS).rename(columns={"tie_order": "line"}).to_csv(path, index=False)
    plain = import_dataset("csv", path, "own")
    assert plain.source == {"format": "csv", "path": "own.csv"}
    by_line = import_dataset("csv", path, "own", ties=BY_LINE)
    assert by_line.source == {**plain.source, "ties": "ordered by column line"}
    assert by_line.interactions.frame["item_id"].tolist()[:3] == ["y", "z", "x"]
    assert import_dataset("csv", path, "own", ties=SHUFFLE).source["ties"] == "shuffled with seed 3"
    assert json.loads(json.dumps(by_line.describe()))["source"]["ties"] == "ordered by column line"


def test_tables_in_memory_have_the_same_choice() -> None:
    frame = table(ROWS).rename(columns={"tie_order": "line"})
    dataset = Dataset.from_frames(frame, ties=BY_LINE)
    assert dataset.interactions.frame["item_id"].tolist()[:3] == ["y", "z", "x"]
    assert dataset.source == {"format": "DataFrame", "ties": "ordered by column line"}
    with pytest.raises(DataError, match="expected the column place, which orders ties"):
        Dataset.from_frames(frame, ties=TiesConfig(order="column", column="place"))


@pytest.mark.parametrize("values", [{"order": "column"}, {"column": "line"}, {"order": "shuffle", "column": "line"}])
def test_a_column_belongs_to_one_order(values: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="a column is needed for the order 'column', and for no other"):
        TiesConfig.parse(values)
