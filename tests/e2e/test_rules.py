"""A rule in a real browser: made, its effect seen, switched on, its line seen on the Case study, and switched off."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, open_page, running_app, settle

from guidedrec_core.rules.store import RuleStore, change_words

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")


@pytest.fixture
def address(tiny_home: Any, tmp_path: Any) -> Iterator[str]:
    with running_app(tiny_home, tmp_path / "app.log") as url:
        yield url


def test_a_rule_is_made_seen_switched_and_named_in_the_score(address: str, tiny_home: Path) -> None:
    with open_page(width=1440, height=900) as (page, _):
        page.goto(f"{address}/Rules?dataset=tiny")
        page.get_by_role("button", name="New rule").click()
        page.get_by_text("Pin to a place", exact=True).click()
        items = page.get_by_role("combobox", name="Which items")
        items.fill("item item-07")
        page.keyboard.press("Enter")
        name = page.get_by_label("Name", exact=True)
        name.fill("Seven first")
        name.press("Enter")
        page.get_by_text("Concerns 1 of 40 items and 60 users.").wait_for()
        page.get_by_label("Your name").fill("Ann")
        page.get_by_role("button", name="Save, off for now").click()

        page.get_by_text("Switched on, the rule would change the top 10 of").wait_for()
        store = RuleStore(tiny_home, "tiny")
        assert not store.find("Seven first").rule.on
        page.get_by_role("button", name="Switch on").click()
        page.get_by_text("“Seven first” is on now.").wait_for()
        assert "rule=Seven+first" in page.url

        page.goto(f"{address}/Case_study?dataset=tiny&user=user-04&item=item-07")
        page.get_by_text("1 rule is on: “Seven first”.").wait_for()
        settle(page)
        page.locator(".js-plotly-plot").get_by_text("Rule “Seven first”").first.wait_for()
        page.get_by_text("With rules", exact=True).click()
        page.get_by_text("The lists are shown without.").wait_for()
        settle(page)
        assert page.locator(".js-plotly-plot").get_by_text("Rule “Seven first”").count() == 0
        page.go_back()  # one change of a control is one step
        page.locator(".js-plotly-plot").get_by_text("Rule “Seven first”").first.wait_for()

        page.get_by_role("link", name="Rules", exact=True).click()
        page.get_by_label("Your name").fill("Ann")  # an address that was typed begins a session, which knows no name
        page.get_by_role("button", name="Switch off").click()
        page.get_by_text("“Seven first” is off now.").wait_for()
        assert [change_words(change) for change in store.history()] == ["added", "switched on", "switched off"]
        assert {change.who for change in store.history()} == {"Ann"}
