"""Delimited text: what CSV files hold arrives to the letter, and what does not fit is refused in one sentence."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.data.files.delimited import read_delimited
from guidedrec_core.data.files.plain import Plain
from guidedrec_core.data.files.table import Table
from guidedrec_core.errors import DataError

BLOCK = 1 << 20


def parsed(data: bytes, separator: str | None = None, wanted: set[str] | None = None) -> Table:
    return read_delimited(Plain.of_bytes(data, "own.csv"), separator, wanted)


def columns(data: bytes) -> dict[str, list[str | None]]:
    frame = parsed(data).frame
    return {name: frame[name].astype("object").where(frame[name].notna(), None).tolist() for name in frame}


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_what_csv_writes_is_read_to_the_letter(rows: list[list[str]], separator: str, end: str, mark: bytes) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "name, or title", "x"], *rows])
    found = columns(mark + stream.getvalue().encode())
    assert list(found) == ["id", "name, or title", "x"]
    assert list(zip(*found.values(), strict=True)) == [tuple(cell or None for cell in row) for row in rows]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["", "a", "007", 'say "x"', "a b", " ", "NA", "é"]), min_size=2, max_size=2)))
def test_rows_as_they_are_usually_written_are_read_as_pandas_does(rows: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["left", "right"], *rows])
    frame = parsed(stream.getvalue().encode()).frame
    expected = pd.read_csv(
        io.StringIO(stream.getvalue()), dtype="str", keep_default_na=False, na_values=[""], skip_blank_lines=True
    )
    pd.testing.assert_frame_equal(frame, expected)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n007,1.50\n", {"a": ["007"], "b": ["1.50"]}),
        (b"a,b\nNA,null\n", {"a": ["NA"], "b": ["null"]}),
        (b'a,b\n"",x\n', {"a": [None], "b": ["x"]}),
        (b'a,b\n1,5" nail\n2,x\n', {"a": ["1", "2"], "b": ['5" nail', "x"]}),
        (b'a,b\n1,"two\nlines"\n2,x\n', {"a": ["1", "2"], "b": ["two\nlines", "x"]}),
        (b'a,b\n1,"he said ""no"""', {"a": ["1"], "b": ['he said "no"']}),
        (b'a,b\n1,""', {"a": ["1"], "b": [None]}),
        (b"\r\n \n\na,b\n\n1,2\n\n", {"a": ["1"], "b": ["2"]}),
        (b"a,b\r1,2\r3,4\r", {"a": ["1", "3"], "b": ["2", "4"]}),
        (b"a,b\r\n1,2\n3,4\r5,6", {"a": ["1", "3", "5"], "b": ["2", "4", "6"]}),
        (b"a,b\n 1 , 2\n", {"a": [" 1 "], "b": [" 2"]}),
        (b"a,b\n#1,2\n", {"a": ["#1"], "b": ["2"]}),
        (b"a,b\n", {"a": [], "b": []}),
        (b"a,b", {"a": [], "b": []}),
        (b",b,\n1,2,3\n", {"Unnamed: 0": ["1"], "b": ["2"], "Unnamed: 2": ["3"]}),
        (b'"first\nname",b\n1,2\n', {"first\nname": ["1"], "b": ["2"]}),
        (b'5",b\n1,2\n', {'5"': ["1"], "b": ["2"]}),
        (b"a;b,c;d\n1;2;3\n", {"a": ["1"], "b,c": ["2"], "d": ["3"]}),
    ],
)
def test_odd_files_that_are_sound(data: bytes, expected: dict[str, list[str | None]]) -> None:
    assert columns(data) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"own\.csv is empty; check the file"),
        (b"\xef\xbb\xbf \n\r\n", "is empty"),
        (b"a b\n1 2\n", "found one column: 'a b'"),
        (b"a,b\n1,2\n3\n", r"as in the header \(2\), row 2 has 1 \('3'\)"),
        (b"a,b\n1,2\n\n3,4,5\n", r"as in the header \(2\), row 2 has 3 \('3,4,5'\)"),
        (b"a,b\n1,2,\n", "row 1 has 3"),
        (b'a,b\n1,"2\n3,4\n', "expected own.csv to close every quote"),
        (b'a,b\n1,"', "to close every quote"),
        (b'a,b\n1,"2 ""3""', "to close every quote"),
        (b'a,b\n1,2\n"3,4\n', "row 2 has 1"),
        (b"a,b\n1,M\xfcller\n", "holds the byte 0xfc in line 2; save the file as UTF-8"),
        (b"M\xfcller,b\n1,2\n", "holds the byte 0xfc in line 1"),
        (b"a,b\r1,2\r3,\xfc\r", "holds the byte 0xfc in line 3"),
        ("a,b\n".encode("utf-16"), "holds the byte 0xff in line 1"),
        ("a,b\n1,é".encode()[:-1], "holds the byte 0xc3 in line 2"),
        ("a,é".encode()[:-1], "holds the byte 0xc3 in line 1"),
        (b"a,b,a,c,b\n1,2,3,4,5\n", "found several of the name a, b; rename or remove all but one"),
        (b"a," + b"b" * 200_000 + b"\n1,2\n", r"found one of 200,000 \('b{40}\.\.\.'\)"),
        (b"," * 20_000 + b"\n", "at most 10,000 columns in own.csv, found 20,001"),
        (b"a," + b"b" * (2 << 20), "the first line of own.csv is longer than"),
    ],
)
def test_bad_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parsed(data)


def test_a_tab_is_the_only_separator_where_one_is_given() -> None:
    assert list(parsed(b"a,x\tb,y,z\n1\t2\n", "\t").columns) == ["a,x", "b,y,z"]


def test_files_of_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f'{n:07d},"{"é" * (n % 40)}, {n}"' for n in range(60_000)]
    data = ("id,text\n" + "\n".join(lines) + "\n").encode()
    assert len(data) > 3 * BLOCK
    frame = parsed(data).frame
    assert frame["id"].tolist() == [f"{n:07d}" for n in range(60_000)]
    assert frame["text"].tolist() == [f"{'é' * (n % 40)}, {n}" for n in range(60_000)]
    with pytest.raises(DataError, match="row 60001 has 3"):
        parsed(data + b"1,2,3\n")
    with pytest.raises(DataError, match="holds the byte 0xff in line 60002"):
        parsed(data + b"1,\xff\n")
    with pytest.raises(DataError, match="to close every quote"):
        parsed(data + b'1,"open\n')
    with pytest.raises(DataError, match="rows of at most 1,048,576 bytes"):
        parsed(data + b"1," + b"x" * (2 * BLOCK) + b"\n")
    with pytest.raises(DataError, match="to close every quote"):
        parsed(b'id,text\n1,"open\n' + data.replace(b'"', b""))


def test_only_what_is_wanted_is_loaded_and_all_columns_are_named() -> None:
    table = parsed(b"a,b,c\n1,2,3\n", wanted={"c", "a", "nothing"})
    assert table.frame.to_dict("list") == {"a": ["1"], "c": ["3"]}
    assert table.columns == ("a", "b", "c")
    assert parsed(b"a,b\n1,2\n", wanted=set()).frame.columns.tolist() == []
    with pytest.raises(DataError, match="to close every quote"):
        parsed(b'a,b\n1,"2\n', wanted={"a"})
