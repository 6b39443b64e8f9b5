"""Vectors brought by the user: every format, every mismatch, every bad file."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError
from guidedrec_core.vectors.table import read_biases, read_vectors, source_identity, split_source

ITEMS = Vocabulary(["a", "b", "7"], "item")
USERS = Vocabulary(["u", "v"], "user")
IDS = ["7", "a", "b"]
ROWS = np.array([[7, 70], [1, 10], [2, 20]], dtype=np.float32)
EXPECTED = [[1, 10], [2, 20], [7, 70]]


def beside(path: Path, ids: list[Any]) -> None:
    path.with_suffix(".ids.json").write_text(json.dumps(ids), encoding="utf-8")


def npy(path: Path, ids: list[str], rows: np.ndarray) -> str:
    np.save(path / "m.v1.npy", rows)
    beside(path / "m.v1.npy", ids)
    return str(path / "m.v1.npy")


def npy_with_lines(path: Path, ids: list[str], rows: np.ndarray) -> str:
    np.save(path / "lines.npy", rows.astype(np.float64))
    (path / "lines.ids.txt").write_text("".join(f"{i}\r\n" for i in ids), encoding="utf-8-sig", newline="")
    return str(path / "lines.npy")


def npz(path: Path, ids: list[str], rows: np.ndarray) -> str:
    np.savez(path / "m.npz", ids=np.array(ids, dtype=str), whatever=rows)
    return str(path / "m.npz")


def npz_of_bytes(path: Path, ids: list[str], rows: np.ndarray) -> str:
    np.savez_compressed(path / "b.npz", ids=np.array(ids, dtype="S"), vectors=rows, other=rows[:1])
    return str(path / "b.npz")


def parquet_list(path: Path, ids: list[str], rows: np.ndarray) -> str:
    pd.DataFrame({"item_id": ids, "title": ids, "vector": list(rows)}).to_parquet(path / "list.parquet")
    return str(path / "list.parquet")


def parquet_fixed(path: Path, ids: list[str], rows: np.ndarray) -> str:
    column = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    pq.write_table(pa.table({"item_id": ids, "vector": column}), path / "fixed.parquet")
    return str(path / "fixed.parquet")


def parquet_columns(path: Path, ids: list[str], rows: np.ndarray) -> str:
    frame = pd.DataFrame(rows).add_prefix("d").assign(item_id=ids)
    frame.to_parquet(path / "columns.parquet")
    return str(path / "columns.parquet")


def safetensors(path: Path, ids: list[str], rows: np.ndarray) -> str:
    save_file({"vectors": rows.astype(np.float16), "bias": rows[:, 0].copy()}, path / "m.safetensors")
    beside(path / "m.safetensors", ids)
    return str(path / "m.safetensors")


def safetensors_with_metadata(path: Path, ids: list[str], rows: np.ndarray) -> str:
    tensors = {"x": torch.from_numpy(rows).to(torch.bfloat16)}
    save_torch(tensors, path / "meta.safetensors", {"ids": json.dumps(ids)})
    return str(path / "meta.safetensors")


def state_dict(path: Path, ids: list[str], rows: np.ndarray) -> str:
    weights = {"item.weight": torch.from_numpy(rows.copy()).to(torch.bfloat16), "bias": torch.zeros(9)}
    torch.save({"state_dict": weights, "epoch": 3}, path / "m.pt")
    beside(path / "m.pt", ids)
    return str(path / "m.pt") + "::state_dict.item.weight"


def lone_tensor(path: Path, ids: list[str], rows: np.ndarray) -> str:
    torch.save(torch.nn.Parameter(torch.from_numpy(rows.copy())), path / "lone.pth")
    beside(path / "lone.pth", ids)
    return str(path / "lone.pth")


WRITERS = (
    npy,
    npy_with_lines,
    npz,
    npz_of_bytes,
    parquet_list,
    parquet_fixed,
    parquet_columns,
    safetensors,
    safetensors_with_metadata,
    state_dict,
    lone_tensor,
)


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_the_rows_in_the_order_of_the_vocabulary(write: Callable[..., str], tmp_path: Path) -> None:
    found = read_vectors(write(tmp_path, IDS, ROWS), ITEMS)
    assert found.values.dtype == np.float32
    assert found.values.tolist() == EXPECTED
    assert not found.missing.any()
    assert [n.code for n in found.notices] == (["columns_unused"] if write is parquet_list else [])


@pytest.mark.parametrize("ids", [np.array([7, 8]), np.array([7.0, 8.0])])
def test_ids_that_are_whole_numbers_become_their_text(ids: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", ids=ids, vectors=np.array([[7], [8]]))
    found = read_vectors(str(tmp_path / "m.npz"), Vocabulary(["8", "7"], "item"))
    assert found.values.tolist() == [[8], [7]]
    np.save(tmp_path / "n.npy", np.array([[7], [8]], dtype=np.int16))
    beside(tmp_path / "n.npy", [7, "8"])
    assert read_vectors(str(tmp_path / "n.npy"), Vocabulary(["8", "7"], "item")).values.tolist() == [[8], [7]]


def test_mismatches_are_counted_and_named_and_filled_with_the_mean_of_the_known(tmp_path: Path) -> None:
    ids = ["[PAD]", "a", "p", "b", "q", "r"]
    rows = np.array([[900], [1], [900], [4], [900], [900]], dtype=np.float32)
    found = read_vectors(npz(tmp_path, ids, rows), ITEMS)
    assert found.values.tolist() == [[1], [4], [2.5]]
    assert found.missing.tolist() == [False, False, True]
    assert [(n.code, n.count) for n in found.notices] == [
        ("item_vectors_not_in_data", 4),
        ("items_without_vectors", 1),
    ]
    assert found.notices[0].message == (
        "4 item vectors in m.npz are of items not in the data set: '[PAD]', 'p', 'q', ...; left out"
    )
    assert found.notices[1].message == (
        "1 of 3 items have no vectors in m.npz: '7'; they get the mean of the known ones"
    )


def test_users_without_a_vector_are_told_that_theirs_come_from_histories(tmp_path: Path) -> None:
    found = read_vectors(npz(tmp_path, ["v"], ROWS[:1]), USERS)
    assert found.missing.tolist() == [True, False]
    assert found.notices[0].message.endswith("no vectors in m.npz: 'u'; theirs are made from their histories")


def test_ids_with_spaces_around_are_trimmed_with_a_notice(tmp_path: Path) -> None:
    found = read_vectors(npz(tmp_path, [" 7", "a", "b"], ROWS), ITEMS)
    assert found.values.tolist() == EXPECTED
    assert [n.code for n in found.notices] == ["item_ids_trimmed"]


@pytest.mark.parametrize("column", [False, True])
def test_biases_are_one_number_an_id(column: bool, tmp_path: Path) -> None:
    numbers = ROWS[:, 0]
    found = read_biases(npz(tmp_path, IDS, numbers[:, None] if column else numbers), ITEMS)
    assert found.values.tolist() == [[1], [2], [7]]
    with pytest.raises(DataError, match=r"expected one number an id in .*m\.npz, got an array of shape \(3, 2\)"):
        read_biases(npz(tmp_path, IDS, ROWS), ITEMS)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_each_id_gets_its_own_row_or_the_mean(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=3)
    wanted = data.draw(st.lists(names, min_size=1, max_size=8, unique=True))
    shared = data.draw(st.lists(st.sampled_from(wanted), min_size=1, unique=True))
    others = data.draw(st.lists(names.filter(lambda name: name not in wanted), max_size=5, unique=True))
    ids = data.draw(st.permutations(shared + others))
    rows = np.arange(len(ids) * 2, dtype=np.float32).reshape(-1, 2)
    write = data.draw(st.sampled_from([npy, npz, parquet_list, parquet_columns, safetensors_with_metadata]))
    found = read_vectors(write(tmp_path_factory.mktemp("v"), ids, rows), Vocabulary(wanted, "item"))
    own = dict(zip(ids, rows, strict=True))
    mean = np.mean([own[i] for i in shared], axis=0)
    for position, name in enumerate(wanted):
        assert found.missing[position] == (name not in shared)
        np.testing.assert_allclose(found.values[position], own[name] if name in shared else mean, rtol=1e-6)
    counts = {n.code: n.count for n in found.notices}
    assert counts.get("item_vectors_not_in_data", 0) == len(others)
    assert counts.get("items_without_vectors", 0) == len(wanted) - len(shared)


def refused(source: object, said: str, vocabulary: Vocabulary = ITEMS) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read_vectors(str(source), vocabulary)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("write", [npz, npy_with_lines, parquet_columns])
def test_numbers_that_are_none_are_refused(write: Callable[..., str], bad: float, tmp_path: Path) -> None:
    rows = ROWS.astype(np.float64)
    rows[2, 1] = bad
    refused(write(tmp_path, IDS, rows), r"finite numbers in .*, 1 of 3 rows hold NaN or infinity: 'b'; mend or remove")


def test_empty_cells_are_refused(tmp_path: Path) -> None:
    pd.DataFrame({"item_id": ["a", "b"], "x": [1.0, None]}).to_parquet(tmp_path / "n.parquet")
    refused(tmp_path / "n.parquet", "1 of 2 rows hold NaN or infinity: 'b'")
    pd.DataFrame({"item_id": ["a", None], "x": [1.0, 2.0]}).to_parquet(tmp_path / "n.parquet")
    refused(tmp_path / "n.parquet", "expected a item id in every row, 1 of 2 have none")
    pd.DataFrame({"item_id": ["a", "b"], "x": [[1.0, 2.0], [1.0, None]]}).to_parquet(tmp_path / "n.parquet")
    refused(tmp_path / "n.parquet", "1 of 2 rows hold NaN or infinity: 'b'")


def test_repeated_ids_are_refused(tmp_path: Path) -> None:
    refused(npz(tmp_path, ["a", "b", "a"], ROWS), r"each item id once in .*m\.npz, got several rows for 1: 'a'; keep")


@pytest.mark.parametrize("write", [npy, npz, safetensors, state_dict])
def test_another_number_of_ids_than_rows_is_refused(write: Callable[..., str], tmp_path: Path) -> None:
    source = write(tmp_path, IDS[:2], ROWS)
    refused(source, r"one id for each row of .*, got 2 ids for 3 rows; write the ids in the order.*\[PAD\]")


@pytest.mark.parametrize("rows", [np.zeros(3), np.zeros((3, 0)), np.zeros((3, 2, 2)), np.zeros(())])
def test_wrong_shapes_are_refused(rows: np.ndarray, tmp_path: Path) -> None:
    refused(npz(tmp_path, IDS, rows), "one row an id and at least one column in .*, got an array of shape .*; choose")


@pytest.mark.parametrize(("row", "same"), [([0, 0], "zero"), ([1, 2], "the same")])
def test_vectors_that_are_all_the_same_are_refused(row: list[float], same: str, tmp_path: Path) -> None:
    rows = np.array([row] * 3, dtype=np.float32)
    with pytest.raises(DataError, match=rf"m\.npz, all 3 item vectors are {same}, so that nothing can be ranked"):
        read_vectors(npz(tmp_path, IDS, rows), ITEMS)
    # A row of something unknown makes no difference, and one known row alone may be anything.
    with pytest.raises(DataError, match=f"all 3 item vectors are {same}"):
        read_vectors(npz(tmp_path, [*IDS, "[PAD]"], np.concatenate([rows, [[9, 9]]])), ITEMS)
    assert read_vectors(npz(tmp_path, ["a", "x", "y"], rows), ITEMS).values.tolist() == [row] * 3
    assert read_biases(npz(tmp_path, IDS, rows[:, 0]), ITEMS).values.tolist() == [[row[0]]] * 3


def test_vectors_of_zeros_among_others_are_counted_and_named(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[1] = 0
    found = read_vectors(npz(tmp_path, IDS, rows), ITEMS)
    assert found.values.tolist() == [[0, 0], [2, 20], [7, 70]]
    assert [(n.code, n.count, n.message) for n in found.notices] == [
        (
            "item_vectors_zero",
            1,
            "1 item vectors in m.npz are zero in every number: 'a'; they say nothing about these items",
        )
    ]


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", ids=np.array(IDS), vectors=np.zeros((3, 8 << 20), dtype=np.float32))
    with pytest.raises(DataError, match=r"bomb\.npz of [\d,]+ bytes unpacks to [\d,]+ or more"):
        read_vectors(str(tmp_path / "bomb.npz"), ITEMS)


def test_ids_nested_too_deep_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", ROWS)
    (tmp_path / "m.ids.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match=r"expected a JSON list of ids in m\.ids\.json, it is no JSON"):
        read_vectors(str(tmp_path / "m.npy"), ITEMS)


@pytest.mark.parametrize("rows", [np.array([["x"], ["y"], ["z"]]), np.ones((3, 1), bool), np.ones((3, 1), complex)])
def test_what_is_no_real_number_is_refused(rows: np.ndarray, tmp_path: Path) -> None:
    refused(npz(tmp_path, IDS, rows), "expected numbers in .*, got an array of type .*; save it as float32")


def test_another_catalogue_is_refused(tmp_path: Path) -> None:
    refused(npz(tmp_path, ["x", "y", "z"], ROWS), r"but no id matches \(file: 'x', data set: 'a'\); is it the right")
    refused(npz(tmp_path, [], ROWS[:0]), r"but no id matches \(file: none, data set: 'a'\)")


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["m.npy", "m.npz", "m.pt", "m.safetensors", "m.parquet"])
def test_code_in_a_file_is_never_run(name: str, tmp_path: Path) -> None:
    trap, path = Harmful(tmp_path / "harm"), tmp_path / name
    if name == "m.npy":
        np.save(path, np.array([trap], dtype=object), allow_pickle=True)
    elif name == "m.npz":
        np.savez(path, ids=np.array(["a"]), vectors=np.array([trap], dtype=object))
    elif name == "m.pt":
        torch.save({"vectors": trap}, path)
    else:
        path.write_bytes(pickle.dumps(trap))
    refused(path, "cannot be read as that .*write it anew, with numbers and text only")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("write", [npy, npz, parquet_list, safetensors, lone_tensor])
def test_half_a_file_is_refused(write: Callable[..., str], tmp_path: Path) -> None:
    path = Path(write(tmp_path, IDS, ROWS))
    path.write_bytes(path.read_bytes()[:-70])
    refused(path, "cannot be read as that|expected an archive made by np.savez")


def test_a_place_without_a_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "no.npy", r"expected a file at .*no\.npy, found nothing; check the path")
    refused(tmp_path, "found a folder; name the file in it")
    refused("::x", r"expected FILE or FILE::TENSOR, got '::x'")
    refused("m.pt::", "expected FILE or FILE::TENSOR, got 'm.pt::'")


def test_an_unknown_suffix_is_refused_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(b"x")
    refused(tmp_path / "m.pkl", r"ends in \.npy, \.npz, \.parquet, \.safetensors, \.pt, .*; got m\.pkl; convert it")


def test_a_tensor_that_is_not_there_is_refused_with_those_there_are(tmp_path: Path) -> None:
    refused(npz(tmp_path, IDS, ROWS) + "::emb", r"vectors named emb in m\.npz, found: whatever; .*e\.g\. m\.npz::what")
    source = state_dict(tmp_path, IDS, ROWS).partition("::")[0]
    refused(source, r"vectors named vectors in m\.pt, found: state_dict\.item\.weight, state_dict\.bias; name the one")
    refused(safetensors(tmp_path, IDS, ROWS) + "::z", "vectors named z in .*, found: (bias, vectors|vectors, bias)")
    refused(parquet_columns(tmp_path, IDS, ROWS) + "::z", "vectors named z in columns.parquet, found: none$")
    refused(npy(tmp_path, IDS, ROWS) + "::z", r"one array without a name; leave out ::z")
    torch.save({"epoch": 3}, tmp_path / "m.pt")
    refused(tmp_path / "m.pt", "vectors named vectors in m.pt, found: none$")


def test_one_of_several_list_columns_is_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"item_id": IDS, "x": list(ROWS), "y": list(-ROWS)})
    frame.to_parquet(tmp_path / "two.parquet")
    refused(tmp_path / "two.parquet", "found: x, y; name the one to read, e.g. two.parquet::x")
    found = read_vectors(f"{tmp_path / 'two.parquet'}::y", ITEMS)
    assert found.values.tolist() == (-np.array(EXPECTED)).tolist()
    assert found.notices[0].message == "columns of two.parquet not used: x"


def test_a_parquet_file_without_ids_or_vectors_is_refused(tmp_path: Path) -> None:
    refused(parquet_list(tmp_path, IDS, ROWS), "expected a column user_id in list.parquet, found: item_id, ti", USERS)
    pd.DataFrame({"item_id": IDS, "title": IDS}).to_parquet(tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "vectors named vectors in t.parquet, found: none$")
    for rows, wrong in (([[1, 2], [3], [4, 5]], "one of 1"), ([[1, 2], None, [4, 5]], "none")):
        pd.DataFrame({"item_id": IDS, "x": rows}).to_parquet(tmp_path / "t.parquet")
        refused(tmp_path / "t.parquet", f"column x of t.parquet, row 1 has 2 numbers and row 2 has {wrong}; mend")


def test_ids_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = Path(npy(tmp_path, IDS, ROWS))
    path.with_suffix(".ids.json").unlink()
    refused(path, r"ids of the rows of m\.v1\.npy next to it in m\.v1\.ids\.json or m\.v1\.ids\.txt, found neither; wr")
    np.savez(tmp_path / "m.npz", vectors=ROWS)
    refused(tmp_path / "m.npz", r"an array ids in m\.npz, found: vectors; save it with np\.savez\(")
    np.savez(tmp_path / "m.npz", vectors=ROWS, ids=np.array([IDS]))
    refused(tmp_path / "m.npz", r"a list of ids in m\.npz, got an array of shape \(1, 3\)")


def test_ids_that_are_no_ids_are_refused(tmp_path: Path) -> None:
    path = Path(npy(tmp_path, IDS, ROWS))
    for text, said in (
        ("[1, ", "it is no JSON"),
        ('{"a": 1}', "got something else"),
        ("[1.5, true]", "got something else"),
    ):
        path.with_suffix(".ids.json").write_text(text)
        refused(path, f"expected a JSON list of ids in m.v1.ids.json, {said}")
    path.with_suffix(".ids.json").unlink()
    path.with_suffix(".ids.txt").write_bytes(b"a\n\xff\n7\n")
    refused(path, r"UTF-8 text in m\.v1\.ids\.txt, byte 3 is not; save it as UTF-8")
    path.with_suffix(".ids.txt").write_text("a\n\n7\n")
    refused(path, "expected a item id in every row, 1 of 3 have none")


def test_files_under_a_wrong_suffix_are_refused(tmp_path: Path) -> None:
    Path(npz(tmp_path, IDS, ROWS)).rename(tmp_path / "x.npy")
    refused(tmp_path / "x.npy", "expected one array in x.npy, it is an archive of several; rename it to .npz")
    Path(npy(tmp_path, IDS, ROWS)).rename(tmp_path / "x.npz")
    refused(tmp_path / "x.npz", "expected an archive made by np.savez, x.npz is none; write it anew")


def test_an_identity_follows_content_and_not_place(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second = npy(tmp_path, IDS, ROWS), npy(tmp_path / "other", IDS, ROWS)
    assert source_identity(first) == source_identity(second)
    assert set(source_identity(first)) == {"file", "sha256", "ids_sha256"}
    beside(Path(second), IDS[::-1])
    assert source_identity(first) != source_identity(second)
    assert source_identity(npz(tmp_path, IDS, ROWS) + "::x")["tensor"] == "x"
    assert split_source("C::b::c") == (Path("C::b"), "c")
