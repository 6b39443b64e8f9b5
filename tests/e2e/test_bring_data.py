"""Bring data in a real browser: upload, columns, dates, preview, build, and open what came of it."""

import os
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, open_page, running_app, settle

browser_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def address(tiny_build: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a home of its own, for the walk writes into it."""
    folder: Path = tmp_path_factory.mktemp("e2e_bring_data")
    shutil.copytree(tiny_build.data.path.parents[1], folder / "home")
    with running_app(folder / "home", folder / "app.log") as url:
        yield url


@pytest.fixture(scope="module")
def pictures() -> Path:
    folder = Path(os.environ.get("GUIDEDREC_SCREENSHOTS") or Path(__file__).resolve().parents[2] / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    rng = random.Random(5)
    rows = [
        f"c{user},s{rng.randint(0, 19)},{day:02d}/0{month}/2024,{rng.choice(['view', 'purchase'])}"
        for user in range(40)
        for month in range(1, 4)
        for day in rng.sample(range(1, 28), 4)
    ]
    path = tmp_path / "spring sales.csv"
    path.write_text("Customer ID,SKU,bought,event\n" + "\n".join(rows) + "\n")
    (tmp_path / "scores.csv").write_text(
        "item_id,warmth\n" + "".join(f"s{n},{rng.randint(0, 10)}\n" for n in range(20))
    )
    (tmp_path / "attributes.json").write_text(
        '{"attributes": [{"name": "warmth", "low": "cooling", "high": "made for deep cold"}]}'
    )
    return path


def choose(page: Any, label: str, wanted: re.Pattern[str]) -> None:
    """Choose from a list; it is opened again where the page, drawn anew after the upload, has closed it."""
    option = page.get_by_role("option", name=wanted)
    for _ in range(8):
        settle(page)
        page.get_by_role("combobox", name=label).press("ArrowDown")
        try:
            option.click(timeout=4_000)
        except browser_api.TimeoutError:
            continue
        return
    option.click()


def test_from_an_upload_to_a_stored_data_set(address: str, pictures: Path, sales: Path) -> None:
    with open_page(height=900) as (page, _):
        page.goto(f"{address}/Bring_your_data")
        page.get_by_role("heading", name="How do I bring my own data?").wait_for()
        page.locator('input[type="file"]').first.set_input_files(str(sales))
        page.get_by_text("In use: spring_sales.csv").wait_for()
        page.get_by_text(re.compile("can be read as")).or_(page.get_by_text(re.compile("can only be read"))).wait_for()
        choose(page, "How are dates written?", re.compile("With the day first"))
        page.get_by_text(re.compile("Read this way: ")).wait_for()
        page.get_by_text("Interactions", exact=True).first.wait_for()
        settle(page)
        page.screenshot(path=pictures / "bring_data_checked.png", full_page=True)
        page.get_by_role("button", name="Store the data set").click()
        page.get_by_text(re.compile("spring_sales is stored")).wait_for(timeout=120_000)
        page.get_by_role("link", name="Open spring_sales").click()
        page.get_by_text("spring_sales has no refined model yet.").wait_for()
        assert page.locator('[data-testid="stException"]').count() == 0
