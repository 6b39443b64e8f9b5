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
        ((), "expected one of --items, --segments and --shelves, or --users or --segment alone"),
        (("--items", "tents", "--shelves"), "expected one of --items, --segments and --shelves"),
        (("--segments", "--users", "seeks warmth"), "or --users or --segment alone"),
        (("--users", "seeks warmth", "--segment", "cold"), "expected --users or --segment, got both"),
        (("--items", "tents", "--save", "cold"), "--save keeps the users of --users"),
        (("--users", "seeks warmth", "--note", "cold"), "--note and --who go with --save"),
        (("--segment", "cold"), "no segment of data set tiny called 'cold'"),
        (("--users", "segment: cold"), "no saved segment is called “cold”; none is saved"),
        (("--users", "user user-03 and user user-04", "--save", "cold"), "none of the 60 users fulfils the condition"),
        (("--items", "tentz"), "did you mean “tents”"),
        (("--items", "price over 9999"), "none of the 40 items fulfils the condition"),
        (("--items", "tents", "--users", "seeks wamth"), "did you mean “seeks warmth”"),
    ],
)
def test_wrong_use_gets_one_line(refused: Call, tiny_home: Path, arguments, said) -> None:
    assert said in refused("audience", "tiny", *arguments)


def test_a_segment_is_saved_used_listed_and_deleted(call: Call, document: Call, refused: Call, tiny_home: Path) -> None:
    warm = ("--users", "seeks warmth")
    assert "Saved as segment cold feet" in call("audience", "tiny", *warm, "--save", "cold feet", "--who", "Ann").stdout
    asked = document("audience", "tiny", "--items", "tents", "--segment", "cold feet")
    assert (asked["n_users"], asked["segment"]["name"], asked["segment"]["created_by"]) == (15, "cold feet", "Ann")
    assert asked["measures"] == document("audience", "tiny", "--items", "tents", *warm)["measures"]
    alone = document("audience", "tiny", "--users", "segment: cold feet and not user user-03")
    assert alone["taste"][0]["attribute"] == "warmth"
    assert {(row["slice"], row["model"]) for row in alone["slices"]} >= {("group", "placebo"), ("everyone", "base")}
    assert "they seek warmth" in call("audience", "tiny", "--segment", "cold feet").stdout
    assert "segment 'cold feet' already exists" in refused("audience", "tiny", *warm, "--save", "cold feet")
    (listed,) = document("segments", "list", "tiny")["segments"]
    assert Definition.parse(listed["definition"]).text == "seeks warmth"
    assert "seeks warmth" in call("segments", "list").stdout
    assert document("segments", "show", "cold feet", "--history")["history"][0]["who"] == "Ann"
    assert "made (UTC)" in call("segments", "show", listed["id"]).stdout
    assert "no segment called 'warm'; there are 'cold feet'" in refused("segments", "show", "warm")
    call("segments", "delete", "cold feet", "--who", "Bob")
    assert document("segments", "list") == {"segments": []}
    assert "No segments yet" in call("segments", "list").stdout
