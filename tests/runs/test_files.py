"""The files of a run: every kind comes back as it was written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.errors import GuidedrecError, InputError, NotFoundError, RunCorruptError
from guidedrec_core.runs.store import Run, RunStore, RunWriter


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def test_json(store: RunStore) -> None:
    value = {"n": np.int64(3), "mrr": np.float32(0.5), "names": ("Zelt", "näh", "寝袋"), "none": None}
    with store.create("data", config={}) as writer:
        writer.write_json("facts", value)
    read = store.open(writer.run.id).read_json("facts")
    assert read == {"n": 3, "mrr": 0.5, "names": ["Zelt", "näh", "寝袋"], "none": None}


def test_table(store: RunStore) -> None:
    table = pd.DataFrame(
        {
            "user_id": pd.Series(["1", "01", "ä b"], dtype="str"),
            "datetime": pd.to_datetime(["2026-01-01", "2026-01-02 03:04:05.678901", None], format="ISO8601"),
            "weight": [1.0, np.nan, 3.5],
        }
    )
    with store.create("data", config={}) as writer:
        writer.write_table("interactions", table)
        writer.write_table("none", table.iloc[:0])
    pd.testing.assert_frame_equal(writer.run.read_table("interactions"), table)
    assert len(writer.run.read_table("none")) == 0


def test_a_table_whose_index_would_be_lost_is_refused(store: RunStore) -> None:
    table = pd.DataFrame({"x": [1, 2]}, index=["a", "b"])
    with store.create("data", config={}) as writer, pytest.raises(InputError, match="reset_index"):
        writer.write_table("t", table)


def test_arrays_of_any_memory_layout(store: RunStore) -> None:
    grid = np.arange(12, dtype=np.float32).reshape(3, 4)
    arrays = {
        "transposed": grid.T,
        "strided": grid[:, ::2],
        "fortran": np.asfortranarray(grid),
        "scalar": np.array(3.5),
        "empty": np.zeros((0, 4), dtype=np.int64),
        "mask": grid > 5,
    }
    with store.create("base", config={}) as writer:
        writer.write_arrays("weights", arrays)
        for name, array in arrays.items():
            writer.write_array(name, array)
    run = store.open(writer.run.id)
    read = run.read_arrays("weights")
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        for found in (read[name], run.read_array(name, mmap=False)):
            assert found.dtype == array.dtype
            assert found.shape == array.shape
            assert (found == array).all()


def test_array_is_mapped_read_only(store: RunStore) -> None:
    with store.create("base", config={}) as writer:
        writer.write_array("items", np.arange(6).reshape(2, 3))
        writer.write_array("empty", np.zeros((0, 3)))
    mapped = writer.run.read_array("items")
    assert isinstance(mapped, np.memmap)
    assert mapped.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match="read-only"):
        mapped[0, 0] = 9
    assert writer.run.read_array("empty").shape == (0, 3)


def write_nan(writer: RunWriter) -> None:
    writer.write_json("x", {"mrr": float("nan")})


def write_object(writer: RunWriter) -> None:
    writer.write_json("x", {"path": Path("x")})


def write_text_array(writer: RunWriter) -> None:
    writer.write_array("x", np.array(["a"], dtype=object))


def write_text_arrays(writer: RunWriter) -> None:
    writer.write_arrays("x", {"ids": np.array(["a"])})


def write_outside(writer: RunWriter) -> None:
    writer.write_json("../x", 1)


def write_with_suffix(writer: RunWriter) -> None:
    writer.write_json("x.json", 1)


def write_manifest(writer: RunWriter) -> None:
    writer.write_json("manifest", 1)


def write_twice(writer: RunWriter) -> None:
    writer.write_json("y", 1)
    writer.write_json("y", 2)


@pytest.mark.parametrize(
    "write",
    [
        write_nan,
        write_object,
        write_text_array,
        write_text_arrays,
        write_outside,
        write_with_suffix,
        write_manifest,
        write_twice,
    ],
)
def test_what_cannot_be_stored_is_refused(store: RunStore, write: object) -> None:
    assert callable(write)
    with store.create("base", config={}) as writer, pytest.raises(InputError):
        write(writer)
    assert set(writer.run.manifest.files) <= {"y.json"}, "a refused write leaves no file"


def test_the_run_is_there_only_afterwards(store: RunStore) -> None:
    with store.create("base", config={}) as writer, pytest.raises(GuidedrecError, match="not finished"):
        _ = writer.run
    assert isinstance(writer.run, Run)
    with pytest.raises(FileNotFoundError):
        writer.write_json("late", 1)


def test_a_file_the_run_does_not_have(store: RunStore) -> None:
    with store.create("base", config={}) as writer:
        writer.write_json("facts", 1)
    with pytest.raises(NotFoundError, match=r"no file facts\.npy; it has facts\.json"):
        writer.run.read_array("facts")
    with pytest.raises(NotFoundError, match="no file"):
        writer.run.read_json("../../secret")


def test_a_damaged_file_is_an_error_of_ours_even_unverified(store: RunStore) -> None:
    with store.create("base", config={}) as writer:
        writer.write_json("a", {"x": 1})
        writer.write_table("b", pd.DataFrame({"x": [1]}))
        writer.write_arrays("c", {"x": np.ones(3)})
        writer.write_array("d", np.ones(3))
    for path in writer.run.path.iterdir():
        if path.name != "manifest.json":
            path.write_bytes(b"\xff" * path.stat().st_size)
    run = store.open(writer.run.id, verify=False)
    for read, name in [(run.read_json, "a"), (run.read_table, "b"), (run.read_arrays, "c"), (run.read_array, "d")]:
        with pytest.raises(RunCorruptError, match="cannot be read"):
            read(name)
