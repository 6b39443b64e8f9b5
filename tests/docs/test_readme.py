"""The README is short, its links lead somewhere, and its table is the measured one."""

import re
from pathlib import Path

from sitegen.measured.gain import summary_table
from sitegen.results import Results

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_at_most_nine_kilobytes() -> None:
    assert len(README.encode()) <= 9_000


def test_its_table_is_what_was_measured() -> None:
    assert summary_table(Results()) in README, "run `PYTHONPATH=docs python -m sitegen.readme` to renew the table"


def test_its_links_lead_to_files() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("https://")]
    assert len(links) > 10
    for link in links:
        assert (ROOT / link.partition("#")[0]).exists(), link


def test_it_has_one_picture() -> None:
    assert len(re.findall(r"!\[", README)) == 1
