"""Takes pictures of every page from a finished build, in a real browser.

``PYTHONPATH=tests/helpers python tests/e2e/screenshots.py HOME FOLDER [PAGE...]`` takes whole pages, light and dark,
wide and narrow, to look at. With ``--docs`` it takes the documentation's pictures instead: light, cut to what the text
is about, and small; `make pictures` does that.
"""

import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from browser import open_page, running_app, settle
from PIL import Image

PAGES = {
    "overview": "",
    "case_study": "Case_study",
    "audience": "Audience",
    "rules": "Rules",
    "what_if_for_all": "Rules?tab=what-if&change=warmth%252B3%2520where%2520jackets%2520and%2520price%2520over%2520100",
    "studies": "Studies",
    "items": "Items",
    "embedding_map": "Embedding_map",
    "evaluation": "Evaluation",
    "attributes": "Attributes",
}

DOCS_WIDTH = 1440
SHADES = 256
"""Colours of a picture: screens are flat, so that a palette makes a file half as large and cannot be seen."""
MARGIN = 16


@dataclass(frozen=True)
class Picture:
    """One picture of the documentation.

    Attributes
    ----------
    page : str
        A key of `PAGES`.
    height : int
        Pixels at most, from where the picture begins.
    prepare : callable, optional
        What to do on the page first.
    start, end : str, optional
        CSS selectors of what the picture begins and ends above; the top of the page and `height` by default.
    """

    page: str
    height: int
    prepare: Callable[[Any], None] | None = None
    start: str | None = None
    end: str | None = None


def choose_section(label: str) -> Callable[[Any], None]:
    """Choose one of the case study's sections by a part of its name."""

    def choose(page: Any) -> None:
        name = re.compile(label, re.IGNORECASE)
        control = page.locator(".st-key-section")
        control.get_by_role("button", name=name).or_(control.get_by_role("radio", name=name)).first.click()
        settle(page)

    return choose


def by_attribute(page: Any) -> None:
    """Show what drove a score, item by item and attribute by attribute."""
    choose_section("past item")(page)
    page.locator(".st-key-history_map label").first.click(timeout=60_000)
    settle(page)


def steer(page: Any) -> None:
    """Pull one attribute, so that there is another list to see."""
    choose_section("steer|what if")(page)
    slider = page.get_by_role("slider").first
    for _ in range(4):
        slider.press("ArrowRight")
    settle(page)


SECTIONS = ".st-key-section"

DOCS = {
    "overview": Picture("overview", 1230),
    "case_study": Picture("case_study", 1600, end=SECTIONS),
    "explained": Picture("case_study", 1100, start=SECTIONS),
    "past_items": Picture("case_study", 1450, by_attribute, SECTIONS),
    "what_if": Picture("case_study", 1050, steer, SECTIONS),
    "audience": Picture("audience", 1300),
    "rules": Picture("what_if_for_all", 1150),
    "items": Picture("items", 1200),
    "embedding_map": Picture("embedding_map", 940),
    "evaluation": Picture("evaluation", 1200),
    "attributes": Picture("attributes", 1500),
}


def open_in_full(page: Any, address: str, name: str, width: int) -> int:
    """Open a page in a window as high as its content; return that height."""
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(f"{address}/{PAGES[name]}")
    settle(page)
    return stretch(page, width)


def stretch(page: Any, width: int) -> int:
    """Make the window as high as its content, because Streamlit scrolls inside the page; return that height."""
    height = int(page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")) + 40
    page.set_viewport_size({"width": width, "height": height})
    settle(page)
    return height


def shoot_all(address: str, folder: Path, names: list[str]) -> None:
    """Take whole pages in both schemes and widths."""
    for width in (1440, 1024):
        for scheme in ("light", "dark"):
            with open_page(width, 1000, scheme) as (page, _):
                for name in names:
                    open_in_full(page, address, name, width)
                    page.screenshot(path=folder / f"{name}_{width}_{scheme}.png")


def shoot_docs(address: str, folder: Path, names: list[str]) -> None:
    """Take the documentation's pictures, each from a page just opened."""
    with open_page(DOCS_WIDTH) as (page, _):
        for name in names:
            picture = DOCS[name]
            height = open_in_full(page, address, picture.page, DOCS_WIDTH)
            if picture.prepare is not None:
                picture.prepare(page)
                height = stretch(page, DOCS_WIDTH)
            left, top = 0, 0
            if picture.start is not None:
                left = page.locator("[data-testid=stMainBlockContainer]").bounding_box()["x"]
                top = above(page, picture.start)
            bottom = min(height, top + picture.height)
            if picture.end is not None:
                bottom = min(bottom, above(page, picture.end))
            clip = {"x": left, "y": top, "width": DOCS_WIDTH - left, "height": bottom - top}
            save(page.screenshot(clip=clip), folder / f"{name}.png")


def above(page: Any, selector: str) -> float:
    """Return the pixel a little above what a selector finds."""
    found = page.locator(selector)
    if not found.count():
        raise SystemExit(f"expected {selector} on {page.url}, found nothing; the page has changed, so change DOCS, too")
    return float(found.first.bounding_box()["y"]) - MARGIN


def save(png: bytes, path: Path) -> None:
    """Store a picture with few colours, which makes it small.

    The palette covers all colours evenly. One chosen by their frequency loses the rare ones, such as a short amber bar.
    """
    picture = Image.open(BytesIO(png)).convert("RGB")
    picture.quantize(SHADES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)


def main(arguments: list[str]) -> None:
    """Take the pictures asked for."""
    for_docs = "--docs" in arguments
    home, folder, *names = [a for a in arguments if a != "--docs"]
    Path(folder).mkdir(parents=True, exist_ok=True)
    shoot, known = (shoot_docs, list(DOCS)) if for_docs else (shoot_all, list(PAGES))
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"expected pages out of {', '.join(known)}; got {', '.join(unknown)}")
    with tempfile.TemporaryDirectory() as logs, running_app(Path(home), Path(logs) / "app.log") as address:
        shoot(address, Path(folder), names or known)


if __name__ == "__main__":
    main(sys.argv[1:])
