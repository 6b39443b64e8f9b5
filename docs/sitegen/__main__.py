"""`PYTHONPATH=docs python -m sitegen FOLDER`: writes the pages as plain Markdown, ready for `mkdocs build`."""

import shutil
import sys
from pathlib import Path

from sitegen.render import ROOT, fill_in
from sitegen.results import Results

PAGES = ROOT / "docs"
_NOT_PAGES = shutil.ignore_patterns("sitegen", "__pycache__", "*.md")


def write_site(folder: Path, results: Results | None = None) -> list[str]:
    """Write all pages, and the files that go with them, into a folder that is made anew; return the pages' names."""
    results = results or Results()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PAGES, folder, ignore=_NOT_PAGES)
    names = sorted(path.relative_to(PAGES).as_posix() for path in PAGES.rglob("*.md"))
    for name in names:
        text = (PAGES / name).read_text(encoding="utf-8")
        (folder / name).write_text(fill_in(name, text, results), encoding="utf-8")
    return names


if __name__ == "__main__":
    write_site(Path(sys.argv[1]))
