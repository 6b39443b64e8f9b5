"""Groups in a real browser: users are chosen and saved as a segment, which Evaluation shows; Back goes one step."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import CHROMIUM, contrasts, open_page, running_app, settle

from guidedrec_core.audience.saved import SegmentStore

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")


@pytest.fixture
def address(tiny_home: Any, tmp_path: Any) -> Iterator[str]:
    with running_app(tiny_home, tmp_path / "app.log") as url:
        yield url


def users_of(page: Any) -> str | None:
    """Return which users the address names."""
    return parse_qs(urlsplit(page.url).query).get("users", [None])[0]


def test_a_chosen_group_is_saved_and_found_on_evaluation(address: str, tiny_home: Any) -> None:
    with open_page(width=1440, height=900, scheme="dark") as (page, _):
        page.goto(f"{address}/Audience?dataset=tiny&items=tents")
        settle(page)
        assert page.get_by_role("button", name="Save segment").is_disabled()
        users = page.get_by_role("combobox", name="Users")
        for text in ("seeks warmth", "at least 5 choices"):
            users.fill(text)
            page.keyboard.press("Enter")
            page.get_by_text(re.compile(f"users who match “{text}”")).first.wait_for()
            settle(page)
        assert users_of(page) == "at least 5 choices"
        page.go_back()
        page.get_by_text(re.compile("users who match “seeks warmth”")).first.wait_for()
        settle(page)
        assert users_of(page) == "seeks warmth"
        assert users.input_value() == "seeks warmth"
        assert min(contrasts(page, ".stButtonGroup button[data-variant]")) >= 4.5

        page.get_by_role("button", name="Save segment").click()
        page.get_by_label("Name", exact=True).fill("Cold feet")
        page.keyboard.press("Tab")
        page.get_by_label("Your name").fill("Ann")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved Cold feet.").wait_for()
        (saved,) = SegmentStore(tiny_home).list("tiny")
        assert (saved.name, saved.text, saved.written.created_by) == ("Cold feet", "seeks warmth", "Ann")

        page.get_by_role("link", name="What does refinement bring Cold feet?").click()
        page.get_by_role("heading", name="For whom?").wait_for()
        page.get_by_text("By saved segment", exact=True).wait_for()
        page.get_by_text(re.compile("By saved segment, ")).or_(page.get_by_text("too few cases")).first.wait_for()
        settle(page)
        assert page.get_by_text("Cold feet").count() >= 1  # in the chart
