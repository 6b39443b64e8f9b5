"""``guidedrec discover``: directions, names for them, and their tests, against a server on this machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from chat_server import Answer, ChatServer, Request, attributes_in, chat_server, said, scores, texts_in
from embedding_server import EmbeddingServer, embedding_server

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.llm.sanitize import clean
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

__all__ = ["chat_server", "embedding_server"]

Call = Callable[..., Any]
ANSWER = {"name": "night_use", "definition": "Use at night.", "low": "by day", "high": "by night", "confidence": 0.7}


@pytest.fixture
def shop(tiny_home: Path, tiny_build: Build, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny shop, whose directions all count as more than chance: it is too small for evidence."""
    monkeypatch.setattr("guidedrec_core.naming.directions.CHANCE", 0.0)
    monkeypatch.setattr("guidedrec_core.discovery.evidence.CHANCE", 1.0)
    monkeypatch.setattr("guidedrec_core.discovery.evidence.FEWEST_CASES", 1)
    return tiny_home


def model(found: Any, server: ChatServer, right: bool = True) -> None:
    """Let the server propose a name, and score items by the end they are from, or all alike."""
    frame = found["directions"][0]
    high = {clean(item["title"]) for item in frame["high"]["items"]}

    def score(text: str, attribute: str) -> float:
        title = text.split("\n")[0].removeprefix("title: ")
        return 9.0 if right and title in high else 2.0

    def answer(request: Request) -> Answer:
        if "nobody has named" in request["messages"][0]["content"]:
            return Answer(said(json.dumps(ANSWER)))
        return Answer(said(json.dumps(scores(request, score))))

    server.model = answer


def test_directions_are_shown_with_their_ends(document: Call, call: Call, tiny_home: Path, tiny_build: Build) -> None:
    found = document("discover", "tiny", "--directions=3")
    assert found["dataset"] == "tiny"
    assert found["run_id"] == tiny_build.refined.id
    assert [each["number"] for each in found["directions"]] == [1, 2, 3]
    first = found["directions"][0]
    assert {"of_rest", "of_score", "spread", "stability", "followed", "chance", "passed"} <= set(first)
    assert len(first["high"]["items"]) == 8
    shown = call("discover", "tiny", "--directions=3").stdout
    assert "more than chance" in shown
    title = first["high"]["items"][0]["title"]
    assert any(line.startswith("1 high") and title in line for line in shown.splitlines())


def test_a_name_is_proposed_tested_and_accepted(
    document: Call, shop: Path, chat_server: ChatServer, tmp_path: Path
) -> None:
    found = document("discover", "tiny", "--directions=3")
    model(found, chat_server)
    out, accept = tmp_path / "card.json", tmp_path / "attributes.toml"
    asking = ("--propose=1", "--directions=3", "--model=m", f"--base-url={chat_server.url}")
    card = document("discover", "tiny", *asking, f"--out={out}", f"--accept={accept}")
    assert card["accepted"]
    assert card["trial"]["auroc"] == 1.0
    assert (card["proposal"]["name"], card["proposal"]["by"]) == ("night_use", "m")
    assert json.loads(out.read_text()) == {
        key: card[key] for key in card if key not in ("card_id", "path", "schema_path")
    }
    assert AttributeSchema.read(accept).names == (*tiny.ATTRIBUTES, "night_use")
    assert card["provenance"]["scored_by"] == "m"
    assert card["provenance"]["run_id"] == found["run_id"]
    # What is scored was not shown, nothing says where it lies, and only the new attribute is asked for.
    proposing, *scoring = chat_server.asked
    shown, held = set(texts_in(proposing)), {text for request in scoring for text in texts_in(request)}
    assert not shown & held
    assert len(held) == card["trial"]["n_high"] + card["trial"]["n_low"] == 10
    assert not set(card["shown"]["high"]) & set(card["held_out"]["high"])
    for request in scoring:
        content = " ".join(message["content"] for message in request["messages"])
        assert "night_use" in content
        assert "warmth" not in content


def test_a_name_that_does_not_hold_is_turned_down(
    document: Call, call: Call, shop: Path, chat_server: ChatServer, tmp_path: Path
) -> None:
    found = document("discover", "tiny", "--directions=3")
    model(found, chat_server, right=False)
    out, accept = tmp_path / "card.json", tmp_path / "attributes.json"
    asking = ("--propose=1", "--directions=3", "--model=m", f"--base-url={chat_server.url}")
    failed = call("discover", "tiny", *asking, f"--out={out}", f"--accept={accept}", code=1)
    assert "did not pass" in failed.stderr
    assert "accepted    no" in failed.stdout
    assert not accept.exists()
    assert json.loads(out.read_text())["trial"]["auroc"] == 0.5
    chat_server.model = lambda request: Answer(said(json.dumps({**ANSWER, "name": "none"})))
    card = document("discover", "tiny", *asking)
    assert (card["proposal"], card["trial"], card["accepted"]) == (None, None, False)


def test_an_analysts_own_name_is_tested_alike(
    document: Call, shop: Path, chat_server: ChatServer, tmp_path: Path
) -> None:
    found = document("discover", "tiny", "--directions=3")
    model(found, chat_server)
    asking = ("--propose=1", "--directions=3", "--model=m", f"--base-url={chat_server.url}")
    card = document("discover", "tiny", *asking, "--name=mine", "--low=little", "--high=much")
    assert (card["proposal"]["by"], card["accepted"]) == ("analyst", True)
    assert all("nobody has named" not in request["messages"][0]["content"] for request in chat_server.asked)
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"name": "mine", "low": "little", "high": "much"}))
    again = document("discover", "tiny", *asking, f"--proposal={file}")
    assert again["trial"] == card["trial"]


@pytest.mark.parametrize(("high", "accepted"), [("night", True), ("day", False)])
def test_a_text_model_tests_an_analysts_name(
    document: Call, refused: Call, shop: Path, embedding_server: EmbeddingServer, high: str, accepted: bool
) -> None:
    found = document("discover", "tiny", "--directions=3")
    night = {clean(item["title"]) for item in found["directions"][0]["high"]["items"]}

    def vector(text: str) -> list[float]:
        """Place what is of the night on one side, all else on the other, and no two texts on the same spot."""
        title = text.split("\n")[0].removeprefix("title: ")
        side = 1.0 if title in night or "night" in text else -1.0
        return [side, len(text) % 7 / 20, sum(text.encode()) % 11 / 20, 0.1]

    def reply(texts: list[str]) -> dict[str, Any]:
        rows = [{"object": "embedding", "index": n, "embedding": vector(text)} for n, text in enumerate(texts)]
        return {"object": "list", "data": rows, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}

    embedding_server.reply = reply
    ends = {"night": "day", "day": "night"}
    own = ("--name=mine", f"--low=for the {ends[high]}", f"--high=for the {high}")
    asking = ("--propose=1", "--directions=3", "--offline=t", f"--base-url={embedding_server.url}")
    card = document("discover", "tiny", *asking, *own)
    assert card["accepted"] is accepted
    assert card["provenance"]["scored_by"] == "t"
    if accepted:
        assert "name it with --offline" in refused("discover", "--card", card["card_id"], "--refine")
        text_model = ("--offline=t", f"--base-url={embedding_server.url}")
        changed = document("discover", "--card", card["card_id"], "--refine", *text_model)
        scores = RunStore(shop).open(changed["scores_run_id"], "scores")
        assert scores.config["added"][0]["scored_by"] == "t"
        assert not np.isnan(scores.read_array("item_scores", mmap=False)[:, 3]).any()


def test_a_direction_by_chance_is_turned_down_before_anybody_is_asked(
    refused: Call, tiny_home: Path, tiny_build: Build, monkeypatch: pytest.MonkeyPatch, chat_server: ChatServer
) -> None:
    monkeypatch.setattr("guidedrec_core.discovery.evidence.CHANCE", 0.0)
    asking = ("--propose=1", "--model=m", f"--base-url={chat_server.url}")
    assert "not told from chance" in refused("discover", "tiny", *asking)
    assert chat_server.asked == []


def test_wrong_use_is_said_before_anything_is_computed(refused: Call, tmp_path: Path) -> None:
    assert "--propose N" in refused("discover", "tiny", "--name=mine")
    assert "--model" in refused("discover", "tiny", "--propose=1")
    assert "leave out one" in refused("discover", "tiny", "--propose=1", "--name=a", "--proposal=x", "--model=m")
    assert "proposes no names" in refused("discover", "tiny", "--propose=1", "--offline=m")
    assert "leave out --model, or" in refused("discover", "tiny", "--propose=1", "--offline=m", "--model=m")
    assert "cannot read it" in refused("discover", "tiny", "--propose=1", "--model=m", f"--proposal={tmp_path / 'x'}")
    there = tmp_path / "card.json"
    there.write_text("mine")
    assert "is there already" in refused("discover", "tiny", "--propose=1", "--model=m", f"--out={there}")
    assert "no data set named" in refused("discover", "nothing")


def test_the_number_of_a_direction_is_one_that_there_is(refused: Call, shop: Path, chat_server: ChatServer) -> None:
    asking = ("--directions=2", "--propose=3", "--model=m", f"--base-url={chat_server.url}")
    assert "1 to 2, got 3" in refused("discover", "tiny", *asking)


def test_an_accepted_name_is_scored_and_refined_with(
    document: Call, call: Call, shop: Path, tiny_build: Build, chat_server: ChatServer
) -> None:
    found = document("discover", "tiny", "--directions=3")
    model(found, chat_server)
    server = ("--directions=3", "--model=m", f"--base-url={chat_server.url}")
    card = document("discover", "tiny", "--propose=1", *server)
    tried = len(chat_server.asked)
    changed = document("discover", "--card", card["card_id"], "--refine", f"--base-url={chat_server.url}")
    # Only items outside the trial are asked about, and only the new attribute.
    asked = chat_server.asked[tried:]
    texts = [text for request in asked for text in texts_in(request)]
    assert len(texts) == 40 - card["trial"]["n_high"] - card["trial"]["n_low"]
    assert all(attributes_in(request) == ["night_use"] for request in asked)
    assert changed["before"] == tiny_build.refined.id
    states = {row["attribute"]: row["state"] for row in changed["attributes"]}
    assert states == {**dict.fromkeys(tiny.ATTRIBUTES, "same"), "night_use": "added"}
    assert changed["scores"] == []
    assert changed["repeat"]["seed"] == tiny_build.refined.seed + 1
    assert {row["part"] for row in changed["named"]} >= {"attribute", "unnamed_out_of_fold"}
    store = RunStore(shop)
    scores = store.open(changed["scores_run_id"], "scores")
    own = scores.read_array("item_scores", mmap=False)
    assert np.array_equal(own[:, :3], tiny_build.scores.read_array("item_scores", mmap=False), equal_nan=True)
    assert scores.config["added"][0]["card"] == card["card_id"]
    assert store.open(changed["after"], "refined").inputs["scores"] == scores.id
    listed = call("runs", "list", "--stage", "discovery").stdout
    assert card["card_id"] in listed
    assert "tiny" in listed
    # The same again finds everything done, and asks for nothing.
    before = len(chat_server.asked)
    again = document("discover", "--card", card["card_id"], "--refine", f"--base-url={chat_server.url}")
    assert again["after"] == changed["after"]
    assert len(chat_server.asked) == before


def test_a_card_that_did_not_pass_is_not_accepted(
    document: Call, call: Call, refused: Call, shop: Path, chat_server: ChatServer, tmp_path: Path
) -> None:
    found = document("discover", "tiny", "--directions=3")
    model(found, chat_server, right=False)
    server = ("--directions=3", "--model=m", f"--base-url={chat_server.url}")
    failed = call("discover", "tiny", "--propose=1", *server, "--refine", code=1)
    assert "nothing was scored or refined" in failed.stderr
    card = json.loads(call("discover", "tiny", "--propose=1", *server, "--json").stdout)["card_id"]
    assert "did not pass its test" in call("discover", "--card", card, "--refine", code=1).stderr
    assert "--refine, or --accept FILE" in refused("discover", "--card", card)
    assert "leave out --propose" in refused("discover", "--card", card, "--propose=1", "--refine")
    assert "is of run" in refused("discover", "--card", card, "--run=20200101-000000-abcdef", "--refine")
