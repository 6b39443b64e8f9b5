"""``guidedrec preview``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from chat_server import KEY, Answer, ChatServer, Request, chat_server, said, score_of, scorer, texts_in
from chat_server import scores as scores_of

__all__ = ["chat_server"]


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
    assert "Parka [31m would be in the top 10 for " in shown.stdout
    assert "Not scored, treated as average: style focus and ruggedness." in shown.stdout
    assert found["near"][0]["item_id"] in shown.stdout
    assert found["audience"][0]["user_id"] in shown.stdout
    for content, why in (
        ('{"warmth": 99}', "from 0 to 10 for warmth"),
        ('{"glow": 1}', "unknown attribute 'glow'"),
        ("[1, 2]", "got a list"),
        ("nothing", "as JSON"),
    ):
        scores.write_text(content)
        assert why in refused("preview", "tiny", "--scores", scores)
    assert "no such file" in refused("preview", "tiny", "--scores", scores.with_name("gone.json"))
    assert "say what the item is" in refused("preview", "tiny")
    said = refused("preview", "tiny", "--scores", scores, "--description", "warm")
    assert "--scores needs no listing and no model" in said


def test_a_listing_is_scored_by_a_language_model(
    call: Callable[..., Any],
    document: Callable[..., Any],
    refused: Callable[..., str],
    shop: str,
    chat_server: ChatServer,
) -> None:
    chat_server.model = scorer
    asking = ("preview", "tiny", "--title", "Parka", "--description", "For deep cold.", "--model=toy")
    found = document(*asking, "--price=89", "--base-url", chat_server.url)
    assert texts_in(chat_server.asked[0]) == ["title: Parka\nprice: 89.0\ndescription: For deep cold."]
    assert (found["title"], found["run_id"]) == ("Parka", shop)
    assert (found["scored_by"], found["requests"], found["missing"]) == ("toy", 1, [])
    text = texts_in(chat_server.asked[0])[0]
    assert found["scores"] == {name: score_of(text, name) for name in tiny.ATTRIBUTES}
    assert found["caveats"][0].startswith("Scored by toy; the catalogue's scores were read from files")
    shown = call(*asking, "--price=89", "--base-url", chat_server.url).stdout
    assert "Parka would be in the top 10 for " in shown
    assert "toy, nothing new to pay for" in shown
    assert KEY not in shown
    for wrong, why in (
        (("--title", "Parka"), "a listing has to be scored"),
        (("--title", "Parka", "--listing", "f.csv", "--model=m"), "--listing names a table"),
        (("--title", "Parka", "--model=m", "--offline", "o"), "a language model or a text model"),
        (("--listing", "gone.csv", "--model=m"), "found nothing"),
        (("--title", " ", "--model=m"), "expected a title"),
    ):
        assert why in refused("preview", "tiny", *wrong)
    chat_server.model = lambda request: Answer(said("I would rather not."))
    failed = call("preview", "tiny", "--title=Tent", "--model=toy", "--base-url", chat_server.url, code=1)
    assert "Tent could not be scored by toy: " in failed.stderr
    assert failed.stdout == ""


def test_a_table_of_listings_is_previewed_and_what_failed_says_why(
    call: Callable[..., Any], document: Callable[..., Any], shop: str, chat_server: ChatServer, tmp_path: Path
) -> None:
    def shy(request: Request) -> Answer:
        known = scores_of(request)
        known["items"] = [
            row for row, text in zip(known["items"], texts_in(request), strict=True) if "Tent" not in text
        ]
        return Answer(said(json.dumps(known)))

    chat_server.model = shy
    path = tmp_path / "new.csv"
    path.write_text("title,category,price,description\nParka,socks,89,Warm.\nTent,tents,,\nFlask,stoves,20,Hot.\n")
    asking = ("preview", "tiny", "--listing", path, "--model=toy", "--base-url", chat_server.url)
    found = document(*asking)
    assert [one["title"] for one in found["previews"]] == ["Parka", "Flask"]
    assert [one["title"] for one in found["failed"]] == ["Tent"]
    assert found["failed"][0]["reason"]
    shown = call(*asking).stdout
    assert "2 of 3 scored" in shown
    assert found["failed"][0]["reason"] in shown


def test_a_text_model_scores_as_the_weaker_instrument(
    document: Callable[..., Any], shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(texts: list[str]) -> np.ndarray:
        return np.array([[text.count(letter) + 0.1 for letter in "abcdehinorstw0123456789"] for text in texts], "f4")

    monkeypatch.setattr("guidedrec_core.vectors.text.local_model", lambda name: embed)
    found = document("preview", "tiny", "--title=Parka", "--offline=letters")
    assert found["scored_by"] == "letters"
    assert "Scored by the text model letters, a weaker instrument" in found["caveats"][0]
