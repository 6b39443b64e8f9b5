"""The Attributes page in a real browser: its tabs, a score set by hand, an attribute reworded."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, open_page, running_app, settle

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

_NOT_OURS = re.compile(r"Failed to load resource|net::ERR_|preload", re.IGNORECASE)


@pytest.fixture(scope="module")
def address(tiny_build: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a home of its own, for the walk writes into it."""
    folder: Path = tmp_path_factory.mktemp("e2e_attributes")
    shutil.copytree(tiny_build.data.path.parents[1], folder / "home")
    with running_app(folder / "home", folder / "app.log") as url:
        yield url


def sound(page: Any, complaints: list[str]) -> None:
    assert page.locator('[data-testid="stException"]').count() == 0
    assert [c for c in complaints if not _NOT_OURS.search(c)] == []


def test_a_score_is_set_by_hand_and_seen_on_the_items_page(address: str) -> None:
    with open_page() as (page, complaints):
        page.goto(f"{address}/Attributes?dataset=tiny&item=item-03")
        settle(page)
        page.get_by_text(re.compile("All 40 items are scored from 0 to 10 on 3 attributes")).wait_for()
        assert page.locator(".js-plotly-plot").count() == 2
        page.get_by_role("tab", name="Set by hand").click()
        settle(page)
        assert "part=Set+by+hand" in page.url
        page.get_by_role("textbox", name="Reason").fill("it is a parka")
        page.get_by_role("textbox", name="Your name").fill("Ann")
        page.get_by_role("button", name="Set this score").click()
        page.get_by_text("1 score is set by hand; the next refinement will use it.").wait_for()
        settle(page)
        sound(page, complaints)
        page.get_by_role("link", name="Items").click()
        page.get_by_text(re.compile("after the next refinement, set by hand by Ann on .*: it is a parka")).wait_for()
        page.get_by_role("link", name="Set a score by hand").click()
        page.get_by_text("1 score is set by hand; the next refinement will use it.").wait_for()
        sound(page, complaints)


def test_an_attribute_is_reworded_and_kept(address: str) -> None:
    with open_page(scheme="dark") as (page, complaints):
        page.goto(f"{address}/Attributes?dataset=tiny&part=Attributes")
        settle(page)
        low = page.get_by_role("textbox", name="0 means", exact=True)
        low.fill("freezing")
        low.press("Tab")
        page.get_by_text(re.compile("Compared with those in use, reworded: Warmth")).wait_for()
        page.reload()
        settle(page)
        assert page.get_by_role("textbox", name="0 means", exact=True).input_value() == "freezing"
        sound(page, complaints)


def test_a_narrow_window_needs_no_sideways_scrolling(address: str) -> None:
    with open_page(width=1024) as (page, complaints):
        for part in ("Scores", "Attributes", "Set+by+hand", "Score+with+AI"):
            page.goto(f"{address}/Attributes?dataset=tiny&part={part}")
            settle(page)
            main = '[data-testid="stMain"]'
            assert page.evaluate(f"(e => e.scrollWidth - e.clientWidth)(document.querySelector('{main}'))") <= 1
        sound(page, complaints)
