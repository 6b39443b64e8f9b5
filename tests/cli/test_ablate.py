"""``guidedrec ablate``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from guidedrec_core.stages import Build


def test_the_document_and_the_table_say_the_same(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    found = document("ablate", "tiny")
    assert set(found) == {"run_id", "ablation_run_id", "mode", "ablation"}
    assert (found["run_id"], found["mode"]) == (tiny_build.refined.id, "head")
    assert set(found["ablation"][0]) == {
        *("kind", "attribute", "n_attributes", "metric", "value"),
        *("to_all", "to_all_low", "to_all_high", "to_none", "to_none_low", "to_none_high"),
    }
    shown = call("ablate", "tiny").stdout
    row = next(r for r in found["ablation"] if r["kind"] == "drop" and r["metric"] == "MRR")
    line = next(line for line in shown.splitlines() if line.startswith(f"without {row['attribute']} "))
    assert f"{row['value']:.4f}  {row['to_all']:+.4f}" in line


def test_wrong_use_is_told(refused: Callable[..., str], tiny_home: Path) -> None:
    assert "leave out --mode" in refused("ablate", "tiny", "--sparsity", "--mode=head")
    assert "'heads'" in refused("ablate", "tiny", "--mode=heads")
    assert "no data set named 'nosuch'" in refused("ablate", "nosuch")
