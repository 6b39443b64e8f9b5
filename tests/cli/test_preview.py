"""``guidedrec preview``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny


@pytest.fixture
def shop(document: Callable[..., Any], tiny_files: tiny.TinyFiles, small: tuple[str, ...]) -> str:
    """The tiny shop, refined by a head; return the refined run's id."""
    source = (f"--path={tiny_files.interactions}", f"--items={tiny_files.catalogue}")
    document("data", "import", "--format=csv", *source, "--name=tiny")
    files = tiny_files.scores
    document("score", "tiny", f"--attributes={files.attributes}", f"--item-scores={files.item_scores}")
    document("train", "tiny", *(option for option in small if "bootstrap" not in option))
    return str(document("refine", "tiny", "--mode=head")["run_id"])


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"warmth": 9, "style_focus": None}))
    return path


def test_a_listing_is_placed_and_ranked(
    call: Callable[..., Any], document: Callable[..., Any], refused: Callable[..., str], shop: str, scores: Path
) -> None:
    found = document("preview", "tiny", "--scores", scores, "--title", "Parka", "--k", 5)
    assert (found["dataset"], found["title"], found["run_id"], found["k"]) == ("tiny", "Parka", shop, 5)
    assert (found["users"], found["items"], found["anchored"]) == (60, 40, False)
    assert found["missing"] == ["style_focus", "ruggedness"]
    assert 0 <= found["reach"] <= 60
    assert 1 <= found["median_rank"] <= 41
    assert [row["rank"] for row in found["near"]] == [*range(1, 9)]
    assert [row["part"] for row in found["contributions"]] == [*tiny.ATTRIBUTES, "newness"]
    assert len(found["audience"]) == 20
    shown = call("preview", "tiny", "--scores", scores, "--title", "Parka\x1b[31m", "--run", shop)
    assert "Parka [31m would come into the top 10 of" in shown.stdout
    assert "Not scored, so taken as average: style focus and ruggedness." in shown.stdout
    assert found["near"][0]["item_id"] in shown.stdout
    assert found["audience"][0]["user_id"] in shown.stdout
    for content, said in (
        ('{"warmth": 99}', "from 0 to 10 for warmth"),
        ('{"glow": 1}', "unknown attribute 'glow'"),
        ("[1, 2]", "got a list"),
        ("nothing", "as JSON"),
    ):
        scores.write_text(content)
        assert said in refused("preview", "tiny", "--scores", scores)
    assert "no such file" in refused("preview", "tiny", "--scores", scores.with_name("gone.json"))
    assert "Missing option '--scores'" in refused("preview", "tiny")
