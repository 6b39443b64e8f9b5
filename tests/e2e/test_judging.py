"""A taste test on a phone: three cases are answered, nothing tells which list is whose, nor how others decided."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, open_page, running_app, settle
from planted import taste_content
from tiny import HOSTILE_TITLE

from guidedrec_core.judging.content import ShownItem, TasteCase
from guidedrec_core.judging.store import ExperimentStore

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

WIDTH, HEIGHT = 390, 844
TARGET = 44
"""Pixels that a finger needs."""


def long_lists(case: TasteCase) -> TasteCase:
    """Return a case with lists of five, whose titles are long, awkward or in one word."""
    titles = (
        "Clearwell Glass and Bamboo Bottle with Two Cups",
        HOSTILE_TITLE,
        "Donaudampfschifffahrtsgesellschaft",
        "x",
        "y",
    )
    shown = tuple(ShownItem(f"item-{n}", title, "camp kitchen", "€1,234.00") for n, title in enumerate(titles))
    return replace(case, first=(*case.first, *shown[:4]), second=(*case.second, *shown[1:]))


def test_three_cases_are_answered_on_a_phone(own_home: Path, tmp_path: Path) -> None:
    content = taste_content(3)
    content = replace(content, taste=tuple(map(long_lists, content.taste)), made_of={"run": "20260101-000000-abcdef"})
    store = ExperimentStore(own_home)
    test = store.create("Base against refined", "tiny", {}, content, "Ann")
    with running_app(own_home, tmp_path / "app.log") as address, open_page(WIDTH, HEIGHT) as (page, complaints):
        page.goto(f"{address}/Judge?test={test.id}")
        assert not page.get_by_test_id("stSidebar").is_visible()
        page.get_by_label("Your name").fill("Bob")
        page.get_by_role("button", name="Begin").click()
        page.get_by_text("1 of 3").wait_for()
        judge = store.known(test.id, "Bob")
        assert judge is not None
        for number, side in enumerate(("left", "right", "left"), 1):
            page.get_by_text(f"{number} of 3").wait_for()
            settle(page)
            _is_fit_for_a_phone(page)
            told = f"{page.url} {page.content()}".casefold()
            assert "refined" not in told
            assert "base model" not in told
            assert test.name.casefold() not in told
            assert test.content.made_of["run"] not in told
            page.get_by_role("radio", name="List A" if side == "left" else "List B").click()
            page.get_by_role("button", name="Save and go on").click()
        page.get_by_text("Thank you, Bob.").wait_for()
        page.get_by_text("when the test is closed").wait_for()
        answers = store.answers(test)
        assert answers["chosen_side"].tolist() == ["left", "right", "left"]
        assert answers["case_id"].tolist() == [slot.case_id for slot in judge.plan]
        page.goto(f"{address}/Judge?test={test.id}&judge={judge.id}")  # on another day
        page.get_by_text("Thank you, Bob.").wait_for()
        assert [said for said in complaints if "404" not in said] == []


def _is_fit_for_a_phone(page: Any) -> None:
    """Nothing is wider than the screen, the page begins at its top, and what is touched is large."""
    main = page.get_by_test_id("stMain")
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop === 0", timeout=5_000)
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
    lists = [page.get_by_text(f"List {letter}", exact=True).first.bounding_box() for letter in "AB"]
    assert lists[0]["y"] == lists[1]["y"]  # side by side
    assert lists[0]["x"] < lists[1]["x"] < WIDTH
    for name in ("Save and go on", "I cannot say: skip"):
        assert page.get_by_role("button", name=name).bounding_box()["height"] >= TARGET
    for name in ("List A", "List B"):
        box = page.get_by_role("radio", name=name).bounding_box()
        assert box["height"] >= TARGET
        assert box["width"] > WIDTH / 3
