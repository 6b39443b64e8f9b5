"""``guidedrec vectors``."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from embedding_server import KEY, EmbeddingServer, embedding_server, vector  # noqa: F401

from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.vectors.table import read_vectors


@pytest.fixture
def shop(document: Callable[..., Any], tiny_files: Any) -> str:
    """Import the tiny shop."""
    document(
        "data",
        "import",
        "--format=csv",
        f"--path={tiny_files.interactions}",
        f"--items={tiny_files.catalogue}",
        "--name=shop",
    )
    return "shop"


def test_vectors_of_a_catalogue_are_written(
    document: Callable[..., Any],
    call: Callable[..., Any],
    shop: str,
    tmp_path: Path,
    embedding_server: EmbeddingServer,  # noqa: F811
) -> None:
    out = tmp_path / "items.npz"
    options = ("--columns=title, description", "--model=small", f"--base-url={embedding_server.url}", f"--out={out}")
    facts = document("vectors", shop, *options, "--batch-size=7")
    assert facts == {
        "dataset": "shop",
        "model": "small",
        "items": 40,
        "vectors": 40,
        "width": 4,
        "embedded": 40,
        "path": str(out),
    }
    assert {len(asked["input"]) for asked in embedding_server.asked} == {7, 5}
    assert {asked["model"] for asked in embedding_server.asked} == {"small"}
    with np.load(out) as file:
        rows = dict(zip(file["ids"].tolist(), file["vectors"].tolist(), strict=True))
    assert rows["item-05"] == vector("title: Thing number 5\ndescription: What thing 5 is for.")
    shown = call("vectors", shop, *options, "--max-characters=12")
    assert "40 of 40 items, 4 numbers each" in shown.stdout
    assert "Note: 40 of 40 texts were cut to 12 characters" in shown.stderr
    assert KEY not in shown.output


def test_an_interrupted_call_goes_on(
    call: Callable[..., Any],
    document: Callable[..., Any],
    shop: str,
    tmp_path: Path,
    embedding_server: EmbeddingServer,  # noqa: F811
) -> None:
    out = tmp_path / "items.npz"
    options = ("--columns=title", "--model=m", f"--base-url={embedding_server.url}", f"--out={out}", "--batch-size=30")
    right = embedding_server.reply
    embedding_server.reply = lambda texts: right(texts) if len(texts) == 30 else {"choices": []}
    stopped = call("vectors", shop, *options, code=1)
    assert stopped.stderr.startswith("Error: expected vectors from")
    assert not out.exists()
    embedding_server.reply = right
    assert document("vectors", shop, *options)["embedded"] == 10
    assert out.exists()


def test_wrong_use_is_refused_in_one_line(
    refused: Callable[..., str],
    shop: str,
    tmp_path: Path,
    embedding_server: EmbeddingServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = f"--out={tmp_path / 'v.npz'}"
    server = f"--base-url={embedding_server.url}"
    assert "--local needs no server" in refused("vectors", shop, "--columns=title", "--model=m", out, server, "--local")
    assert "got plot; choose among" in refused("vectors", shop, "--columns=plot", "--model=m", out, server)
    assert "ends in .npz" in refused("vectors", shop, "--columns=title", "--model=m", f"--out={tmp_path / 'v'}", server)
    embedding_server.queue = [(401, {"error": {"message": f"Incorrect key {KEY}"}})]
    said = refused("vectors", shop, "--columns=title", "--model=m", out, server)
    assert "refused the key" in said
    assert KEY not in said
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "expected a key for https://api.openai.com/v1" in refused(
        "vectors", shop, "--columns=title", "--model=m", out
    )


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint with an object next to the weights."""
    content = {
        "config": Counter("object"),
        "state_dict": {"items": torch.eye(3)},
        "ids": ["[PAD]", "item-00", "item-01"],
    }
    torch.save(content, tmp_path / "m.pth")
    return tmp_path / "m.pth"


def test_a_checkpoint_is_listed_and_its_vectors_taken_out(
    document: Callable[..., Any], call: Callable[..., Any], checkpoint: Path, tmp_path: Path
) -> None:
    assert document("vectors", "extract", checkpoint) == {
        "arrays": [{"name": "state_dict.items", "shape": [3, 3], "type": "<f4"}],
        "ids": [{"name": "ids", "count": 3}],
    }
    listed = call("vectors", "extract", checkpoint).stdout
    assert "3 x 3" in listed
    assert "::ids" in listed
    out = tmp_path / "v.npz"
    wanted = ("vectors", "extract", checkpoint, "--tensor=state_dict.items", "--ids=::ids", f"--out={out}")
    assert document(*wanted) == {"tensor": "state_dict.items", "vectors": 3, "width": 3, "path": str(out)}
    assert "3, 3 numbers each" in call(*wanted).stdout
    found = read_vectors(str(out), Vocabulary(["item-00", "item-01"], "item"))
    assert found.values.tolist() == [[0, 1, 0], [0, 0, 1]]


def test_wrong_ways_to_take_vectors_out_are_refused(refused: Callable[..., str], checkpoint: Path) -> None:
    assert "--tensor needs --ids and --out" in refused("vectors", "extract", checkpoint, "--tensor=x")
    assert "go with --tensor" in refused("vectors", "extract", checkpoint, "--ids=::ids")
    assert "expected a file" in refused("vectors", "extract", checkpoint.with_name("no.pth"))
    options = ("--tensor=state_dict.items", "--ids=::ids")
    assert "ends in .npz" in refused("vectors", "extract", checkpoint, *options, "--out=v.pt")
    assert "found: ids" in refused("vectors", "extract", checkpoint, options[0], "--ids=::no", "--out=v.npz")
