"""Studies in a real browser: a case is saved with its steering, and opens again exactly as it was."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import CHROMIUM, open_page, running_app, settle

from guidedrec_core.studies.store import StudyStore

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")


@pytest.fixture
def address(tiny_home: Any, tmp_path: Any) -> Iterator[str]:
    with running_app(tiny_home, tmp_path / "app.log") as url:
        yield url


def test_a_saved_case_opens_with_its_steering(address: str, tiny_home: Any) -> None:
    with open_page(width=1440, height=900) as (page, _):
        page.goto(f"{address}/Case_study?dataset=tiny&user=user-03&question=steer&pull=warmth:1.5")
        settle(page)
        page.get_by_text("What if: ").first.wait_for()
        page.get_by_role("button", name="Save", exact=True).click()
        study = page.get_by_role("combobox", name="Study")
        study.fill("Winter jackets")
        page.keyboard.press("Enter")
        settle(page)
        form = page.get_by_test_id("stForm").filter(has=page.get_by_label("Verdict"))
        form.get_by_text("Wrong").click()
        form.get_by_label("Reason for the verdict").fill("too warm")
        form.get_by_label("Your name").fill("Ann")
        form.get_by_role("button", name="Save").click()
        page.get_by_text("Saved in Winter jackets.").wait_for()

        store = StudyStore(tiny_home)
        (case,) = store.cases(store.find("Winter jackets").id)
        assert (case.content.verdict, case.content.reason) == ("wrong", "too warm")
        assert parse_qs(case.content.address[1:])["pull"] == ["warmth:1.5"]

        page.get_by_role("link", name="Open Winter jackets").click()
        page.get_by_role("heading", name="Winter jackets").wait_for()
        page.goto(f"{address}/Studies?study={case.study_id}")  # a new session, which remembers nothing
        page.get_by_role("link", name="Open", exact=True).click()
        page.get_by_text("What if: ").first.wait_for()
        settle(page)
        place = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
        assert (place["user"], place["question"], place["pull"]) == ("user-03", "steer", "warmth:1.5")
        assert place["item"] == case.content.item_id
        assert page.get_by_role("slider", name="Warmth").input_value() == "1.5"
