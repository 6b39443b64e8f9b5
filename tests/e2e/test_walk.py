"""A visitor's walk in a real browser: Overview, a case, another recommendation, the map."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, open_page, running_app, settle

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

# What the app's own server or Streamlit's own front end cannot load without a network is no fault of the pages.
_NOT_OURS = re.compile(r"Failed to load resource|net::ERR_|preload", re.IGNORECASE)


@pytest.fixture(scope="module")
def address(tiny_build: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tiny_build.data.path.parents[1]
    with running_app(home, tmp_path_factory.mktemp("e2e") / "app.log") as url:
        yield url


@pytest.fixture(scope="module")
def pictures() -> Path:
    folder = Path(os.environ.get("GUIDEDREC_SCREENSHOTS") or Path(__file__).resolve().parents[2] / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def assert_no_trouble(page: Any, complaints: list[str]) -> None:
    assert page.locator('[data-testid="stException"]').count() == 0
    assert [c for c in complaints if not _NOT_OURS.search(c)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_the_overview_to_a_case_to_the_map(address: str, pictures: Path, scheme: str) -> None:
    with open_page(scheme=scheme) as (page, complaints):
        page.goto(address)
        settle(page)
        page.get_by_text(re.compile(r"On tiny, the refined model finds the next choice in its top 10")).wait_for()
        page.locator(".js-plotly-plot").first.wait_for()
        page.screenshot(path=pictures / f"walk_overview_{scheme}.png")
        assert_no_trouble(page, complaints)

        page.get_by_role("link", name="Open this case").first.click()
        page.get_by_role("heading", name="Why is this recommended to this user?").wait_for()
        settle(page)
        assert "/Case_study?" in page.url
        assert "user=" in page.url
        assert "item=" in page.url
        assert page.locator(".js-plotly-plot").count() == 3
        page.screenshot(path=pictures / f"walk_case_{scheme}.png")

        refined = page.locator('[data-testid="stDataFrame"]').nth(1)
        box = refined.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 37 + 26 * 2.5)  # the third title
        page.get_by_role("heading", name=re.compile(r"Why .+ is 3rd ")).wait_for()
        settle(page)
        page.screenshot(path=pictures / f"walk_explained_{scheme}.png")
        assert_no_trouble(page, complaints)
        place = re.search(r"user=([^&]+)", page.url)

        page.get_by_role("link", name="Item map").click()
        page.get_by_role("heading", name="What moved, and why?").wait_for()
        settle(page)
        assert place is not None
        assert f"user={place[1]}" in page.url  # the place goes along
        page.screenshot(path=pictures / f"walk_map_{scheme}.png")
        assert_no_trouble(page, complaints)


def test_a_mistyped_link_gets_a_sentence_and_a_way_on(address: str) -> None:
    with open_page() as (page, complaints):
        page.goto(f"{address}/Case_study?dataset=tiny&user=nobody")
        page.get_by_text("There is no user nobody in tiny.").wait_for()
        settle(page)
        page.get_by_role("button", name="Show another user").click()
        page.get_by_role("heading", name=re.compile("^Why .+ is ")).wait_for()
        assert_no_trouble(page, complaints)


def test_a_narrow_window_needs_no_sideways_scrolling(address: str) -> None:
    with open_page(width=1024) as (page, _):
        for path in ("", "Case_study"):
            page.goto(f"{address}/{path}")
            settle(page)
            main = '[data-testid="stMain"]'
            assert page.evaluate(f"(e => e.scrollWidth - e.clientWidth)(document.querySelector('{main}'))") <= 1
