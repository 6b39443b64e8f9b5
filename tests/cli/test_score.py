"""``guidedrec score``: the data set's name where a command's could stand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


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
    arguments: tuple[str, ...], document: Callable[..., Any], tiny_home: Path
) -> None:
    where = ("--home", tiny_home) if arguments[0] != "--" else ()
    assert document("score", *where, *arguments)["scored"] == 40


def test_what_is_wrong_behind_a_data_set_is_told_of_its_command(refused: Callable[..., str]) -> None:
    for wrong in (("--nonsense", "tiny"), ("tiny", "--nonsense"), ("tiny", "more")):
        assert "`guidedrec score dataset --help` shows the use" in refused("score", *wrong)
    assert "no data set named 'overide'" in refused("score", "overide")


def test_without_arguments_it_shows_its_commands(call: Callable[..., Any]) -> None:
    shown = call("score", code=2)
    assert "DATASET|COMMAND" in shown.stderr
    assert "\n  dataset " in shown.stderr
