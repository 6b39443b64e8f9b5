"""``guidedrec audience``: a group of items, segments and shelves, for people and for programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.conditions.condition import Definition
from guidedrec_core.stages import Build

Call = Callable[..., Any]


def test_a_group_is_answered_in_both_forms(call: Call, document: Call, tiny_home: Path, tiny_build: Build) -> None:
    found = document("audience", "tiny", "--items", "tents", "--users", "seeks warmth")
    assert found["run_id"] == tiny_build.refined.id
    assert (found["n_items"], found["catalogue"], found["n_users"], found["everyone"]) == (14, 40, 15, 60)
    assert Definition.parse(found["items"]).text == "tents"
    assert found["users"]["condition"] == {"kind": "taste", "attribute": "warmth", "end": "high"}
    shares = {(row["model"], row["measure"]): row for row in found["measures"]}
    assert (
        shares["refined", "had"]["count"] + shares["refined", "never"]["count"] == shares["refined", "reached"]["count"]
    )
    assert all(row["excess"] > 0 for row in found["offenders"])
    said = call("audience", "tiny", "--items", "tents", "--users", "seeks warmth").stdout
    assert f"of the {int(shares['refined', 'reached']['count'])} users shown tents never chosen one before." in said
    assert found["offenders"][0]["user_id"] in said


def test_longer_lists_than_stored_are_computed(document: Call, tiny_home: Path) -> None:
    shares = document("audience", "tiny", "--items", "tents", "--k", "25")["measures"]
    assert next(row for row in shares if row["measure"] == "places")["of"] == 60 * 25


def test_segments_and_shelves_are_shown(call: Call, document: Call, tiny_home: Path) -> None:
    found = document("audience", "tiny", "--segments")
    assert found["stable"] == bool(found["segments"])
    assert found["gains"][0]["name"] == "everybody"
    assert "without groups" in call("audience", "tiny", "--segments").stdout
    shelves = document("audience", "tiny", "--shelves")
    assert set(shelves["spaces"]) == {"base", "refined", "guided"}
    assert len(shelves["spaces"]["base"]["codes"]) == 40
    assert "The refined model sorts the catalogue onto" in call("audience", "tiny", "--shelves").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "expected one of --items, --segments and --shelves"),
        (("--items", "tents", "--shelves"), "expected one of --items, --segments and --shelves"),
        (("--segments", "--users", "seeks warmth"), "--users goes with --items"),
        (("--items", "tentz"), "did you mean “tents”"),
        (("--items", "price over 9999"), "none of the 40 items fulfils the condition"),
        (("--items", "tents", "--users", "seeks wamth"), "did you mean “seeks warmth”"),
    ],
)
def test_wrong_use_gets_one_line(refused: Call, tiny_home: Path, arguments, said) -> None:
    assert said in refused("audience", "tiny", *arguments)
