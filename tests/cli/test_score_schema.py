"""``guidedrec score template``, ``suggest`` and ``reliability``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny
from chat_server import KEY, Answer, ChatServer, Request, chat_server, failing, said, score_of, scorer, scores, texts_in

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.bundled import sample_data

__all__ = ["chat_server"]

Call = Callable[..., Any]


@pytest.fixture
def shop(document: Call, tiny_files: tiny.TinyFiles, chat_server: ChatServer) -> tiny.TinyFiles:
    """The tiny shop, imported and not scored, and a server that scores."""
    items = f"--items={tiny_files.catalogue}"
    document("data", "import", "--format=csv", f"--path={tiny_files.interactions}", "--name=tiny", items)
    chat_server.model = scorer
    return tiny_files


def test_a_template_is_written_once(call: Call, document: Call, refused: Callable[..., str], tmp_path: Path) -> None:
    names = document("score", "template")["templates"]
    assert {"movies", "clothing", "games", "books", "beauty", "grocery", "electronics"} <= set(names)
    listed = call("score", "template").stdout
    assert all(f"{name}: " in listed for name in names)
    out = tmp_path / "attributes.toml"
    made = document("score", "template", "movies", f"--out={out}")
    assert AttributeSchema.read(out).hash() == made["hash"]
    assert "is there already" in refused("score", "template", "books", f"--out={out}")
    assert AttributeSchema.read(out).hash() == made["hash"]
    assert "movies" in refused("score", "template", "films")
    assert "movies" in refused("score", "template", f"--out={tmp_path / 'x.toml'}")
    assert "cannot write" in refused("score", "template", "books", f"--out={tmp_path / 'no' / 'x.toml'}")


def test_a_model_proposes_attributes_that_can_be_scored(
    call: Call, document: Call, shop: tiny.TinyFiles, chat_server: ChatServer, tmp_path: Path
) -> None:
    attributes = [{"name": name, "definition": "d", "low": "l", "high": "h"} for name in ("warmth", "weight")]
    chat_server.model = lambda request: Answer(said(json.dumps({"domain": "camping", "attributes": attributes})))
    out = tmp_path / "attributes.toml"
    asking = ("--model=m", f"--base-url={chat_server.url}")
    shown = call("score", "suggest", "tiny", *asking, "--count=2", "--sample=12", f"--out={out}")
    assert "warmth      l ... h" in shown.stdout
    assert f"--attributes {out}" in shown.stderr
    schema = AttributeSchema.read(out)
    assert (schema.domain, schema.names) == ("camping", ("warmth", "weight"))
    (request,) = chat_server.asked
    prompt = request["messages"][1]["content"]
    assert "12 items of the catalogue follow" in prompt
    assert {f"category: {name}" for name in ("tents", "stoves", "socks")} <= set(prompt.replace("| ", "").split("\n"))
    chat_server.model = scorer
    assert document("score", "tiny", *asking, f"--attributes={out}")["scored"] == 40


def test_suggesting_needs_a_model_a_place_and_a_server_in_order(
    call: Call, refused: Callable[..., str], shop: tiny.TinyFiles, chat_server: ChatServer, tmp_path: Path
) -> None:
    out = tmp_path / "attributes.toml"
    assert "--model" in refused("score", "suggest", "tiny", f"--out={out}")
    assert "--out" in refused("score", "suggest", "tiny", "--model=m")
    out.write_text("mine")
    asking = ("score", "suggest", "tiny", "--model=m", f"--base-url={chat_server.url}")
    assert "is there already" in refused(*asking, f"--out={out}")
    assert chat_server.asked == []
    assert out.read_text() == "mine"
    chat_server.model = lambda request: Answer(said("Sorry."))
    failed = call(*asking, f"--out={tmp_path / 'other.toml'}", code=1)
    assert "none in 3 answers" in failed.stderr
    chat_server.model = lambda request: failing(401, f"Incorrect API key provided: {KEY}")
    result = call(*asking, f"--out={tmp_path / 'other.toml'}", code=2)
    assert "refused the key" in result.stderr
    assert KEY not in result.output
    assert not (tmp_path / "other.toml").exists()


def test_passes_over_a_sample_are_compared(
    call: Call, document: Call, shop: tiny.TinyFiles, chat_server: ChatServer, tmp_path: Path
) -> None:
    def moody(request: Request) -> Answer:
        """Warmth as always, style at random, ruggedness the same for everything."""
        turn = len(chat_server.asked)

        def score(text: str, name: str) -> float:
            return {"warmth": score_of(text, name), "style_focus": score_of(text, f"{name} {turn}")}.get(name, 4.0)

        return Answer(said(json.dumps(scores(request, score))))

    chat_server.model = moody
    people = pd.DataFrame({"item_id": [f"item-{n:02d}" for n in range(40)], "warmth": 5.0})
    people.to_csv(tmp_path / "people.csv", index=False)
    asking = ("score", "reliability", "tiny", f"--attributes={shop.scores.attributes}", "--model=m")
    asking += (f"--base-url={chat_server.url}", "--sample=24", "--passes=3", f"--human={tmp_path / 'people.csv'}")
    plan = document(*asking, "--dry-run")
    assert (plan["items"]["asked"], plan["requests"], len(chat_server.asked)) == (24, 9, 0)
    report = document(*asking)
    assert (report["items"], report["repeated"], report["passes"], report["requests"]) == (24, 24, 3, 9)
    assert report["failed"] == 0
    by_name = {found["name"]: found for found in report["attributes"]}
    assert by_name["warmth"]["icc"]["value"] == pytest.approx(1)
    assert by_name["warmth"]["human"]["items"] == 24
    assert by_name["style_focus"]["icc"]["high"] < 0.75
    assert by_name["style_focus"]["verdict"]["level"] == "poor"
    assert by_name["ruggedness"]["bunching"] == pytest.approx(1)
    assert {row["attribute"] for row in report["disagreement"]} == {"style_focus"}
    shown = call(*asking).stdout
    assert len(chat_server.asked) == 9, "asked once"
    assert "24 of 24 items were scored in several of 3 passes" in shown
    assert "style_focus: Poor" in shown
    assert "This call: 0 requests" in shown
    asked = {text for request in chat_server.asked for text in texts_in(request)}
    chat_server.asked.clear()
    document("score", "tiny", f"--attributes={shop.scores.attributes}", "--model=m", f"--base-url={chat_server.url}")
    later = [text for request in chat_server.asked for text in texts_in(request)]
    assert len(later) == 16, "the first pass is taken from the sample"
    assert not asked & set(later)


def test_a_table_of_repeated_scores_is_reported_without_a_model(
    call: Call, document: Call, refused: Callable[..., str], tmp_path: Path
) -> None:
    table = sample_data() / "fernway" / "llm_item_scores_raw.csv"
    asking = ("score", "reliability", "fernway", f"--table={table}")
    report = document(*asking)
    assert report["passes"] == 4
    assert all(found["icc"]["value"] > 0.9 for found in report["attributes"])
    assert "model" not in report
    shown = call(*asking)
    assert "Passes disagree most on:" in shown.stdout
    assert "were scored in one pass only" in shown.stderr
    assert "leave out the options of a model" in refused(*asking, "--model=m")
    assert "leave out the options of a model" in refused(*asking, "--dry-run")
    assert "no.csv" in refused("score", "reliability", "fernway", "--table=no.csv")
    assert "--model" in refused("score", "reliability", "fernway")
    assert "--passes" in refused("score", "reliability", "fernway", "--server=recorded", "--passes=1")


def test_a_budget_that_does_not_last_is_told(
    refused: Callable[..., str], shop: tiny.TinyFiles, call: Call, chat_server: ChatServer
) -> None:
    asking = ("score", "reliability", "tiny", f"--attributes={shop.scores.attributes}", "--model=m", "--price", 1, 1)
    result = call(*asking, f"--base-url={chat_server.url}", "--budget=0.0001", code=2)
    assert "does not last for 5 passes over 40 items" in result.stderr
