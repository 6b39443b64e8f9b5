"""The site as it is built: strictly, whole, and without anything from elsewhere."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sitegen.__main__ import PAGES, write_site
from sitegen.results import FOLDER, Results

ROOT = PAGES.parent
FETCHED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src"}
LARGEST_PICTURE = 250_000


class Fetched(HTMLParser):
    """Collects the addresses that a browser loads with a page; links that a reader may follow are none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = "href" if tag == "link" and given.get("rel") != "canonical" else FETCHED.get(tag, "")
        if given.get(name):
            self.addresses.append(str(given[name]))


@pytest.fixture(scope="module")
def results() -> Results:
    return Results()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, results: Results) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write_site(folder, results)
    return folder


def build(pages: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of some pages into ``folder/site``, as `make docs` does it, but for where things lie."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("docs_dir: build/docs", f"docs_dir: {pages}").replace("paths: [.]", f"paths: [{ROOT}]")
    config = folder / "mkdocs.yml"
    config.write_text(settings, encoding="utf-8")
    # A proxy that nobody answers: what asks the network fails instead of passing where there is one.
    offline = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config)],
        capture_output=True,
        text=True,
        env=os.environ | offline | {"NO_MKDOCS_2_WARNING": "1"},
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, pages: Path) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(pages, folder)
    assert built.returncode == 0, built.stderr
    return folder / "site"


def test_a_broken_link_stops_the_build(tmp_path: Path, pages: Path) -> None:
    broken = tmp_path / "pages"
    shutil.copytree(pages, broken)
    page = broken / "data.md"
    page.write_text(page.read_text(encoding="utf-8").replace("(scoring.md)", "(storing.md)", 1), encoding="utf-8")
    built = build(broken, tmp_path)
    assert built.returncode == 1
    assert "'storing.md', but the target is not found" in built.stderr


def test_every_page_is_there_and_filled_in(site: Path, pages: Path) -> None:
    for page in sorted(pages.rglob("*.md")):
        name = page.relative_to(pages).with_suffix(".html")
        assert (site / name).is_file(), name
        assert not re.search(r"\{\{ \w", page.read_text(encoding="utf-8")), name


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = Fetched()
        fetched.feed(page.read_text(encoding="utf-8"))
        assert fetched.addresses
        assert [a for a in fetched.addresses if re.match(r"(https?:)?//", a)] == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_every_stored_result_is_shown_somewhere(results: Results, pages: Path) -> None:
    assert pages.is_dir()
    assert results.used == {path.stem for path in FOLDER.glob("*.json")}


def test_a_page_that_names_a_missing_result_stops_the_build(tmp_path: Path, results: Results) -> None:
    (tmp_path / "results").mkdir()
    with pytest.raises(Exception, match=r"docs/.*\.md: expected the measured result .*\.json"):
        write_site(tmp_path / "pages", Results(tmp_path / "results"))


def test_formulas_are_drawn_by_the_browser(site: Path) -> None:
    method = (site / "method.html").read_text(encoding="utf-8")
    assert method.count("<math ") > 20
    assert "\\(" not in method
    assert "\\[" not in method


def test_the_command_line_stands_in_the_site(site: Path) -> None:
    page = (site / "command_line.html").read_text(encoding="utf-8")
    assert 'id="guidedrec-score-override"' in page
    assert "&#124;</code>" not in page


def test_pictures_are_small_and_all_used(pages: Path) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in [*pages.rglob("*.md"), ROOT / "README.md"])
    pictures = sorted((PAGES / "pictures").glob("*.png"))
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size <= LARGEST_PICTURE, picture.name
        assert f"pictures/{picture.name})" in text, picture.name


def test_examples_in_docstrings_are_shown_as_code(site: Path) -> None:
    """Prompts outside a section `Examples` would be nested quotations."""
    page = (site / "python.html").read_text(encoding="utf-8")
    assert "<blockquote>" not in page
    assert 'id="guidedrec_core.recommenders.refiner.Refiner"' in page
