"""Output tables: whole or not there."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from guidedrec_core.cli import table_file as module
from guidedrec_core.cli.table_file import LEDGERS, RECOMMENDATIONS, table_file
from guidedrec_core.errors import InputError

ROWS = pd.DataFrame({"user_id": ["1", "ü"], "item_id": ["007", 'a,"b'], "part": ["bias", "x"], "value": [0.1, -2.5]})


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "T.CSV"])
@pytest.mark.parametrize("at_once", [1, 100])
def test_rows_come_back_as_they_were_given(
    name: str, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", at_once)
    path = tmp_path / name
    with table_file(path, LEDGERS) as write:
        write(ROWS.iloc[:1])
        write(ROWS.iloc[1:])
    if name.endswith("parquet"):
        found = pd.read_parquet(path)
    else:
        found = pd.read_csv(path, dtype={"user_id": "str", "item_id": "str"})
    pd.testing.assert_frame_equal(found, ROWS, check_dtype=False)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_the_types_are_those_promised_even_without_rows(tmp_path: Path) -> None:
    with table_file(tmp_path / "t.parquet", LEDGERS):
        pass
    schema = pq.read_schema(tmp_path / "t.parquet")
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        "user_id": pa.string(),
        "item_id": pa.string(),
        "part": pa.string(),
        "value": pa.float64(),
    }


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_failure_leaves_the_old_file_and_nothing_else(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("old")

    def write_half() -> None:
        with table_file(path, LEDGERS) as write:
            write(ROWS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old")
    with table_file(path, LEDGERS) as write:
        write(ROWS)
    assert path.read_text(encoding="utf-8").startswith("user_id,item_id,part,value\n1,007,bias,0.1\n")


@pytest.mark.parametrize(
    ("name", "said"), [("t.xlsx", r"\.parquet or \.csv"), ("no/t.csv", "existing folder"), ("f.csv", "is a folder")]
)
def test_a_wrong_place_is_refused_before_the_work(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").mkdir()
    with pytest.raises(InputError, match=said), table_file(tmp_path / name, LEDGERS):
        pytest.fail("the work was begun")


def test_csv_is_harmless_for_spreadsheets_and_parquet_is_exact(tmp_path: Path) -> None:
    ids = ["=1+1", "-2+3", "-5", "@x", "u1"]
    rows = pd.DataFrame({"user_id": ids, "item_id": "i", "score": -0.5, "rank": 1, "model": "base"})
    for name, expected in (("t.csv", ["'=1+1", "'-2+3", "-5", "'@x", "u1"]), ("t.parquet", ids)):
        with table_file(tmp_path / name, RECOMMENDATIONS) as add:
            add(rows)
        read = pd.read_parquet if name == "t.parquet" else pd.read_csv
        found = read(tmp_path / name)
        assert found["user_id"].tolist() == expected
        assert found["score"].tolist() == [-0.5] * len(ids)
