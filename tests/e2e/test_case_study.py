"""The Case study in a real browser: what stands where, one press of Back a step, deep links, nothing from outside."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import CHROMIUM, open_page, running_app, settle

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

USER = "user-03"
_ROW, _HEADER = 26, 37  # pixels of a list


@pytest.fixture(scope="module")
def address(tiny_build: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tiny_build.data.path.parents[1]
    with running_app(home, tmp_path_factory.mktemp("e2e") / "app.log") as url:
        yield url


def place(page: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def until(page: Any, **expected: str | None) -> None:
    """Wait until the address says so."""
    for _ in range(100):
        if all(place(page).get(name) == value for name, value in expected.items()):
            settle(page)
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"expected {expected}, got {place(page)}")


def opened(page: Any, address: str, query: str = "") -> None:
    page.goto(f"{address}/Case_study?dataset=tiny&user={USER}{query}")
    settle(page)
    page.get_by_role("heading", name=re.compile("^Why .+ is ")).wait_for()


def click_row(page: Any, row: int, which: int = 1) -> None:
    """Click the title in a row of the base (0) or the refined list (1)."""
    box = page.locator('[data-testid="stDataFrame"]').nth(which).bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + _HEADER + _ROW * (row - 0.5))


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_the_answer_stands_above_the_fold(address: str, width: int, height: int) -> None:
    with open_page(width=width, height=height) as (page, _):
        opened(page, address)
        base, refined = (page.locator('[data-testid="stDataFrame"]').nth(place).bounding_box() for place in (0, 1))
        assert base["y"] == pytest.approx(refined["y"], abs=1)  # side by side
        assert base["x"] + base["width"] <= refined["x"]
        why = page.get_by_role("heading", name=re.compile("^Why .+ is 1st")).bounding_box()
        questions = page.locator(".st-key-questions").bounding_box()
        assert questions["y"] + questions["height"] <= height
        if width == 1440:
            assert why["y"] + why["height"] <= questions["y"]
            chart = page.locator(".js-plotly-plot").first.bounding_box()
            assert chart["y"] + 0.9 * chart["height"] <= questions["y"]
        page.locator('[data-testid="stMain"]').evaluate("main => main.scrollTo(0, main.scrollHeight)")
        page.wait_for_timeout(300)
        assert 0 <= page.locator(".st-key-questions").bounding_box()["y"] < 60  # it stays in view


def test_every_step_is_one_press_of_back(address: str) -> None:
    with open_page(width=1440, height=900) as (page, _):
        opened(page, address)
        start = page.evaluate("history.length")
        click_row(page, 3)
        page.get_by_role("heading", name=re.compile("^Why .+ is 3rd ")).wait_for()
        settle(page)
        third = place(page)["item"]
        page.get_by_role("radio", name="Steer").click()
        until(page, question="steer")
        page.get_by_role("slider", name="Warmth").focus()
        page.keyboard.press("ArrowRight")
        until(page, pull="warmth:0.5")
        page.get_by_role("link", name="Items").click()
        page.get_by_role("heading", name=re.compile("How do the model")).wait_for()
        until(page, question=None)
        page.get_by_label("Find an item").fill("tent")
        page.keyboard.press("Enter")
        until(page, find_item="tent")
        page.get_by_role("link", name="Case study").click()
        until(page, question="steer", pull="warmth:0.5", item=third)
        assert page.get_by_text("What if: ").first.is_visible()  # steering survived the visit to another page
        page.get_by_role("link", name="Items").click()
        until(page, find_item="tent")
        assert page.get_by_label("Find an item").input_value() == "tent"  # so did the search
        assert page.evaluate("history.length") - start == 7

        for _ in range(3):
            page.go_back()
            settle(page)
        until(page, find_item=None, question=None, item=third)
        page.go_back()
        until(page, question="steer", pull="warmth:0.5")
        page.go_back()
        until(page, question="steer", pull=None)
        assert page.get_by_text("This is a what-if").count() == 0
        page.go_back()
        until(page, question=None, item=third)
        page.go_back()
        until(page, item=None, user=USER)
        page.get_by_role("heading", name=re.compile("^Why .+ is 1st ")).wait_for()


def test_steering_moves_nothing(address: str) -> None:
    with open_page(width=1440, height=900) as (page, _):
        opened(page, address, "&question=steer")
        slider = page.get_by_role("slider", name="Warmth")
        slider.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        watched = [slider, page.locator(".st-key-steered [data-testid='stDataFrame']").first]
        before = [each.bounding_box()["y"] for each in watched]
        slider.focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        until(page, pull="warmth:2")
        page.get_by_text("What if: ").wait_for()
        assert [each.bounding_box()["y"] for each in watched] == pytest.approx(before, abs=1)
        assert re.match(r"What if: (warmth|the list)", page.locator(".st-key-steered h4").inner_text())
        ground = page.locator(".st-key-steering [role=group] > [data-orientation]:has(input[value='2']) > div")
        assert "50%" in ground.first.evaluate("track => getComputedStyle(track).backgroundImage")  # from the middle


def test_an_exact_id_selects_and_the_link_opens_the_same_view(address: str) -> None:
    with open_page(width=1440, height=900) as (page, _):
        opened(page, address, "&question=moved")
        page.get_by_role("textbox", name="Find").fill("user-04")
        page.keyboard.press("Enter")
        until(page, user="user-04", find=None, question="moved")
        page.get_by_role("heading", name=re.compile("^User user-04 ")).wait_for()
        page.get_by_role("button", name="Copy link").click()
        link = page.locator('[data-testid="stCode"] code').inner_text()
        page.goto(link.strip())
        settle(page)
        page.get_by_role("heading", name=re.compile("^User user-04 ")).wait_for()
        assert page.get_by_role("radio", name="Why did it move").is_checked()


@pytest.mark.parametrize("path", ["", "Case_study", "Studies", "Items", "Embedding_map", "Evaluation", "Attributes"])
def test_no_page_asks_another_host_for_anything(address: str, path: str) -> None:
    with open_page() as (page, _):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/{path}")
        settle(page)
        page.wait_for_timeout(1000)
        assert asked
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
