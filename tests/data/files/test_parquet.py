"""Parquet: one file or a folder of parts."""

from pathlib import Path

import fsspec
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from guidedrec_core.data.files import parquet as parquet_files
from guidedrec_core.data.files.table import Table
from guidedrec_core.data.tables import load_table
from guidedrec_core.errors import DataError

FRAME = pd.DataFrame(
    {
        "id": ["007", "7", None],
        "n": [1, 2, 3],
        "x": [0.5, None, 2.0],
        "day": pd.to_datetime(["2020", "2021", "2022"]),
        "kind": pd.Categorical(["a", "b", "a"]),
        "maybe": pd.array([1, None, 3], dtype="Int64"),
    }
)


def write(path: Path, frame: pd.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path)
    return path


def load(path: Path | str, wanted: set[str] | None = None) -> Table:
    return load_table(path, "parquet", wanted)


def test_columns_and_types_are_those_that_pandas_reads(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", FRAME)
    pd.testing.assert_frame_equal(load(path).frame, pd.read_parquet(path))
    table = load(path, {"n", "kind", "nothing"})
    pd.testing.assert_frame_equal(table.frame, FRAME[["n", "kind"]])
    assert table.columns == tuple(FRAME.columns)


def test_a_named_index_is_a_column_and_row_numbers_are_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", FRAME.assign(n=[3, 1, 7]).set_index("n"))
    assert load(path).frame["n"].tolist() == [3, 1, 7]
    assert load(path, {"id"}).frame.columns.tolist() == ["id"]
    path = write(tmp_path / "b.parquet", FRAME.iloc[[2, 0]])
    assert load(path).columns == tuple(FRAME.columns)
    assert load(path).frame["n"].tolist() == [3, 1]


def test_a_folder_of_parts_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        write(tmp_path / f"part-{number}.parquet", FRAME.assign(n=number))
    write(tmp_path / "_tmp" / "part-2.parquet", FRAME)
    write(tmp_path / ".part-3.parquet", FRAME)
    (tmp_path / "_SUCCESS").touch()
    frame = load(tmp_path).frame
    assert frame["n"].tolist() == [1, 1, 1, 9, 9, 9, 10, 10, 10]
    pd.testing.assert_frame_equal(frame.iloc[:3], FRAME.assign(n=1))


def test_folders_named_by_key_and_value_are_columns_of_text(tmp_path: Path) -> None:
    write(tmp_path / "shop=007" / "day=2026-01-31" / "p.parquet", FRAME[["n"]])
    write(tmp_path / "shop=a%20b" / "day=__HIVE_DEFAULT_PARTITION__" / "p.parquet", FRAME[["n"]])
    table = load(tmp_path)
    assert table.columns == ("n", "shop", "day")
    assert table.frame["shop"].tolist() == ["007"] * 3 + ["a b"] * 3
    assert table.frame["day"].isna().tolist() == [False] * 3 + [True] * 3
    assert load(tmp_path, {"shop"}).frame["shop"].tolist() == ["007"] * 3 + ["a b"] * 3


def test_parts_of_different_columns_or_types_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", FRAME[["id", "n"]])
    write(tmp_path / "2.parquet", FRAME[["n", "id"]].assign(id=None))
    assert load(tmp_path).frame["id"].isna().tolist() == [False, False, True, True, True, True]
    write(tmp_path / "3.parquet", FRAME[["id", "n"]].assign(id=[7, 7, 7]))
    with pytest.raises(DataError, match=r"one type for column id in all parts .* first and int64 in 3\.parquet"):
        load(tmp_path)
    assert len(load(tmp_path, {"n"}).frame) == 9
    write(tmp_path / "3.parquet", FRAME[["n", "x"]])
    with pytest.raises(DataError, match=r"the same columns in all parts of .*3\.parquet differs in: id, x"):
        load(tmp_path)


def test_an_address_is_read_like_a_path(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1.parquet", FRAME)
    write(tmp_path / "a" / "2.parquet", FRAME)
    root = f"memory://{tmp_path}"
    fsspec.filesystem("memory").put(str(tmp_path / "a"), f"{tmp_path}/a", recursive=True)
    pd.testing.assert_frame_equal(load(f"{root}/a/1.parquet").frame, FRAME)
    pd.testing.assert_frame_equal(load(f"{root}/a").frame, load(tmp_path / "a").frame)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", FRAME)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(DataError, match=r"expected a Parquet file, a\.parquet cannot be read as one"):
        load(path)
    path.write_bytes(whole[:40] + bytes(60) + whole[100:])
    with pytest.raises(DataError, match=r"expected a Parquet file, a\.parquet cannot be read as one"):
        load(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected a folder of \.parquet files at .*; name the file in it"):
        load(tmp_path / "empty")


def test_damaged_notes_of_pandas_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for noted in (b"{", b"\xff", b'{"columns": [{}], "index_columns": [], "pandas_version": "3"}'):
        table = pa.table({"id": ["007"]}).replace_schema_metadata({b"pandas": noted})
        parquet.write_table(table, path)
        assert load(path).frame.to_dict("list") == {"id": ["007"]}


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": pa.array([b"M\xfcller"]).view(pa.string())}), path)
    with pytest.raises(DataError, match=r"a\.parquet cannot be read as one \(.*Invalid UTF8"):
        load(path)


def test_a_repeated_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(DataError, match=r"found several of the name a"):
        load(path)


def test_billions_of_equal_rows_in_a_small_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", pd.DataFrame({"a": [1] * 100_000, "b": ["x"] * 100_000}))
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(parquet_files, "MOST_UNPACKED", 1 << 20)
    with pytest.raises(DataError, match=r"a\.parquet has 100,000 rows and takes 0\.0 GiB; import a part of it"):
        load(path)
    assert len(load(path, {"a"}).frame) == 100_000
