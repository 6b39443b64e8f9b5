"""Files of vectors whose headers lie: every one ends in one clear sentence, and in no time."""

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError
from guidedrec_core.vectors.table import read_vectors, source_identity

ITEMS = Vocabulary(["a", "b", "c"], "item")
ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy(header: str, body: bytes = b"\0" * 96) -> bytes:
    """An npy file with any header."""
    padded = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + body


def shaped(shape: str, descr: str = "'<f4'") -> bytes:
    return npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}")


def refused(path: Path, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read_vectors(str(path), ITEMS)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def with_ids(path: Path) -> Path:
    path.with_suffix(".ids.json").write_text('["a", "b", "c"]')
    return path


@pytest.mark.parametrize(
    "content",
    [
        shaped(f"({10**30}, 4)"),
        shaped(f"({2**62}, 4)"),
        shaped(f"({2**63}, 0)"),
        shaped("(-1, 4)"),
        shaped("(True, 4)"),
        shaped("('a', 4)"),
        shaped(f"(3, {2**40})"),
        shaped("(3, 4)", "'|O'"),
        npy("(" * 5000),
        npy("{" * 5000),
    ],
    ids=range(10),
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_npy_headers_that_cannot_be(content: bytes, tmp_path: Path) -> None:
    path = with_ids(tmp_path / "m.npy")
    path.write_bytes(content)
    refused(path, "cannot be read as that")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"ids": b"a,b,c", "vectors.npy": saved(ROWS)}, "expected an array ids.npy in m.npz, ids is another file"),
        ({"ids.npy": saved(np.array(list("abc"))), "vectors": b"no"}, "expected an array vectors.npy"),
        ({"ids.npy": shaped(f"({10**30},)", "'<U1'"), "vectors.npy": saved(ROWS)}, "cannot be read as that"),
        ({"ids.npy": saved(np.array(list("abc"))), "vectors.npy": shaped(f"(3, {2**45})")}, "cannot be read as that"),
        ({"ids.npy": shaped("(3,)", "'<M8[s]'"), "vectors.npy": saved(ROWS)}, "expected ids as text or numbers"),
        ({"ids.npy": shaped("(3,)", "[('x', '<f4')]"), "vectors.npy": saved(ROWS)}, "expected ids as text or numbers"),
        ({"ids.npy": saved(np.array([1j, 2, 3])), "vectors.npy": saved(ROWS)}, "expected ids as text or numbers"),
        (
            {
                "ids.npy": npy("{'descr': '<U2', 'fortran_order': False, 'shape': (3,)}", b"\xff" * 24),
                "v.npy": saved(ROWS),
            },
            "one holds what is no character",
        ),
    ],
    ids=range(8),
)
def test_archives_of_what_are_no_arrays(members: dict[str, bytes], said: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    refused(tmp_path / "m.npz", said)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda t: t.to_sparse(), r"it is sparse; save \.to_dense\(\) of it"),
        (lambda t: t.to_sparse_csr(), "it is sparse"),
        (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), r"it is quantised; save \.dequantize\(\) of it"),
        (lambda t: torch.nested.nested_tensor([t[0], t[1]]), "it is nested"),
        (lambda _: torch.empty(3, 4, device="meta"), "it is empty"),
        (lambda _: torch.as_strided(torch.zeros(1), (10**9, 10**9), (0, 0)), "repeats them"),
        (lambda t: t.to(torch.complex64), "expected numbers"),
    ],
    ids=["sparse", "csr", "quantised", "nested", "meta", "repeated", "complex"],
)
@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_not_dense(make: Callable[[torch.Tensor], torch.Tensor], said: str, tmp_path: Path) -> None:
    path = with_ids(tmp_path / "m.pt")
    torch.save({"weight": make(torch.from_numpy(ROWS))}, path)
    refused(path, said)


def test_numbers_that_numpy_does_not_know_are_read_where_torch_does(tmp_path: Path) -> None:
    path = with_ids(tmp_path / "m.safetensors")
    for kind, width in (("F8_E4M3", 4), ("BF16", 2)):
        body = np.arange(12, dtype=np.uint8).tobytes()
        header = json.dumps({"v": {"dtype": kind, "shape": [3, width], "data_offsets": [0, 12]}}).encode()
        path.write_bytes(struct.pack("<Q", len(header)) + header + body)
        assert read_vectors(str(path), ITEMS).values.shape == (3, width)
    header = json.dumps({"v": {"dtype": "F4", "shape": [3, 8], "data_offsets": [0, 12]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + body)
    refused(path, "cannot be read as that")


@pytest.mark.parametrize(
    "header",
    [
        {"v": {"dtype": "F32", "shape": [2**63, 4], "data_offsets": [0, 48]}},
        {"v": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 2**62]}},
        {"v": {"dtype": "F32", "shape": [2**40, 2**40, 0], "data_offsets": [0, 0]}},
        {"v": 3},
        [],
    ],
    ids=range(5),
)
def test_safetensors_headers_that_cannot_be(header: Any, tmp_path: Path) -> None:
    path = with_ids(tmp_path / "m.safetensors")
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 48)
    refused(path, "cannot be read as that")


@pytest.mark.parametrize(
    ("ids", "said"),
    [(pa.array([b"\xff", b"b", b"c"]), "cannot be read as that"), (pa.array([["a"], ["b"], ["c"]]), "ids as text or")],
)
def test_parquet_ids_that_are_none(ids: pa.Array, said: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"item_id": ids, "v": [1.0, 2.0, 3.0]}), tmp_path / "m.parquet")
    refused(tmp_path / "m.parquet", said)


def test_parquet_ids_of_bytes_are_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"item_id": [b"a", b"b", b"c"], "v": [1.0, 2.0, 3.0]}), tmp_path / "m.parquet")
    assert read_vectors(str(tmp_path / "m.parquet"), ITEMS).values.tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("text", "said"), [('["\\ud800", "b", "c"]', "cannot be read as that"), (f"[{'9' * 5000}, 1, 2]", "is no JSON")]
)
def test_ids_that_no_text_can_hold(text: str, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", ROWS)
    (tmp_path / "m.ids.json").write_text(text)
    refused(tmp_path / "m.npy", said)


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.npy")
    refused(tmp_path / "m.npy", "it is a pipe, socket or device")
    with pytest.raises(DataError, match="it is a pipe, socket or device"):
        source_identity(str(tmp_path / "m.npy"))
    np.save(tmp_path / "n.npy", ROWS)
    (tmp_path / "n.ids.json").symlink_to("/dev/zero")
    refused(tmp_path / "n.npy", "it is a pipe, socket or device")
    refused(Path("a\0b.npy"), "path without NUL characters")
