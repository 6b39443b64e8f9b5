"""Text from data and from the address stays text in a real browser: never a link, a picture or formatting."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pandas as pd
import pytest
import tiny
from browser import CHROMIUM, open_page, running_app, settle

from guidedrec_core import stages
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.runs.store import RunStore

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

# Each is short enough for a sentence; the word EVIL must never stand alone in an element of its own.
_HOSTILE = (
    "http://evil.example/EVIL",
    "https://evil.example/EVIL?a=1&b=2",
    "www.evil.example/EVIL",
    "EVIL@evil.example",
    "mailto:EVIL@evil.example",
    "[EVIL](http://evil.example)",
    "![EVIL](http://evil.example/i.png)",
    "<http://evil.example/EVIL>",
    "**EVIL** __EVIL__ *EVIL*",
    "`EVIL` ~~EVIL~~ ~EVIL~",
    "<b>EVIL</b> <a href='http://evil.example'>EVIL</a>",
    ":red[EVIL] :blue-background[EVIL] :small[EVIL]",
    "$EVIL$ $$EVIL$$",
    ":smile: :+1: :material/home: :streamlit:",
    "EVIL -> EVIL -- EVIL",
    "# EVIL",
    "1. EVIL",
)
_USERS = ("http://evil.example/u", "**EVIL** :smile:")

# What the page shows that only Markdown or HTML from data could have made.
_FOUND = """
() => {
  const main = document.querySelector('[data-testid=stApp]');
  const bad = [];
  for (const e of main.querySelectorAll('a')) {
    const href = e.href.baseVal ?? e.href;
    if (!URL.canParse(href, location) || new URL(href, location).host !== location.host) bad.push('link ' + href);
  }
  for (const e of main.querySelectorAll('img'))
    if (/evil|streamlit/i.test(e.src + e.alt)) bad.push('image ' + e.src + e.alt);
  for (const e of main.querySelectorAll('strong, em, code, del, b, i, h1, li, .katex, .stMarkdownColoredText'))
    if (/^\\s*(EVIL|https?:.*)\\s*$/.test(e.textContent)) bad.push(e.tagName + ' ' + e.textContent);
  if (main.querySelector('.katex')) bad.push('formula');
  for (const e of main.querySelectorAll('[data-testid=stIconMaterial], [role=img]'))
    if (/^(home|home icon)$/.test(e.textContent + (e.ariaLabel ?? ''))) bad.push('icon ' + e.outerHTML);
  for (const picture of ['\\u{1F604}', '\\u{1F44D}', '\\u2192', '\\u2014'])
    for (const e of main.querySelectorAll('[data-testid=stMarkdownContainer], [data-testid=stCaptionContainer]'))
      if (e.textContent.includes('EVIL ' + picture) || /[\\u{1F44D}\\u{1F604}]/u.test(e.textContent))
        bad.push('sign ' + picture + ' in ' + e.textContent);
  return bad;
}
"""


@pytest.fixture(scope="module")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    files = tiny.write_shop(folder)
    catalogue = pd.read_csv(files.catalogue)
    catalogue["title"] = [_HOSTILE[n % len(_HOSTILE)] for n in range(len(catalogue))]
    catalogue["category"] = [_HOSTILE[n % 3] for n in range(len(catalogue))]
    catalogue["description"] = " ".join(_HOSTILE)
    catalogue.to_csv(files.catalogue, index=False)
    interactions = pd.read_csv(files.interactions)
    for old, new in zip(("user-00", "user-01"), _USERS, strict=True):
        interactions["user_id"] = interactions["user_id"].replace(old, new)
    interactions.to_csv(files.interactions, index=False)
    ends = [
        {"name": name, "low": low, "high": _HOSTILE[13]}
        for name, low in zip(tiny.ATTRIBUTES, (_HOSTILE[0], _HOSTILE[3], _HOSTILE[8]), strict=True)
    ]
    files.scores.attributes.write_text(json.dumps({"domain": "http://evil.example/EVIL", "attributes": ends}))
    store = RunStore(folder / "home")
    stages.store_dataset(store, import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue))
    stages.build(store, "tiny", tiny.CONFIG, files.scores)
    return folder / "home"


@pytest.fixture(scope="module")
def address(hostile_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(hostile_home, tmp_path_factory.mktemp("e2e") / "app.log") as url:
        yield url


def test_no_page_makes_links_pictures_or_formatting_of_data(address: str) -> None:
    with open_page() as (page, _):
        for path in ("", "Case_study", "Items", "Embedding_map", "Evaluation", "Attributes"):
            for user, item in zip(_USERS, ("item-00", "item-08"), strict=True):
                page.goto(f"{address}/{path}?{urlencode({'dataset': 'tiny', 'user': user, 'item': item})}")
                settle(page)
                assert page.locator('[data-testid="stException"]').count() == 0
                assert page.get_by_text("EVIL").count() or page.locator("canvas").count(), "the page shows no data"
                assert page.evaluate(_FOUND) == [], path


def test_sections_and_tabs_show_data_as_text(address: str) -> None:
    with open_page() as (page, _):
        page.goto(f"{address}/Case_study?dataset=tiny&item=item-13&user={quote(_USERS[0])}")
        settle(page)
        for section in (
            "Which past item drove it",
            "What would change it",
            "Why did it move",
            "Steer",
            "In plain words",
        ):
            page.get_by_role("radio", name=section).or_(page.get_by_role("button", name=section)).first.click()
            settle(page)
            assert page.evaluate(_FOUND) == [], section
        for tab in ("Attributes", "Set by hand", "Score with AI"):
            page.goto(f"{address}/Attributes?dataset=tiny&item=item-00&part={quote(tab)}")
            settle(page)
            assert page.evaluate(_FOUND) == [], tab


def test_what_the_address_says_is_repeated_as_text(address: str) -> None:
    text = " ".join(_HOSTILE)
    with open_page() as (page, _):
        for path, name in (("Items", "dataset"), ("Items", "run"), ("Items", "item"), ("Case_study", "user")):
            page.goto(f"{address}/{path}?{urlencode({'dataset': 'tiny', name: text})}")
            settle(page)
            shown = page.locator('[data-testid="stAlert"]').inner_text().replace("\u2060", "")
            assert text in shown
            assert page.evaluate(_FOUND) == [], name
        page.goto(f"{address}/Case_study?{urlencode({'dataset': 'tiny', 'find': text})}")
        settle(page)
        assert "Nothing found for" in page.locator(".st-key-found").inner_text()
        assert page.evaluate(_FOUND) == []
