"""``guidedrec vectors``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embedding_server import KEY, EmbeddingServer, embedding_server, vector  # noqa: F401


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
