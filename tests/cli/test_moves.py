"""``guidedrec moves``: what moved, for people and for programs, the same as on the map."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.projection.item_map import build_map
from guidedrec_core.projection.regions import find_regions
from guidedrec_core.projection.selection import describe_selection
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

Call = Callable[..., Any]


def test_all_items_are_answered_in_both_forms(call: Call, document: Call, tiny_home: Path, tiny_build: Build) -> None:
    found = document("moves", "tiny")
    item_map = build_map(RunStore(tiny_home), tiny_build.projection.id)
    assert found["sentence"] == describe_selection(item_map, item_map.items.index.to_numpy()).sentence
    assert len(found["items"]) == 40
    regions = find_regions(item_map)
    assert {region["number"]: region["items"] for region in found["regions"]} == {
        region.number: len(region.items) for region in regions
    }
    assert sorted(region["neighbours_kept"] for region in found["regions"]) == [
        region["neighbours_kept"] for region in found["regions"]
    ]
    said = call("moves", "tiny").stdout
    assert found["sentence"] in said
    assert f"region.{found['regions'][0]['number']}" in said


def test_a_selection_is_written_as_in_an_address(document: Call, tiny_home: Path, tiny_build: Build) -> None:
    item_map = build_map(RunStore(tiny_home), tiny_build.projection.id)
    region = find_regions(item_map)[0]
    found = document("moves", "tiny", "--select", f"region.{region.number}")
    assert found["items"] == item_map.items["item_id"].iloc[region.items].tolist()
    assert (found["moved_by"] or "") == region.moved_by.lower().replace(" ", "_")


@pytest.mark.parametrize(
    ("text", "said"),
    [("region.99", "no group 99"), ("tents", "expected base."), ("base.b00000000", "no item is inside")],
)
def test_what_selects_nothing_is_refused(refused: Call, tiny_home: Path, text: str, said: str) -> None:
    assert said in refused("moves", "tiny", "--select", text)
