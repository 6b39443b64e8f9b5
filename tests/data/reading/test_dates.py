"""Dates in other orders: read as named, refused with both readings where nobody named one."""

from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.data.reading.dates import advice, check_format, parse_dates
from guidedrec_core.data.times import clean_times
from guidedrec_core.errors import ConfigError, DataError


def parsed(values: list[str], date_format: str) -> list[str]:
    found = clean_times(pd.Series(values, dtype="str"), [], date_format)
    return [str(moment)[:19] for moment in found.view("datetime64[us]")]


@pytest.mark.parametrize(
    ("date_format", "cell", "expected"),
    [
        ("day-first", "01/02/2024", "2024-02-01T00:00:00"),
        ("month-first", "01/02/2024", "2024-01-02T00:00:00"),
        ("day-first", " 1.2.24 ", "2024-02-01T00:00:00"),
        ("day-first", "31-12-1999 23:59", "1999-12-31T23:59:00"),
        ("day-first", "31/12/99 9:05:07", "1999-12-31T09:05:07"),
        ("month-first", "12/31/2023, 12:00 AM", "2023-12-31T00:00:00"),
        ("month-first", "12/31/2023 1:05 pm", "2023-12-31T13:05:00"),
        ("day-first", "2024-02-01", "2024-02-01T00:00:00"),
        ("%d %b %Y", "1 Feb 2024", "2024-02-01T00:00:00"),
        ("%Y%m%d", "20240201", "2024-02-01T00:00:00"),
    ],
)
def test_one_reading(date_format: str, cell: str, expected: str) -> None:
    assert parsed([cell], date_format) == [expected]


@settings(max_examples=60, deadline=None)
@given(st.datetimes(datetime(1970, 1, 3), datetime(2068, 12, 30)).map(lambda d: d.replace(microsecond=0)))
def test_both_orders_agree_with_strptime(moment: datetime) -> None:
    for order, form in (("day-first", "%d/%m/%Y %H:%M:%S"), ("month-first", "%m/%d/%Y %H:%M:%S")):
        assert parsed([moment.strftime(form)], order) == [moment.isoformat()]


@pytest.mark.parametrize("cell", ["31/02/2024", "13/13/2024", "1/2", "01/02/2024 25:00", "01/02/2024 soon", "now", ""])
def test_what_is_no_date_is_refused_with_its_row(cell: str) -> None:
    with pytest.raises(DataError, match=r"expected dates with the day first.*1 of 2 cannot be read .* in row 2\)"):
        parsed(["01/02/2024", cell], "day-first")


def test_ambiguous_dates_are_refused_with_both_readings() -> None:
    with pytest.raises(
        DataError,
        match=r"'01/02/2024' can be read as 1 February 2024 \(day first\) or as 2 January 2024 \(month first\); "
        r"say which with --date-format day-first or --date-format month-first$",
    ):
        clean_times(pd.Series(["01/02/2024", "03/04/2024"], dtype="str"), [])


def test_dates_of_one_reading_are_refused_with_it() -> None:
    with pytest.raises(DataError, match=r"'13/02/2024' can only be read with the day first; add --date-format day-f"):
        clean_times(pd.Series(["01/02/2024", "13/02/2024"], dtype="str"), [])
    assert "month first" in str(advice(["02/13/2024"]))
    assert "some dates have the day first and others the month" in str(advice(["02/13/2024", "13/02/2024"]))
    assert advice(["yesterday"]) is None


@pytest.mark.parametrize("wrong", ["", "dayfirst", "%d/%m", "%H:%M", "dd/mm/yyyy"])
def test_formats_without_a_whole_date_are_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="expected a date format out of day-first, month-first, or a pattern"):
        check_format(wrong)


def test_numbers_as_dates_of_a_pattern() -> None:
    assert clean_times(pd.Series([20240201]), [], "%Y%m%d").tolist() == [1_706_745_600_000_000]


def test_iso_dates_need_no_format() -> None:
    assert parse_dates(pd.Series(["2024-01-31"], dtype="str"), "month-first").iloc[0] == pd.Timestamp(2024, 1, 31)
