"""A report as data: cells as people read them, names of tables, plain values."""

import numpy as np
import pandas as pd
import pytest
import reports

from guidedrec_core.report.case import case_report
from guidedrec_core.report.document import Column, Report, Section, Table, plain, written
from guidedrec_core.report.html import file_stem


def table(name: str, rows: int = 2) -> Table:
    frame = pd.DataFrame({"label": [f"row {n}" for n in range(rows)], "value": np.arange(rows) / 7})
    return Table(name, "Some rows", frame, {"label": Column("Label"), "value": Column("Value", ".2f")})


def test_a_table_shows_the_first_hundred_rows_and_says_so() -> None:
    assert table("few").shown() == [[("", "row 0"), ("number", "0.00")], [("", "row 1"), ("number", "0.14")]]
    many = table("many", 130)
    assert len(many.shown()) == 100
    assert many.left_out == "The first 100 of 130 rows."
    assert table("few").left_out == ""


def test_two_tables_of_one_name_are_a_mistake(tiny_build) -> None:
    sections = (Section("One", tables=(table("same"),)), Section("Two", tables=(table("same"),)))
    report = Report("case", "Why?", "about", "Because.", sections, reports.tiny_stamp(tiny_build))
    with pytest.raises(ValueError, match="'same'"):
        report.tables()


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [(float("nan"), ".2f", ""), (None, "", ""), (pd.NaT, "%d %b %Y", ""), (-0.0004, "+.3f", "0.000"), (3, ",d", "3"),
     (-0.5, "+.2f", "-0.50"), (pd.Timestamp("2026-02-01"), "%d %b %Y", "01 Feb 2026")],
)  # fmt: skip
def test_cells(value: object, form: str, text: str) -> None:
    assert written(value, form) == text


def test_plain_values() -> None:
    assert plain({"a": np.float64("nan"), "b": (np.int64(2), pd.NaT), "c": pd.Timestamp("2026-02-01")}) == {
        "a": None,
        "b": [2, None],
        "c": "2026-02-01T00:00:00",
    }


def test_the_stamp_names_everything_and_the_stem_is_a_file_name(tiny_build) -> None:
    views = reports.tiny_views(tiny_build, item="item-00")
    report = case_report(views, reports.tiny_stamp(tiny_build))
    facts = report.stamp.facts()
    assert tiny_build.refined.id in facts["Run"]
    assert facts["Data set"] == f"tiny ({tiny_build.data.id})"
    assert facts["Seed"] == "0"
    assert facts["Written"].startswith("01 Dec 2026, 09:30 UTC by guidedrec ")
    assert set(file_stem(report)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
