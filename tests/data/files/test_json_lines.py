"""JSON lines: every value becomes text as it is written."""

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.data.files import json_lines
from guidedrec_core.data.files.json_lines import read_json_lines
from guidedrec_core.data.files.plain import Plain
from guidedrec_core.data.files.table import Table
from guidedrec_core.errors import DataError


def parsed(text: str | bytes, wanted: set[str] | None = None) -> Table:
    data = text.encode() if isinstance(text, str) else text
    return read_json_lines(Plain.of_bytes(data, "own.jsonl"), wanted)


def test_values_stay_as_they_are_written() -> None:
    lines = [
        '{"id": "007", "n": 12345678901234567890123, "price": 1.50, "ok": true, "tags": ["a", "b"], "more": {"x": 1}}',
        "",
        '  {"id": null, "n": 7, "late": "é", "price": 1e400, "tags": [], "more": [[1]]}\r',
    ]
    table = parsed("\ufeff" + "\n".join(lines))
    assert table.columns == ("id", "n", "price", "ok", "tags", "more", "late")
    first, second = table.frame.astype("object").where(table.frame.notna(), None).to_dict("records")
    assert first == {
        "id": "007", "n": "12345678901234567890123", "price": "1.50", "ok": "true", "tags": "a|b",
        "more": '{"x": "1"}', "late": None,
    }  # fmt: skip
    assert second == {
        "id": None, "n": "7", "price": "1e400", "ok": None, "tags": "", "more": '[["1"]]', "late": "é"
    }  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"), st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))), min_size=1
        ),
        min_size=1,
    ),
    st.booleans(),
)
def test_text_arrives_to_the_letter(rows: list[dict[str, str | None]], ascii_only: bool) -> None:
    table = parsed("\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows))
    assert set(table.columns) == {key for row in rows for key in row}
    frame = table.frame.astype("object").where(table.frame.notna(), None)
    assert frame.to_dict("records") == [{key: row.get(key) for key in table.columns} for row in rows]


def test_files_of_many_blocks_and_keys_that_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_ROWS_AT_ONCE", 1000)
    monkeypatch.setattr(json_lines, "_BLOCK", 4096)
    lines = [json.dumps({"id": f"{n:05d}", **({"late": "ü" * (n % 50)} if n > 2500 else {})}) for n in range(5000)]
    frame = parsed("\n".join(lines) + "\n").frame
    assert frame["id"].tolist() == [f"{n:05d}" for n in range(5000)]
    assert frame["late"].isna().sum() == 2501
    assert frame["late"].iloc[4999] == "ü" * 49
    assert isinstance(frame["id"].dtype, type(pd.Series(["x"], dtype="str").dtype))


def test_only_what_is_wanted_is_loaded() -> None:
    table = parsed('{"a": 1, "b": "long"}\n{"c": 2, "a": 3}', wanted={"a", "nothing"})
    assert table.frame.to_dict("list") == {"a": ["1", "3"]}
    assert table.columns == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one JSON object a line, own.jsonl is empty"),
        ("\n {}\n", "own.jsonl is empty"),
        ('{"a": 1}\n{"a": ', r"line 2 is none \(.*\): '{\"a\": '; check the file and the --format"),
        ("user_id,item_id\n", "line 1 is none"),
        ('[{"a": 1}]', "line 1 holds .*; write each row on a line of its own"),
        ('{"a": 1} {"a": 2}', "line 1 is none"),
        ('{"a": 1, "b": 2, "a": 3}', "a key stands in it twice"),
        ('{"a": ' + "[" * 100_000, "line 1 is none"),
        (r'{"a": "\ud83d"}', "it holds half a character"),
        (b'{"a": "ok"}\n{"a": "M\xfcller"}', "holds the byte 0xfc in line 2"),
        ('{"' + "k" * 2_000 + '": 1}', "column names of at most 1,000 characters"),
        ("\n".join(f'{{"k{n}": 1}}' for n in range(10_001)), "at most 10,000 columns"),
    ],
)
def test_bad_files_are_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parsed(text)


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_LONGEST_LINE", 2 << 20)
    with pytest.raises(DataError, match="has a line of over 2 MiB"):
        parsed('{"a": "' + "x" * (4 << 20))
