"""``guidedrec check``: exit codes, text, JSON and JUnit XML."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "checks.toml"
    path.write_text(
        'version = 1\n[[checks]]\nname = "Variety"\nkind = "coverage"\nat_least = 0.1\n'
        '[[checks]]\nname = "Steady"\nkind = "overlap"\nat_least = 0.9\n'
    )
    return path


def test_the_exit_code_says_whether_a_check_fails(
    call: Callable[..., Any], document: Callable[..., Any], tiny_home: Path, file: Path, tmp_path: Path
) -> None:
    found = document("check", "tiny", "--checks", file)
    assert [one["status"] for one in found["checks"]] == ["passed", "skipped"]
    assert (found["failed"], found["against"]) == (0, None)
    again = document("check", found["run_id"], "--checks", file, "--against", "tiny")
    assert [one["status"] for one in again["checks"]] == ["passed", "passed"]
    assert again["against"] == found["run_id"]
    file.write_text(file.read_text().replace("at_least = 0.1", "at_least = 1.1"))
    junit = tmp_path / "out.xml"
    result = call("check", "tiny", "--checks", file, "--junit", junit, code=1)
    assert "failed   Variety" in result.stdout
    assert "0 passed, 1 failed, 1 skipped" in result.stdout
    assert ElementTree.parse(junit).getroot().get("failures") == "1"
    assert document("check", "tiny", "--checks", file, code=1)["failed"] == 1


def test_bad_input_is_refused(refused: Callable[..., str], tiny_home: Path, file: Path, tmp_path: Path) -> None:
    assert "there is none at" in refused("check", "tiny", "--checks", tmp_path / "no.toml")
    assert "existing folder" in refused("check", "tiny", "--checks", file, "--junit", tmp_path / "no" / "out.xml")
    assert "no data set named" in refused("check", "tiny", "--checks", file, "--against", "nosuch")
    file.write_text('version = 1\n[[checks]]\nname = "a"\nkind = "share"\nitems = "nonsense"\nat_most = 1\n')
    assert "expected a condition on items" in refused("check", "tiny", "--checks", file)
