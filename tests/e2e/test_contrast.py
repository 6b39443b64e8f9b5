"""Text in Streamlit's own widgets is readable in both themes: a contrast of 4.5 or more (WCAG 2, level AA)."""

from collections.abc import Iterator
from typing import Any

import pytest
from browser import CHROMIUM, contrasts, open_page, running_app, settle

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

SEGMENTS = ".stButtonGroup button[data-variant]"
TABS = '.stTabs [role="tab"]'
PRIMARY = 'button[data-testid^="stBaseButton-primary"]'


@pytest.fixture(scope="module")
def address(tiny_build: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tiny_build.data.path.parents[1], tmp_path_factory.mktemp("contrast") / "app.log") as url:
        yield url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_segments_tabs_and_primary_buttons_are_readable(address: str, scheme: str) -> None:
    with open_page(scheme=scheme) as (page, _):
        page.goto(f"{address}/Case_study")
        settle(page)
        selected = page.locator(f"{SEGMENTS}[data-selected]")
        assert selected.count() == 1
        assert min(contrasts(page, SEGMENTS)) >= 4.5
        selected.first.hover()
        page.wait_for_timeout(400)  # colours change gradually
        assert min(contrasts(page, SEGMENTS)) >= 4.5

        page.goto(f"{address}/Attributes")
        settle(page)
        assert page.locator(f"{TABS}[data-selected]").count() == 1
        assert min(contrasts(page, TABS)) >= 4.5

        page.goto(f"{address}/Case_study?dataset=tiny&user=nobody")
        settle(page)
        assert page.locator(PRIMARY).count() == 1
        assert min(contrasts(page, PRIMARY)) >= 4.5
