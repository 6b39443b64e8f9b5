"""Takes pictures of every page, light and dark, wide and narrow, from a finished build.

``PYTHONPATH=tests/helpers python tests/e2e/screenshots.py HOME FOLDER [PAGE...]``; with ``--readme`` only the README's
pictures are made.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from browser import open_page, running_app, settle

PAGES = {
    "overview": "",
    "case_study": "Case_study",
    "items": "Items",
    "map": "Embedding_map",
    "evaluation": "Evaluation",
    "attributes": "Attributes",
}


README = {"overview": "Suggested cases", "case_study": "More about"}
"""Pages of the README's pictures, and the text each ends above."""


def open_in_full(page: Any, address: str, name: str, width: int) -> int:
    """Open a page in a window as high as its content; return that height."""
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(f"{address}/{PAGES[name]}")
    settle(page)
    # Streamlit scrolls inside the page, so a picture of the whole needs a window of its height.
    height = int(page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")) + 40
    page.set_viewport_size({"width": width, "height": height})
    settle(page)
    return height


def shoot_all(address: str, folder: Path, names: list[str]) -> None:
    for width in (1440, 1024):
        for scheme in ("light", "dark"):
            with open_page(width, 1000, scheme) as (page, _):
                for name in names:
                    open_in_full(page, address, name, width)
                    page.screenshot(path=folder / f"{name}_{width}_{scheme}.png")


def shoot_readme(address: str, folder: Path) -> None:
    with open_page() as (page, _):
        for name, end in README.items():
            open_in_full(page, address, name, 1440)
            bottom = page.get_by_text(end).first.bounding_box()["y"] - 16
            page.screenshot(path=folder / f"{name}.png", clip={"x": 0, "y": 0, "width": 1440, "height": bottom})
        page.get_by_role("button", name="Which past item drove it").or_(
            page.get_by_role("radio", name="Which past item drove it")
        ).first.click()
        page.get_by_text("Attribute by attribute", exact=True).click(timeout=60_000)
        page.get_by_text("Show as table, with the part").first.wait_for(timeout=60_000)
        page.set_viewport_size({"width": 1440, "height": 4000})
        settle(page)
        frame = page.locator("[data-testid=stMainBlockContainer]").bounding_box()
        top = page.get_by_text("More about").first.bounding_box()["y"] - 16
        bottom = page.get_by_text("Show as table, with the part").first.bounding_box()["y"] - 24
        clip = {"x": frame["x"], "y": top, "width": 1440 - frame["x"], "height": bottom - top}
        page.screenshot(path=folder / "past_items.png", clip=clip)


def main(arguments: list[str]) -> None:
    home, folder, *names = [a for a in arguments if a != "--readme"]
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as logs, running_app(Path(home), Path(logs) / "app.log") as address:
        if "--readme" in arguments:
            shoot_readme(address, Path(folder))
        else:
            shoot_all(address, Path(folder), names or list(PAGES))


if __name__ == "__main__":
    main(sys.argv[1:])
