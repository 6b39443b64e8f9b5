"""``guidedrec score DATASET --model --batch`` without waiting: submit, come back, collect; or cancel."""

from collections.abc import Callable
from typing import Any

import pytest
import tiny
from batch_server import BatchServer, Behaviour, batch_server
from chat_server import KEY

__all__ = ["batch_server"]

Call = Callable[..., Any]


@pytest.fixture
def asking(document: Call, tiny_files: tiny.TinyFiles, batch_server: BatchServer) -> tuple[str, ...]:
    """The tiny shop, imported and not scored; a whole command."""
    items = f"--items={tiny_files.catalogue}"
    document("data", "import", "--format=csv", f"--path={tiny_files.interactions}", "--name=tiny", items)
    options = {"attributes": tiny_files.scores.attributes, "base-url": batch_server.url, "items-per-request": 8}
    return ("score", "tiny", "--model=m", "--price", "1", "2", *(f"--{k}={v}" for k, v in options.items()), "--batch")


def test_the_same_command_submits_tells_how_far_it_is_and_stores(
    asking: tuple[str, ...], call: Call, document: Call, batch_server: BatchServer
) -> None:
    batch_server.behaviours = [Behaviour(looks=2)]
    submitted = call(*asking, "--users")
    assert "1 under way at the server" in submitted.stdout
    assert "13 in them, 0 answered" in submitted.stdout
    assert "the same command collects what is answered" in submitted.stderr
    assert document(*asking, "--users") == {
        "dataset": "tiny",
        "run_id": None,
        "batches": 1,
        "requests": 13,
        "answered": 0,
    }
    assert document("score", "tiny", "--status")["scored"] == 0
    assert document(*asking, "--users", "--dry-run")["requests"] == 0
    made = document(*asking, "--users")
    assert (made["scored"], made["missing"], made["failed"], made["requests"]) == (40, 0, 0, 13)
    assert document("runs", "show", made["run_id"])["summary"]["users_scored"] == 60
    assert document(*asking, "--users")["run_id"] == made["run_id"]
    assert len(batch_server.batches) == 1


def test_a_budget_ends_it_with_what_there_is(
    asking: tuple[str, ...], call: Call, document: Call, batch_server: BatchServer
) -> None:
    budget = f"--budget={0.9 * document(*asking, '--dry-run')['cost']}"
    for _ in range(9):
        made = document(*asking, budget)
        if made["run_id"]:
            break
    assert made["stopped"] == "budget"
    assert 0 < made["scored"] < 40
    assert made["cost"] <= float(budget.partition("=")[2])


def test_what_is_under_way_can_be_cancelled(
    asking: tuple[str, ...], call: Call, document: Call, batch_server: BatchServer
) -> None:
    batch_server.behaviours = [Behaviour(looks=2, answered=3), Behaviour()]
    document(*asking)
    cancelled = call(*asking, "--cancel")
    assert "0 under way at the server" in cancelled.stdout
    assert "what was answered is kept" in cancelled.stderr
    plan = document(*asking, "--dry-run")
    assert (plan["items"]["asked"], plan["requests"]) == (16, 2)
    assert document(*asking, "--wait")["scored"] == 40


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--wait",), "add --batch"),
        (("--cancel",), "add --batch"),
        (("--batch", "--wait", "--cancel"), "--wait and --cancel exclude each other"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...], words: str, call: Call) -> None:
    assert words in call("score", "tiny", "--model=m", *options, code=2).stderr


def test_a_refused_batch_is_one_line(
    asking: tuple[str, ...], document: Call, refused: Call, batch_server: BatchServer
) -> None:
    error = {"code": "model_not_found", "message": f"no batches with m ({KEY})"}
    batch_server.behaviours = [Behaviour(status="failed", errors=(error,))]
    document(*asking)
    assert "refused a batch of 5 requests (no batches with m (***)); see that --model" in refused(*asking)
