"""The README is short, its links lead somewhere, and its table is the measured one."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny
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


def test_its_python_lines_run_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a tiny shop whose user and items are called as in the README, for a few epochs only."""
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    files = tiny.write_shop(tmp_path)
    renamed = {"user-03": "42", "item-03": "2858", "item-04": "296"}
    tables = (files.interactions, files.catalogue, files.scores.item_scores)
    frames = [pd.read_csv(table).replace(renamed) for table in tables]
    names: dict[str, Any] = dict(zip(("interactions", "items", "item_scores"), frames, strict=True))
    assert code.count("width=64") == 1
    monkeypatch.chdir(tmp_path)
    exec(code.replace("width=64", "width=64, max_epochs=3, threads=1"), names)
    why, listed = names["why"], names["model"].recommend(users=["42"], k=10)
    assert why.ledger["value"].sum() == pytest.approx(why.score, abs=1e-6)
    assert names["gr"].open("runs/mine").recommend(users=["42"], k=10).equals(listed)
