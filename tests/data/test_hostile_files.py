"""Hostile files: each ends in one clear sentence, soon, and leaves nothing behind."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import DataError

ROWS = "user_id,item_id,datetime\nu,i,2020-01-01\nu,j,2020-01-02\n"
FRAME = pd.DataFrame({"user_id": ["u"] * 500, "item_id": [f"i{n}" for n in range(500)], "datetime": "2020-01-01"})


def refused(path: Path, format: str = "csv") -> str:
    """Import a file that must be refused; return the sentence."""
    with pytest.raises(DataError) as caught:
        import_dataset(format, path, "own")
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 700
    return said


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def zipped(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_bombs_of_every_packing(tmp_path: Path) -> None:
    zeros = bytes(80 << 20)
    assert "unpacks to 83,886,080 or more" in refused(written(tmp_path / "a.zip", zipped({"a.csv": zeros})))
    assert "unpacks to" in refused(
        written(tmp_path / "a.csv.gz", gzip.compress(ROWS.encode() + b"u,i,2020-01-01\n" * 6_000_000, 9))
    )


def test_archives_in_archives(tmp_path: Path) -> None:
    inner = zipped({"a.csv": ROWS.encode()})
    assert "a.zip in own.zip is a zip archive inside an archive; unpack it" in refused(
        written(tmp_path / "own.zip", zipped({"a.zip": inner}))
    )
    said = refused(written(tmp_path / "own.csv.gz", gzip.compress(gzip.compress(ROWS.encode()))))
    assert "packed twice" in said


def test_names_that_climb_out_of_the_archive_write_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = written(folder / "own.zip", zipped({"../../evil.csv": ROWS.encode()}))
    assert len(import_dataset("csv", path, "own").interactions) == 2
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["own.zip"]


def test_a_million_columns(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(1_000_000))
    said = refused(written(tmp_path / "own.csv", f"{names}\n".encode()))
    assert "is longer than 1,048,576 bytes" in said
    names = ",".join(f"c{n}" for n in range(100_000))
    assert "at most 10,000 columns" in refused(written(tmp_path / "own.csv", f"{names}\n".encode()))
    line = json.dumps({f"c{n}": 1 for n in range(20_000)}).encode()
    assert "at most 10,000 columns" in refused(written(tmp_path / "own.jsonl", line), "jsonl")


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-16", "is UTF-16 text"),
        ("utf-16-le", "is UTF-16 text"),
        ("utf-16-be", "is UTF-16 text"),
        ("utf-32", "is UTF-32 text"),
        ("cp1252", "own.csv holds the byte 0xfc in line 2; save the file as UTF-8"),
        ("shift-jis", "save the file as UTF-8"),
    ],
)
def test_other_encodings_are_named(tmp_path: Path, encoding: str, said: str) -> None:
    name = "山" if encoding == "shift-jis" else "Müller"
    path = written(tmp_path / "own.csv", ROWS.replace("u,i", f"{name},i").encode(encoding))
    assert said in refused(path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_of_every_age_and_marks_are_read(tmp_path: Path, end: str, mark: bytes) -> None:
    path = written(tmp_path / "own.csv", mark + ROWS.replace("\n", end).encode())
    assert len(import_dataset("csv", path, "own").interactions) == 2


def test_nul_characters(tmp_path: Path) -> None:
    path = written(tmp_path / "own.csv", ROWS.replace("u,i", "u\0x,i").encode())
    assert "own.csv holds the character NUL in line 2; remove it" in refused(path)
    # Where a format can say NUL properly it is a character like any other.
    FRAME.assign(user_id="a\0b").to_parquet(tmp_path / "own.parquet")
    frame = import_dataset("parquet", tmp_path / "own.parquet", "own").interactions.frame
    assert frame["user_id"].unique().tolist() == ["a\0b"]


def test_truncated_files(tmp_path: Path) -> None:
    packed = gzip.compress((ROWS + "u,k,2020-01-03\n" * 5_000).encode())
    assert "own.csv.gz" in refused(written(tmp_path / "own.csv.gz", packed[: len(packed) // 2]))
    for name, data in (("own.parquet", FRAME.to_parquet()), ("own.zip", zipped({"a.parquet": FRAME.to_parquet()}))):
        for share in (0.3, 0.9):
            said = refused(written(tmp_path / name, data[: int(len(data) * share)]), "parquet")
            assert "own" in said


def test_formula_cells_are_kept_as_text_and_made_harmless_on_the_way_out(tmp_path: Path) -> None:
    from guidedrec_core.spreadsheets import harmless

    path = written(tmp_path / "own.csv", ROWS.replace("u,i", '"=HYPERLINK(""http://x"")",i').encode())
    frame = import_dataset("csv", path, "own").interactions.frame
    assert '=HYPERLINK("http://x")' in frame["user_id"].tolist()
    assert not any(str(cell).startswith("=") for cell in harmless(frame)["user_id"])


def test_one_endless_line_and_one_endless_cell(tmp_path: Path) -> None:
    assert "bytes" in refused(written(tmp_path / "own.csv", b"a" * (3 << 20)))
    long = ROWS.encode() + b'u,"' + b"x" * (3 << 20)
    assert "to close every quote" in refused(written(tmp_path / "own.csv", long))
