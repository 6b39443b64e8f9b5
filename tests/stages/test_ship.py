"""Making the runs that ship: all of them or none, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.errors import TrainingError
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build, ship


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of runs that shipped so far."""
    old = tmp_path / "tiny" / "runs" / "data" / "20200101-000000-aaaaaa"
    old.mkdir(parents=True)
    (old / "manifest.json").write_text("{}")
    return tmp_path / "tiny" / "runs"


def test_new_runs_take_the_place_of_the_old(folder: Path, tiny_build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build itself is tested elsewhere; here it leaves the tiny shop's runs, and a checkpoint."""
    source = RunStore(tiny_build.data.path.parents[1])

    def build(store: RunStore, *_: Any, **__: Any) -> None:
        store.copy_missing(source)
        (store.home / "checkpoints").mkdir()

    monkeypatch.setattr(ship, "build", build)
    ship.ship("fernway", folder)
    made = RunStore(folder)
    assert {info.id for info in made.list()} == {info.id for info in source.list()}
    assert all(made.open(info.id) for info in made.list())
    stages = {"data", "scores", "base", "refined", "evaluation", "projection"}
    assert {path.name for path in folder.iterdir()} == stages  # neither locks nor checkpoints
    assert [path.name for path in folder.parent.iterdir()] == ["runs"]


def test_a_build_that_fails_leaves_the_old(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: Any, **__: Any) -> None:
        raise TrainingError("the loss grew")

    monkeypatch.setattr(ship, "build", build)
    with pytest.raises(TrainingError):
        ship.ship("fernway", folder)
    assert [path.name for path in folder.rglob("*")] == ["data", "20200101-000000-aaaaaa", "manifest.json"]
