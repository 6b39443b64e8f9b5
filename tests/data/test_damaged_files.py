"""Damaged files: whatever a file holds, it is imported or refused in one line, and never ends in an internal error."""

import bz2
import gzip
import io
import json
import random
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import DataError

FRAME = pd.DataFrame(
    [(f"u{n % 7:03d}", f"i{n % 5}", f"2020-01-{n % 28 + 1:02d}", str(n % 5)) for n in range(60)],
    columns=["user_id", "item_id", "datetime", "weight"],
    dtype="str",
)
TEXT = FRAME.to_csv(index=False).encode()
LINES = "\n".join(json.dumps(row) for row in FRAME.to_dict("records")).encode()
PARQUET = FRAME.to_parquet()
TOKENS = (
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"now",
    b"20200101",
    b"1e400",
    b"[[[[",
    b"{",
    b"\xef\xbb\xbf",
    b"\xe9",
)


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


FILES = {
    "csv": ("csv", TEXT),
    "csv.gz": ("csv", gzip.compress(TEXT)),
    "csv.bz2": ("csv", bz2.compress(TEXT)),
    "csv.zip": ("csv", zipped("a.csv", TEXT)),
    "jsonl": ("jsonl", LINES),
    "parquet": ("parquet", PARQUET),
    "parquet.zip": ("parquet", zipped("a.parquet", PARQUET)),
}


def damaged(content: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 3)):
        start = rng.randrange(len(content))
        end = min(len(content), start + rng.randint(1, 20))
        middle = rng.choice([b"", rng.randbytes(1), rng.choice(TOKENS), content[start:end] * 3])
        rest = content[end:] if rng.random() < 0.9 else b""
        content = content[:start] + middle + rest or b"x"
    return content


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_imported_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    format, content = FILES[name]
    assert len(import_dataset(format, write(tmp_path / "sound", content), "own").interactions) == 60
    rng = random.Random(name)
    refused = []
    for _ in range(150):
        try:
            import_dataset(format, write(tmp_path / "damaged", damaged(content, rng)), "own")
        except DataError as error:
            refused.append(str(error))
    assert len(refused) > 50
    assert not any("\n" in message or len(message) > 600 for message in refused)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
