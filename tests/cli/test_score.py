"""``guidedrec score``: the data set's name where a command's could stand, and scores set by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny


@pytest.fixture
def shop(document: Callable[..., Any], tiny_files: tiny.TinyFiles) -> tiny.TinyFiles:
    """The tiny shop, imported and scored."""
    document("data", "import", "--format=csv", f"--path={tiny_files.interactions}", "--name=tiny")
    files = tiny_files.scores
    document("score", "tiny", f"--attributes={files.attributes}", f"--item-scores={files.item_scores}")
    return tiny_files


@pytest.mark.parametrize(
    "arguments",
    [
        ("tiny", "--status"),
        ("--status", "tiny"),
        ("dataset", "tiny", "--status"),
        ("--quiet", "--status", "tiny"),
        ("--quiet", "dataset", "--status", "tiny"),
        ("--", "tiny", "--status"),
    ],
)
def test_the_word_dataset_may_be_left_out_wherever_options_stand(
    arguments: tuple[str, ...], document: Callable[..., Any], shop: tiny.TinyFiles, own_home: Path
) -> None:
    where = ("--home", own_home) if arguments[0] != "--" else ()
    assert document("score", *where, *arguments)["scored"] == 40


def test_what_is_wrong_behind_a_data_set_is_told_of_its_command(refused: Callable[..., str]) -> None:
    for wrong in (("--nonsense", "tiny"), ("tiny", "--nonsense"), ("tiny", "more")):
        assert "`guidedrec score dataset --help` shows the use" in refused("score", *wrong)
    assert "no data set named 'overide'" in refused("score", "overide")


def test_without_arguments_it_shows_its_commands(call: Callable[..., Any]) -> None:
    shown = call("score", code=2)
    assert "DATASET|COMMAND" in shown.stderr
    assert "\n  dataset " in shown.stderr


def override(*more: object) -> tuple[object, ...]:
    return ("score", "override", "tiny", "--item", "item-03", "--attribute", "warmth", *more)


def test_a_score_set_by_hand_is_listed_and_refined_from(
    call: Callable[..., Any], document: Callable[..., Any], shop: tiny.TinyFiles, small: tuple[str, ...]
) -> None:
    given = document("runs", "list", "--stage=scores")["runs"][0]
    made = document(*override("--value", 9, "--why", "it is a parka", "--who", "Ann"))
    assert (made["dataset"], made["item_id"], made["value"], made["who"]) == ("tiny", "item-03", 9, "Ann")
    document(*override("--value", 8, "--why", "or nearly", "--who", "Bob"))
    listed = document("score", "overrides", "tiny")
    assert [(o["value"], o["scored"], o["who"]) for o in listed["overrides"]] == [(8, made["replaced"], "Bob")]
    assert [o["replaced"] for o in listed["log"]] == [made["replaced"], 9]
    shown = call("score", "overrides", "tiny")
    assert "1 single scores of items are set by hand" in shown.stderr
    assert "or nearly" in shown.stdout
    document("train", "tiny", *(option for option in small if "bootstrap" not in option))
    refined = call("refine", "tiny", "--mode=head", "--json")
    assert "set by hand" in refined.stderr
    scores = document("runs", "show", json.loads(refined.stdout)["inputs"]["scores"])
    assert scores["inputs"]["scores"]["run_id"] == given["run_id"]
    assert document("score", "tiny", "--status")["scored"] == 40
    assert given["run_id"] in call("score", "tiny", "--status").stdout, "what was given stays what it is"


def test_a_score_set_by_hand_is_withdrawn(
    call: Callable[..., Any], document: Callable[..., Any], shop: tiny.TinyFiles
) -> None:
    document(*override("--value", 9, "--why", "so"))
    gone = call(*override("--withdraw", "--why", "not so"))
    assert "withdrawn" in gone.stdout
    assert "before     9" in gone.stdout
    assert "No score of tiny is set by hand" in call("score", "overrides", "tiny").stdout
    listed = document("score", "overrides", "tiny")
    assert listed["overrides"] == []
    assert [o["value"] for o in listed["log"]] == [9, None]


def test_what_cannot_be_used_now_is_listed_as_such(
    call: Callable[..., Any], document: Callable[..., Any], shop: tiny.TinyFiles
) -> None:
    document(*override("--value", 9, "--why", "so"))
    for path in (shop.scores.attributes, shop.scores.item_scores):
        path.write_text(path.read_text().replace("warmth", "warmness"))
    files = (f"--attributes={shop.scores.attributes}", f"--item-scores={shop.scores.item_scores}")
    document("score", "tiny", *files)
    assert [o["problem"] for o in document("score", "overrides", "tiny")["overrides"]] == ["unknown_attributes"]
    shown = call("score", "overrides", "tiny")
    assert "1 overrides are of attributes that are not scored now; kept, but not used" in shown.stderr
    assert "none       no " in shown.stdout


def test_an_override_needs_a_value_or_withdraw_a_reason_and_somebody(
    refused: Callable[..., str], shop: tiny.TinyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in (("--value", 3, "--withdraw"), ()):
        assert "either --value or --withdraw" in refused(*override("--why", "so", *wrong))
    assert "Missing option '--why'" in refused(*override("--value", 3))
    assert "enter a reason" in refused(*override("--value", 3, "--why", " "))
    assert "from 0 to 10" in refused(*override("--value", 11, "--why", "so"))

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert "say with --who" in refused(*override("--value", 3, "--why", "so"))
