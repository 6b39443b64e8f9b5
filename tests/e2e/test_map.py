"""The map in a real browser: a dragged box selects, and the selection outlives what makes charts forget.

Once with points, once with a picture, as large catalogues have.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, open_page, running_app, settle

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

SELECTED = re.compile(r"[1-9]\d* of 40 items: ")


@pytest.fixture(scope="module")
def address(tiny_build: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tiny_build.data.path.parents[1], tmp_path_factory.mktemp("map") / "app.log") as url:
        yield url


def drag_box(page: Any, number: int, right: float = 0.65) -> None:
    """Drag a box over the left part of a chart; the legend is chart 0."""
    box = page.locator(".js-plotly-plot").nth(number).bounding_box()
    page.mouse.move(box["x"] + 0.03 * box["width"], box["y"] + 0.03 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + right * box["width"], box["y"] + 0.95 * box["height"], steps=5)
    page.mouse.up()


def test_a_dragged_selection_survives_recolouring_and_another_listening_map(address: str) -> None:
    with open_page(height=1400) as (page, _):
        page.goto(f"{address}/Embedding_map")
        page.locator(".js-plotly-plot .draglayer").nth(2).wait_for(state="attached")
        settle(page)
        drag_box(page, 1)
        page.get_by_text(SELECTED).wait_for()
        said = page.get_by_text(SELECTED).inner_text()

        page.get_by_role("combobox", name="Colour by").click()
        page.keyboard.type("Category")
        page.keyboard.press("Enter")
        page.get_by_text("tents", exact=True).first.wait_for()  # in the legend
        settle(page)
        assert page.get_by_text(SELECTED).inner_text() == said

        page.get_by_role("radio", name="Refined").click()
        settle(page)
        assert page.get_by_text(SELECTED).inner_text() == said
        assert page.locator('[data-testid="stException"]').count() == 0

        page.get_by_role("button", name="Clear selection").click()
        page.get_by_text("This is the whole catalogue").wait_for()
        settle(page)
        drag_box(page, 2)
        page.get_by_text(SELECTED).wait_for()


def test_a_box_on_a_picture_selects_and_back_and_a_link_find_it_again(
    tiny_build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUIDEDREC_MAP_POINTS", "20")
    home = tiny_build.data.path.parents[1]
    with running_app(home, tmp_path / "app.log") as address, open_page(height=1400) as (page, _):
        page.goto(f"{address}/Embedding_map")
        page.locator(".js-plotly-plot .imagelayer image").nth(1).wait_for(state="attached")
        settle(page)
        before = shown(page)
        drag_box(page, 1)
        page.get_by_text(SELECTED).wait_for()
        settle(page)
        said, boxed = page.get_by_text(SELECTED).inner_text(), page.url
        assert re.search(r"[?&]select=base\.b[-\w]{8}(&|$)", boxed)
        assert shown(page) != before  # the other map fades what is not selected

        page.locator(".st-key-map_proposed button[data-variant]").first.click()
        page.wait_for_url(re.compile("select=region"))
        settle(page)
        assert page.get_by_text(SELECTED).inner_text() != said

        page.go_back()
        page.get_by_text(said, exact=True).wait_for()
        assert page.url == boxed
        settle(page)
        outline = page.locator(".js-plotly-plot").nth(1).locator(".shapelayer path")
        assert outline.count() == 1

        drag_box(page, 1, right=0.4)  # over a selection that the picture itself shows
        page.wait_for_function("before => location.href !== before", arg=boxed)
        settle(page)
        assert page.get_by_text(SELECTED).inner_text() != said
        assert page.locator('[data-testid="stException"]').count() == 0

        page.goto(boxed)
        page.get_by_text(said, exact=True).wait_for()
        settle(page)
        page.get_by_role("tab", name="Items").click()
        settle(page)
        table = page.locator(".st-key-map_items [data-testid=stDataFrame]").bounding_box()
        page.mouse.click(table["x"] + 14, table["y"] + 52)  # the box of the first row
        page.wait_for_url(re.compile(r"/Items\?.*item="))


def shown(page: Any) -> str:
    """Return the picture of the map that takes no selection."""
    return str(page.locator(".js-plotly-plot .imagelayer image").nth(1).get_attribute("href"))
