"""``guidedrec audit``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from guidedrec_core.stages import Build


def test_the_document_and_the_table_say_the_same(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    found = document("audit", "tiny", "--users=30")
    assert (found["run_id"], found["users"], found["reference"]) == (tiny_build.refined.id, 30, "stored")
    assert [row["attribute"] for row in found["meaning"]] == ["warmth", "style_focus", "ruggedness"]
    assert "planted" not in found
    shown = call("audit", "tiny", "--users=30").stdout
    assert f"Refined run {tiny_build.refined.id}: 30 of 60 users sampled, 30 explained" in shown
    assert "Explanations by past choices" in shown
    assert "Explanations by attributes hold up: removing the ones they name first" in shown
    assert {row["part"] for row in found["fidelity"]} == {row["part"] for row in found["curves"]}
    assert "guidedrec audit --reference FILE" in shown
    assert "Planted truth: not measured; what shoppers really want is known of the bundled shop only" in shown
    row = found["meaning"][1]
    line = next(line for line in shown.splitlines() if line.startswith("Style focus "))
    assert f"{row['column_agreement']:.2f}" in line


def test_wrong_use_is_told(refused: Callable[..., str], tiny_home: Path, tmp_path: Path) -> None:
    assert "no data set named 'nosuch'" in refused("audit", "nosuch")
    assert "does not exist" in refused("audit", "tiny", "--reference=nosuch.csv")
    pd.DataFrame({"item_id": ["elsewhere"], "warmth": [3]}).to_csv(tmp_path / "r.csv", index=False)
    assert "no id matches" in refused("audit", "tiny", f"--reference={tmp_path / 'r.csv'}")
