"""Streams of plain bytes: packing is recognised, damage and bombs are refused."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from guidedrec_core.data.files import plain as plains
from guidedrec_core.data.files.place import place_of
from guidedrec_core.data.files.plain import Plain, open_plain
from guidedrec_core.errors import DataError

TEXT = b"".join(b"user-%d,item-%d\n" % (n, n * 7) for n in range(20_000))


def zstandard(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstandard}


def unpacked(path: Path) -> bytes:
    with open_plain(place_of(path)) as plain:
        return plain.read()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_packing_is_recognised_by_content_not_by_name(packer: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(PACKERS[packer](TEXT))
    assert unpacked(path) == TEXT
    path.write_bytes(PACKERS[packer](TEXT[:100]) + PACKERS[packer](TEXT[100:]))  # two members, one after the other
    assert unpacked(path) == TEXT


@pytest.mark.parametrize("text", [b"", b"x", b"BZhe,began\n1,2\n", b"PK,x\n"])
def test_what_is_not_packed_stays(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(text)
    assert unpacked(tmp_path / "a.csv") == text


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("cut", [2, 3])
def test_half_a_packed_file_is_refused(packer: str, cut: int, tmp_path: Path) -> None:
    packed = PACKERS[packer](TEXT)
    path = tmp_path / f"a.csv.{packer}"
    path.write_bytes(packed[: len(packed) * (cut - 1) // cut])
    with pytest.raises(DataError, match=rf"a\.csv\.{packer} cannot be unpacked or read .*download it again"):
        unpacked(path)


def test_a_zip_with_one_table_is_that_table(tmp_path: Path) -> None:
    files = {"README.md": b"about", "data/sales.csv": TEXT, "__MACOSX/sales.csv": b"?", "data/.hidden.csv": b"?"}
    path = zipped(tmp_path / "a.zip", files)
    with open_plain(place_of(path)) as plain:
        assert (plain.name, plain.where) == ("sales.csv", "data/sales.csv in a.zip")
        assert plain.read() == TEXT
    assert unpacked(zipped(tmp_path / "b.zip", {"whatever": TEXT})) == TEXT
    assert unpacked(zipped(tmp_path / "c.zip", {"sales.csv.gz": gzip.compress(TEXT)})) == TEXT


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"found 0 \(nothing\)"),
        (
            {"a.csv": b"", "b.parquet": b"", "c.txt": b""},
            r"found 2 \(a\.csv, b\.parquet\); unpack it and name the right",
        ),
        ({"a.txt": b"", "b.md": b""}, r"found 2 \(a\.txt, b\.md\)"),
        ({"xl/workbook.xml": b"", "a.csv": b""}, "Excel workbook; save the sheet as CSV"),
    ],
)
def test_a_zip_without_one_table_is_refused(files: dict[str, bytes], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        unpacked(zipped(tmp_path / "a.zip", files))


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.csv": TEXT})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"the archive a\.zip cannot be unpacked .*download it again"):
        unpacked(path)
    path.write_bytes(whole[:200] + b"\xff" * 50 + whole[250:])
    with pytest.raises(DataError, match=r"a\.csv in a\.zip cannot be unpacked or read"):
        unpacked(path)
    # The bit that says that a password is needed, in the entry and in the directory.
    directory = whole.rindex(b"PK\x01\x02")
    locked = whole[:6] + b"\x01" + whole[7 : directory + 8] + b"\x01" + whole[directory + 9 :]
    path.write_bytes(locked)
    with pytest.raises(DataError, match="password required"):
        unpacked(path)


@pytest.mark.parametrize("packer", [*PACKERS, "zip"])
def test_bombs_are_refused_long_before_they_are_unpacked(packer: str, tmp_path: Path) -> None:
    bomb = bytes(80 << 20)
    path = tmp_path / "bomb"
    if packer == "zip":
        zipped(path, {"a.csv": bomb})
    else:
        path.write_bytes(PACKERS[packer](bomb))
    read = []

    def read_all() -> None:
        with open_plain(place_of(path)) as plain:
            while plain.read(1 << 20):
                read.append(plain.count)

    with pytest.raises(DataError, match=r"unpacks to [\d,]+ or more .*if it is sound, unpack it yourself first"):
        read_all()
    assert max(read, default=0) <= plains.RATIO_FROM


def test_what_becomes_too_large_is_refused_however_well_it_packs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(TEXT))
    monkeypatch.setattr(plains, "MOST_UNPACKED", len(TEXT) - 1)
    with pytest.raises(DataError, match=f"unpacks to {len(TEXT):,} or more"):
        unpacked(path)
    (tmp_path / "plain.csv").write_bytes(TEXT)
    assert unpacked(tmp_path / "plain.csv") == TEXT


def test_other_packings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.xz"
    path.write_bytes(lzma.compress(TEXT))
    with pytest.raises(DataError, match="is an xz archive; unpack it first"):
        unpacked(path)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("a.csv")
        entry.size = len(TEXT)
        archive.addfile(entry, io.BytesIO(TEXT))
    path.write_bytes(buffer.getvalue())
    with pytest.raises(DataError, match="is a tar archive; unpack it first"):
        unpacked(path)


def test_a_stream_gives_what_was_peeked_at_and_as_much_as_wanted() -> None:
    class Drops(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 3))

    plain = Plain(Drops(b"0123456789"), "a", "a")
    assert plain.peek(2) == b"01"
    assert (plain.read(5), plain.count) == (b"01234", 5)
    assert plain.peek(20) == b"56789"
    assert (plain.read(), plain.read(), plain.count) == (b"56789", b"", 10)
