"""Checkpoints of other programs: arrays and ids are found, and nothing in the file is ever run or imported."""

import collections
import contextlib
import io
import pickle
import struct
import sys
import time
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError
from guidedrec_core.vectors.checkpoint import read_checkpoint, write_vectors
from guidedrec_core.vectors.table import read_vectors

ROWS = torch.arange(12, dtype=torch.float32).reshape(4, 3)


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module with a class as RecBole's configuration; it is gone when `forget` was called."""
    module = types.ModuleType("recbole_like.config")

    class Config:
        def __init__(self) -> None:
            self.final_config_dict = {"model": "SASRec", "device": torch.device("cpu"), "seed": 2020}

        def __getitem__(self, key: str) -> Any:
            return self.final_config_dict[key]

    Config.__module__, Config.__qualname__ = module.__name__, "Config"
    module.Config = Config  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "recbole_like", types.ModuleType("recbole_like"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("recbole_like", "recbole_like.config"):
        monkeypatch.delitem(sys.modules, name)


def test_recbole_like_checkpoints(tmp_path: Path, foreign: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    model = torch.nn.ModuleDict({"item_embedding": torch.nn.Embedding(4, 3, padding_idx=0)})
    optimiser = torch.optim.Adam(model.parameters())
    model["item_embedding"](torch.tensor([1, 2])).sum().backward()
    optimiser.step()
    state = {
        "config": foreign.Config(),
        "epoch": 3,
        "best_valid_score": np.float64(0.25),
        "state_dict": model.state_dict(),
        "other_parameter": None,
        "optimizer": optimiser.state_dict(),
    }
    torch.save(state, tmp_path / "SASRec.pth")
    expected = model["item_embedding"].weight.detach().numpy()
    forget(monkeypatch)
    with pytest.raises(DataError, match=r"take the vectors out with `guidedrec vectors extract SASRec\.pth`"):
        read_vectors(f"{tmp_path / 'SASRec.pth'}::state_dict.item_embedding.weight", Vocabulary(["a"], "item"))
    found = read_checkpoint(tmp_path / "SASRec.pth")
    assert found.arrays["state_dict.item_embedding.weight"].shape == (4, 3)
    assert_array_equal(found.array("state_dict.item_embedding.weight"), expected)
    assert "recbole_like" not in sys.modules
    (tmp_path / "items.txt").write_text("[PAD]\nb\na\nc\n")
    ids = found.ids_of(str(tmp_path / "items.txt"))
    write_vectors(tmp_path / "v.npz", ids, found.array("state_dict.item_embedding.weight"))
    read = read_vectors(str(tmp_path / "v.npz"), Vocabulary(["a", "b", "c"], "item"))
    assert_array_equal(read.values, expected[[2, 1, 3]])


class Fitted:
    """As RecTools pickles a model: bytes of a Lightning checkpoint."""

    def __init__(self, checkpoint: bytes) -> None:
        self.checkpoint = checkpoint

    def __getstate__(self) -> dict[str, Any]:
        return {"fitted_checkpoint": self.checkpoint}


@pytest.mark.parametrize(
    "ids", [["PAD", "x", 7, "z"], np.array(["PAD", "x", 7, "z"], dtype=object), np.array(["PAD", "x", "7", "z"])]
)
def test_rectools_like_pickles(tmp_path: Path, ids: Any) -> None:
    inner = io.BytesIO()
    name = "torch_model.item_model.item_net_blocks.0.ids_emb.weight"
    torch.save({"state_dict": {name: ROWS}, "hyper_parameters": {"item_external_ids": ids, "n": 4}}, inner)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Fitted(inner.getvalue())))
    (tmp_path / "m.ckpt").write_bytes(inner.getvalue())
    for file, prefix in (("m.pkl", "fitted_checkpoint."), ("m.ckpt", "")):
        found = read_checkpoint(tmp_path / file)
        assert_array_equal(found.array(f"{prefix}state_dict.{name}"), ROWS.numpy())
        read = found.ids_of(f"::{prefix}hyper_parameters.item_external_ids")
        assert read.tolist() == ["PAD", "x", "7", "z"]


def test_implicit_like_archives_and_pickles(tmp_path: Path) -> None:
    factors = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.savez(tmp_path / "m.npz", item_factors=factors, user_factors=factors[:2], factors=2, dtype="float32")
    found = read_checkpoint(tmp_path / "m.npz")
    assert set(found.arrays) == {"item_factors", "user_factors"}
    assert_array_equal(found.array("item_factors"), factors)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        model = {
            "item_factors": np.asfortranarray(factors),
            "user_factors": factors[:, ::-1],
            "big": factors.astype(">f8"),
        }
        (tmp_path / "m.pickle").write_bytes(pickle.dumps(model, protocol=protocol))
        found = read_checkpoint(tmp_path / "m.pickle")
        for name, array in model.items():
            assert_array_equal(found.array(name), array)


def test_tensors_of_every_kind_and_layout(tmp_path: Path) -> None:
    tensors = {
        "half": ROWS.half(),
        "bfloat16": ROWS.bfloat16() / 3,
        "double": ROWS.double(),
        "long": torch.arange(5),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "flags": torch.tensor([True, False]),
        "transposed": ROWS.T,
        "slice": ROWS[1:, ::2],
        "parameter": torch.nn.Parameter(ROWS),
        "none": torch.zeros(0, 3),
        "scalar": torch.tensor(3.5),
    }
    torch.save(collections.OrderedDict(tensors), tmp_path / "m.pt")
    found = read_checkpoint(tmp_path / "m.pt")
    assert set(found.arrays) == set(tensors)
    for name, tensor in tensors.items():
        wanted = tensor.detach().float() if tensor.dtype == torch.bfloat16 else tensor.detach()
        assert_array_equal(found.array(name), wanted.numpy())
    odd = {"sparse": ROWS.to_sparse(), "float8": ROWS.to(torch.float8_e4m3fn), "plain": ROWS}
    torch.save(odd, tmp_path / "odd.pt")
    assert "plain" in read_checkpoint(tmp_path / "odd.pt").arrays


def test_a_whole_module_is_searched(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Embedding(4, 3), torch.nn.Linear(3, 2))
    torch.save(model, tmp_path / "m.pt")
    found = read_checkpoint(tmp_path / "m.pt")
    assert_array_equal(found.array("_modules.0._parameters.weight"), model[0].weight.detach().numpy())


class Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.given = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.given


def attacks(target: Path) -> dict[str, bytes]:
    """Pickles that would write a file, by every way there is to have something called."""
    code = f"open({str(target)!r}, 'w')"
    imported = f"cposix\nsystem\n(S'touch {target}'\ntR."
    build = b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93N\x8c\x08__code__\x8c\x01x\x86\x86b."
    return {
        "reduce": pickle.dumps(Calls(exec, code)),
        "os": pickle.dumps(Calls(__import__("os").system, f"touch {target}")),
        "path": pickle.dumps(Calls(Path.touch, target)),
        "text": imported.encode(),
        "import of a module": b"cevil_module_of_test\nanything\n.",
        "dotted": b"\x80\x04\x8c\x08builtins\x8c\x0dopen.__call__\x93\x8c" + _short(str(target)) + b"\x8c\x01w\x86R.",
        "instance": b"(S'" + code.encode() + b"'\nibuiltins\nexec\n.",
        "object": b"(cbuiltins\nexec\nS'" + code.encode() + b"'\no.",
        "new": b"\x80\x02cbuiltins\nexec\nX" + struct.pack("<I", len(code)) + code.encode() + b"\x85\x81.",
        "build": build,
        "persistent": b"S'" + code.encode() + b"'\nQ.",
        "eval": pickle.dumps(Calls(eval, code)),
        "numpy": b"cnumpy\nload\n(S'x'\ntR.",
        "extension": b"\x82\x01.",
    }


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def test_nothing_in_a_file_is_run_or_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    target = tmp_path / "run"
    (modules / "evil_module_of_test.py").write_text(f"open({str(target)!r}, 'w')\nanything = None\n")
    monkeypatch.syspath_prepend(str(modules))
    for name, content in attacks(target).items():
        before = set(sys.modules)
        plain = tmp_path / "m.pkl"
        plain.write_bytes(content)
        with pytest.raises(DataError):
            read_checkpoint(plain)
        packed = tmp_path / "m.pt"
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("m/data.pkl", content)
            archive.writestr("m/data/0", b"\0" * 16)
        with pytest.raises(DataError):
            read_checkpoint(packed)
        assert not target.exists(), name
        assert set(sys.modules) - before == set(), name


def test_an_attack_next_to_weights_leaves_the_weights(tmp_path: Path) -> None:
    target = tmp_path / "run"
    torch.save({"config": Calls(exec, f"open({str(target)!r}, 'w')"), "state_dict": {"w": ROWS}}, tmp_path / "m.pth")
    found = read_checkpoint(tmp_path / "m.pth")
    assert_array_equal(found.array("state_dict.w"), ROWS.numpy())
    assert not target.exists()
    # What a file does to the functions it is given is gone with it.
    torch.save({"w": ROWS}, tmp_path / "n.pth")
    assert_array_equal(read_checkpoint(tmp_path / "n.pth").array("w"), ROWS.numpy())


def laughs() -> bytes:
    """Lists of the same list, 2 to the power of 60 in all."""
    made = b"\x80\x04]q\x00."[:-1]
    for place in range(60):
        made += b"]q" + bytes([place + 1]) + b"(h" + bytes([place]) + b"h" + bytes([place]) + b"e"
    return made + b"."


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.",
        b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"x.",
        b"\x80\x04K\x01r\xff\xff\xff\xff.",
        b"\x80\x04\x8b" + struct.pack("<i", 2**31 - 1) + b"x.",
        laughs(),
        b"\x80\x04]q\x00h\x00a.",
        b"I" + b"9" * 100_000 + b"\n.",
        b"(" * 1_000_000 + b".",
        b"\x80\x04" + b"]" * 1_000_000 + b"a" * 999_999 + b".",
        b"",
        b".",
        b"PK\x03\x04",
    ],
    ids=range(13),
)
def test_no_file_takes_memory_or_time_that_it_only_claims(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(content)
    begun = time.process_time()
    with pytest.raises(DataError):
        read_checkpoint(tmp_path / "m.pkl")
    assert time.process_time() - begun < 10


def array_pickle(shape: bytes, strides: bytes, offset: bytes = b"K\x00") -> bytes:
    """A tensor with any shape and strides over 12 numbers."""
    pid = b"(\x8c\x07storage\x8c\x05torch\x8c\x0cFloatStorage\x93\x8c\x010\x8c\x03cpuK\x0ctQ"
    return b"\x80\x04\x8c\x0ctorch._utils\x8c\x12_rebuild_tensor_v2\x93(" + pid + offset + shape + strides + b"\x89NtR."


def number(value: int) -> bytes:
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        (number(2**40) + number(2**40) + b"\x86", number(0) + number(0) + b"\x86", b"K\x00"),
        (number(4) + number(3) + b"\x86", number(3) + number(10**12) + b"\x86", b"K\x00"),
        (number(4) + number(3) + b"\x86", number(3) + number(1) + b"\x86", number(10**12)),
        (number(4) + number(3) + b"\x86", number(-3) + number(1) + b"\x86", b"K\x00"),
        (number(-4) + number(3) + b"\x86", number(3) + number(1) + b"\x86", b"K\x00"),
        (number(4) + number(3) + b"\x86", number(3) + b"\x85", b"K\x00"),
        (b"\x8c\x01x\x85", number(3) + b"\x85", b"K\x00"),
    ],
    ids=range(7),
)
def test_no_shape_reaches_beyond_the_numbers_in_the_file(
    shape: bytes, strides: bytes, offset: bytes, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("m/data.pkl", array_pickle(shape, strides, offset))
        archive.writestr("m/data/0", ROWS.numpy().tobytes())
    with pytest.raises(DataError):
        read_checkpoint(tmp_path / "m.pt").array("array")


def test_the_made_up_tensor_is_read_where_it_is_sound(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("m/data.pkl", array_pickle(number(4) + number(3) + b"\x86", number(3) + number(1) + b"\x86"))
        archive.writestr("m/data/0", ROWS.numpy().tobytes())
    assert_array_equal(read_checkpoint(tmp_path / "m.pt").array("array"), ROWS.numpy())


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_anywhere_is_a_wrong_file_and_no_failure(data: st.DataObject, tmp_path: Path) -> None:
    whole = pickle.dumps({"a": ROWS.numpy(), "ids": ["a", "b"], "other": collections.Counter("abc")})
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + data.draw(st.binary(max_size=3)) + whole[place + data.draw(st.integers(0, 3)) :]
    (tmp_path / "m.pkl").write_bytes(damaged)
    with contextlib.suppress(DataError):  # any other error fails
        found = read_checkpoint(tmp_path / "m.pkl")
        for name in found.arrays:
            found.array(name)


def test_what_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    torch.save({"w": ROWS, "ids": ["a", "b", "c", "d"]}, tmp_path / "m.pt")
    found = read_checkpoint(tmp_path / "m.pt")
    with pytest.raises(DataError, match=r"expected an array v in m\.pt, found: w"):
        found.array("v")
    with pytest.raises(DataError, match=r"list of ids named names in m\.pt, found: ids"):
        found.ids_of("::names")
    with pytest.raises(DataError, match="one id for each of 4 rows, got 1"):
        write_vectors(tmp_path / "v.npz", pd.Series(["a"]), found.array("w"))
    with pytest.raises(DataError, match="expected rows of numbers"):
        write_vectors(tmp_path / "v.npz", pd.Series(["a"]), np.zeros(3))
    (tmp_path / "none.pkl").write_bytes(pickle.dumps({"n": 1}))
    with pytest.raises(DataError, match=r"expected arrays in .*, found none"):
        read_checkpoint(tmp_path / "none.pkl")
    torch.save({"w": ROWS}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(DataError, match=r"format of PyTorch before 1\.6"):
        read_checkpoint(tmp_path / "old.pt")
    assert not list(tmp_path.glob("*.npz"))
