"""``guidedrec sandbox``: who gains and loses, as text and as JSON."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_effect_of_changes_is_shown(
    call: Callable[..., Any], document: Callable[..., Any], refused: Callable[..., str], tiny_home: Path
) -> None:
    found = document("sandbox", "tiny", "--set", "stock=0 where category: socks", "--set", "weight warmth*1.5")
    after = {row["category"]: row["after"] for row in found["categories"]}
    assert after["socks"] == 0
    assert found["users"] == found["sampled"] == 60
    text = call("sandbox", "tiny", "--set", "price*0.5 where price over 50").stdout
    assert "of 60 users" in text
    assert "an estimate" in text
    phrases = document("sandbox", "tiny", "--set", "stock=0 where socks and price over 0")
    assert {row["category"]: row["after"] for row in phrases["categories"]}["socks"] == 0
    assert "did you mean “socks”?" in refused("sandbox", "tiny", "--set", "warmth=8 where sock s")
    assert "expected a change like" in refused("sandbox", "tiny", "--set", "warmer please")
