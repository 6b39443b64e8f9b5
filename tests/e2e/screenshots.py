"""Takes pictures of every page, light and dark, wide and narrow, from a finished build.

``PYTHONPATH=tests python tests/e2e/screenshots.py HOME FOLDER [PAGE...]``; with ``--readme`` only the README's pictures
are made.
"""

import sys
from pathlib import Path

from browser import open_page, running_app, settle

PAGES = {
    "overview": "",
    "case_study": "Case_study",
    "items": "Items",
    "map": "Embedding_map",
    "evaluation": "Evaluation",
}


def shoot(address: str, folder: Path, names: list[str], width: int, scheme: str, suffix: str, full: bool) -> None:
    with open_page(width, 1000, scheme) as (page, complaints):
        for name in names:
            page.set_viewport_size({"width": width, "height": 1000})
            page.goto(f"{address}/{PAGES[name]}")
            settle(page)
            if full:
                # Streamlit scrolls inside the page, so the window is made as high as its content.
                height = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
                page.set_viewport_size({"width": width, "height": int(height) + 40})
                settle(page)
            page.screenshot(path=folder / f"{name}{suffix}.png")
        for complaint in complaints:
            print(complaint)


def main(home: Path, folder: Path, readme: bool, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with running_app(home, folder / "app.log") as address:
        if readme:
            shoot(address, folder, ["overview", "case_study"], 1440, "light", "", full=False)
            return
        for width in (1440, 1024):
            for scheme in ("light", "dark"):
                shoot(address, folder, names, width, scheme, f"_{width}_{scheme}", full=True)


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    main(Path(arguments[0]), Path(arguments[1]), "--readme" in sys.argv, arguments[2:] or list(PAGES))
