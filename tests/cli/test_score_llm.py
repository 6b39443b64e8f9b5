"""``guidedrec score DATASET --model``: the whole way through the program and the real SDK to a loopback server."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
from batch_server import BatchServer, Behaviour, batch_server
from chat_server import KEY, Answer, ChatServer, Request, chat_server, failing, said, scorer, texts_in

from guidedrec_core.data.bundled import bundled_scores

__all__ = ["batch_server", "chat_server"]

Call = Callable[..., Any]


@pytest.fixture
def shop(document: Call, tiny_files: tiny.TinyFiles, chat_server: ChatServer) -> tiny.TinyFiles:
    """The tiny shop, imported and not scored, and a server that scores."""
    document("data", "import", "--format=csv", f"--path={tiny_files.interactions}", "--name=tiny")
    items = f"--items={tiny_files.catalogue}"
    document("data", "import", "--format=csv", f"--path={tiny_files.interactions}", "--name=tiny", items)
    chat_server.model = scorer
    return tiny_files


@pytest.fixture
def asking(shop: tiny.TinyFiles, chat_server: ChatServer) -> tuple[str, ...]:
    """A whole command."""
    options = {"attributes": shop.scores.attributes, "base-url": chat_server.url, "items-per-request": 8}
    return ("score", "tiny", "--model=m", "--price", "1", "2", *(f"--{k}={v}" for k, v in options.items()))


def test_a_catalogue_is_scored_and_the_status_tells_what_it_took(
    asking: tuple[str, ...], document: Call, call: Call, chat_server: ChatServer
) -> None:
    before = document("score", "tiny", "--status")
    nothing = dict.fromkeys(("failed", "requests", "tokens", "cost", "failed_attempts", "failed_cost"), 0)
    assert before == {"items": 40, "scored": 0, "missing": 40, **nothing}
    plan = document(*asking, "--dry-run")
    assert chat_server.asked == []
    assert plan["items"]["asked"] == 40
    assert plan["requests"] == 5
    made = document(*asking)
    assert (made["scored"], made["failed"], made["requests"], made["stopped"]) == (40, 0, 5, "")
    assert made["tokens"] == pytest.approx(plan["tokens"], rel=0.5)
    status = document("score", "tiny", "--status")
    assert status == {name: made[name] for name in status}
    after = call(*asking, "--dry-run").stdout
    assert "items     40: 40 answered, 0 to request" in after
    shown = call(*asking).stdout
    assert made["run_id"] in shown, "nothing changed, so the same run is shown"
    assert "5 requests to m" in shown
    assert len(chat_server.asked) == 5


def test_failed_attempts_and_what_they_may_cost_are_shown(
    asking: tuple[str, ...], document: Call, call: Call, chat_server: ChatServer
) -> None:
    chat_server.queue = [failing(429), failing(500), failing(429)]
    made = document(*asking)
    assert (made["scored"], made["requests"], made["failed_attempts"]) == (40, 5, 3)
    assert 0 < made["failed_cost"] < 0.05
    assert document("score", "tiny", "--status")["failed_cost"] == made["failed_cost"]
    shown = call("score", "tiny", "--status").stdout
    assert f"; 3 failed attempts booked at {made['failed_cost']:.4f} USD" in shown
    chat_server.model = lambda request: failing(500)
    tight = (*asking, "--model=other", "--budget=0.02")
    refused = call(*tight, code=2).stderr
    assert "the budget of 0.02 USD allows no more than 0 of 40 items" in refused
    assert "failed attempts booked at" in refused
    assert "they may have to be paid for" in refused


def test_users_are_scored_and_planned(asking: tuple[str, ...], document: Call) -> None:
    plan = document(*asking, "--users", "--split=temporal", "--dry-run")
    assert plan["users"]["listings"] <= 60
    assert plan["requests"] == plan["items"]["requests"] + plan["users"]["requests"]
    made = document(*asking, "--users", "--split=temporal")
    run = document("runs", "show", made["run_id"])
    assert run["config"]["user_scores"]["split"]["kind"] == "temporal"
    assert run["summary"]["users_scored"] == plan["users"]["listings"]


def test_batches_are_submitted_waited_for_and_cheaper(
    asking: tuple[str, ...], document: Call, batch_server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.batch.scorer._FIRST_PAUSE", 0.01)
    batch_server.behaviours = [Behaviour(looks=3)]
    at_once = document(*asking, "--users", "--dry-run")
    by_batch = (*asking, f"--base-url={batch_server.url}", "--users", "--batch", "--wait")
    plan = document(*by_batch, "--dry-run")
    assert plan["cost"] == pytest.approx(at_once["cost"] / 2)
    assert plan["seconds"] == 86_400
    made = document(*by_batch)
    assert (made["scored"], made["stopped"]) == (40, "")
    assert made["cost"] == pytest.approx(plan["cost"], rel=0.5)
    assert document("runs", "show", made["run_id"])["summary"]["users_scored"] == 60
    assert document(*by_batch)["run_id"] == made["run_id"]


def test_without_attributes_the_stored_ones_are_scored(
    asking: tuple[str, ...], document: Call, shop: tiny.TinyFiles
) -> None:
    tables = (f"--attributes={shop.scores.attributes}", f"--item-scores={shop.scores.item_scores}")
    given = document("score", "tiny", *tables)
    scored = document(*(option for option in asking if not option.startswith("--attributes")))
    assert scored["run_id"] != given["run_id"]
    assert scored["scored"] == 40


def test_recorded_scores_come_the_same_way_and_are_the_bundled_ones(document: Call, tmp_path: Path) -> None:
    bundled = document("score", "fernway")
    recorded = document("score", "fernway", "--server=recorded")
    assert (recorded["scored"], recorded["failed"], recorded["cost"]) == (728, 0, 0.0)
    assert recorded["model"] == "recorded"
    assert recorded["requests"] > 10
    home = Path(os.environ["GUIDEDREC_HOME"])
    arrays = [(home / "scores" / made["run_id"] / "item_scores.npy").read_bytes() for made in (bundled, recorded)]
    assert arrays[0] == arrays[1]
    assert document("score", "fernway", "--server=recorded")["run_id"] == recorded["run_id"]


def test_a_budget_stores_what_there_is_and_says_so(asking: tuple[str, ...], document: Call, call: Call) -> None:
    whole = document(*asking, "--dry-run")["cost"]
    stopped = call(*asking, f"--budget={0.8 * whole}", "--concurrency=1", "--json")
    made = json.loads(stopped.stdout)
    assert made["stopped"] == "budget"
    assert 0 < made["scored"] < 40
    assert made["cost"] <= 0.8 * whole
    assert "the budget ended before" in stopped.stderr
    assert document(*asking)["scored"] == 40


def test_failures_are_counted_and_said(
    asking: tuple[str, ...], document: Call, call: Call, chat_server: ChatServer
) -> None:
    def refuses_stoves(request: Request) -> Answer:
        if any("category: stoves" in text for text in texts_in(request)):
            return Answer(said(None, refusal="I do not judge stoves."))
        return scorer(request)

    chat_server.model = refuses_stoves
    result = call(*asking, "--attempts=2", "--json")
    made = json.loads(result.stdout)
    assert (made["scored"], made["missing"], made["failed"]) == (27, 13, 13)
    assert "13 items lack scores" in result.stderr
    assert document("score", "tiny", "--status")["failed"] == 13


@pytest.mark.parametrize(
    ("answer", "code", "said_"),
    [
        (failing(401, f"Incorrect API key provided: {KEY}"), 2, "refused the key"),
        (failing(404, "The model `m` does not exist"), 2, "knows no model 'm'"),
        (failing(500, "out of order"), 1, "answered with an error (500: out of order)"),
        (Answer("<html>hello</html>"), 1, "usually in /v1"),
        (Answer(said("no scores today")), 1, "none of its answers about 40 items could be used"),
    ],
)
def test_a_server_that_is_not_in_order_gives_one_line_without_the_key(
    answer: Answer, code: int, said_: str, asking: tuple[str, ...], call: Call, chat_server: ChatServer
) -> None:
    chat_server.model = lambda request: answer
    result = call(*asking, code=code)
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert said_ in errors[0]
    assert KEY not in result.output
    assert result.stdout == ""


def test_a_server_that_is_not_there_gives_one_line(asking: tuple[str, ...], call: Call) -> None:
    result = call(*asking, "--base-url=http://127.0.0.1:1/v1", code=1)
    assert "cannot be reached" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said_"),
    [
        (("--model=m", "--budget=0"), "budget"),
        (("--model=m", "--budget=1"), "expected the price of m"),
        (("--model=m", "--concurrency=0"), "concurrency"),
        (("--model=m", "--reuse=all"), "'schema' or 'attribute'"),
        (("--model=m", "--columns=nose"), "nose"),
        (("--model=m", "--columns=item_id"), "ids are never sent"),
        (("--model=m", "--base-url=localhost"), "expected a base URL"),
        (("--model=m", "--status"), "leave out --model"),
        (("--model=m", "--item-scores=x.csv"), "from a language model or from tables"),
        (("--model=m", "--server=recorded", "--base-url=http://127.0.0.1/v1"), "a server of its own"),
        (("--server=recorded",), "expected a data set with recorded scores"),
        (("--server=fast",), "--server"),
        (("--server=recorded", "--batch"), "leave out --batch"),
        (("--batch",), "these options need a language model; add --model"),
        (("--dry-run",), "these options need a language model; add --model"),
        (("--users",), "these options need a language model; add --model"),
        (("--budget=3",), "these options need a language model; add --model"),
        (("--split=temporal",), "these options need a language model; add --model"),
        ((), "add --model for a language model, or --item-scores"),
    ],
)
def test_wrong_use_is_told_in_one_line(
    arguments: tuple[str, ...], said_: str, refused: Callable[..., str], shop: tiny.TinyFiles
) -> None:
    assert said_ in refused("score", "tiny", f"--attributes={shop.scores.attributes}", *arguments)


def test_attributes_must_be_there_and_be_some(
    refused: Callable[..., str], shop: tiny.TinyFiles, tmp_path: Path
) -> None:
    assert "`guidedrec score suggest tiny`" in refused("score", "tiny", "--model=m")
    empty = tmp_path / "empty.toml"
    empty.write_text('domain = "things"\nattributes = []\n')
    assert "attributes" in refused("score", "tiny", "--model=m", f"--attributes={empty}")
    assert "no such file" in refused("score", "tiny", "--model=m", "--attributes=no.toml")
    assert "movies" in refused("score", "tiny", "--model=m", "--attributes=template:films")


def test_without_a_key_openai_is_not_asked(
    refused: Callable[..., str], shop: tiny.TinyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "OPENAI_API_KEY" in refused("score", "tiny", "--model=gpt-5-mini", f"--attributes={shop.scores.attributes}")


def test_recorded_scores_are_only_of_what_was_recorded(refused: Callable[..., str], tmp_path: Path) -> None:
    files = bundled_scores("fernway")
    assert files is not None
    other = tmp_path / "other.json"
    other.write_text(re.sub(r'"name": "\w+"', '"name": "glamour"', files.attributes.read_text(), count=1))
    recorded = ("score", "fernway", "--server=recorded")
    assert "glamour" in refused(*recorded, f"--attributes={other}")
    assert "has none; leave out --users" in refused(*recorded, "--users")


def test_a_killed_program_goes_on_and_pays_for_nothing_twice(
    asking: tuple[str, ...], document: Call, chat_server: ChatServer
) -> None:
    """At most the request in flight is asked once more."""
    chat_server.model = lambda request: Answer(scorer(request).body, delay=0.15)
    one_by_one = (*asking, "--items-per-request=2", "--concurrency=1")
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    program = subprocess.Popen([sys.executable, "-m", "guidedrec_core.cli.main", *map(str, one_by_one)], **streams)
    while len(chat_server.asked) < 4 and program.poll() is None:
        time.sleep(0.01)
    assert program.poll() is None, "it was faster than this test"
    program.kill()
    program.wait()
    chat_server.model = scorer
    assert document(*one_by_one)["scored"] == 40
    assert 20 <= len(chat_server.asked) <= 21
    assert len({text for request in chat_server.asked for text in texts_in(request)}) == 40
