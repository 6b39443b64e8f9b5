"""`PYTHONPATH=docs python -m sitegen FOLDER`: writes the pages as plain Markdown, ready for `mkdocs build`."""

import shutil
import sys
from pathlib import Path

from sitegen.notebook import as_markdown
from sitegen.render import ROOT, fill_in
from sitegen.results import Results

PAGES = ROOT / "docs"
_NOT_COPIED = shutil.ignore_patterns("sitegen", "__pycache__", "*.md")


def write_site(folder: Path, results: Results | None = None) -> list[str]:
    """Write all pages, and the files that go with them, into a folder that is made anew; return the pages' names."""
    results = results or Results()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PAGES, folder, ignore=_NOT_COPIED)
    sources = [path.relative_to(PAGES) for kind in ("*.md", "*.ipynb") for path in PAGES.rglob(kind)]
    for source in sources:
        text = (PAGES / source).read_text(encoding="utf-8")
        page = as_markdown(text) if source.suffix == ".ipynb" else fill_in(source.as_posix(), text, results)
        (folder / source.with_suffix(".md")).write_text(page, encoding="utf-8")
    return sorted(source.with_suffix(".md").as_posix() for source in sources)


if __name__ == "__main__":
    write_site(Path(sys.argv[1]))
