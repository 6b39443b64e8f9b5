"""What a release says of itself agrees: package, changelog, citation, types."""

import re
from importlib.resources import files
from pathlib import Path

import yaml

import guidedrec_core

ROOT = Path(__file__).resolve().parents[2]
VERSION = guidedrec_core.__version__


def test_the_changelog_begins_with_this_version_and_a_date_below_what_is_not_released() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert "Unreleased" not in headings[1:]
    assert re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d", released[0])
    assert len(set(headings)) == len(headings)


def test_the_citation_names_this_version_and_the_paper_of_the_method() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == VERSION
    assert f"[{VERSION}] - {citation['date-released']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert {"cff-version", "message", "title", "authors", "license"} <= citation.keys()
    paper = citation["references"][0]
    assert paper["url"] == "https://arxiv.org/abs/2504.11658"
    assert [author["family-names"] for author in paper["authors"]] == ["Jia", "Yuan", "Wu", "Zheng"]


def test_the_package_says_that_it_has_types() -> None:
    assert files(guidedrec_core).joinpath("py.typed").is_file()
