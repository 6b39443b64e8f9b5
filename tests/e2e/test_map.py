"""The map in a real browser: a dragged box selects, and the selection outlives what makes charts forget."""

import re
from collections.abc import Iterator
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


def drag_box(page: Any, number: int) -> None:
    """Drag a box over the left two thirds of a chart; the legend is chart 0."""
    box = page.locator(".js-plotly-plot").nth(number).bounding_box()
    page.mouse.move(box["x"] + 0.03 * box["width"], box["y"] + 0.03 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.65 * box["width"], box["y"] + 0.95 * box["height"], steps=5)
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

        page.get_by_role("button", name="Clear").click()
        page.get_by_text("This is the whole catalogue").wait_for()
        settle(page)
        drag_box(page, 2)
        page.get_by_text(SELECTED).wait_for()
