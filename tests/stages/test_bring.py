"""Bringing data as a job: import alone, or import and build."""

from pathlib import Path

import pytest
import tiny

from guidedrec_core.errors import JobCancelledError
from guidedrec_core.jobs.tasks import TASKS
from guidedrec_core.progress import Progress, silent
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import import_task


@pytest.fixture
def tiny_files(tmp_path: Path) -> tiny.TinyFiles:
    folder = tmp_path / "files"
    folder.mkdir()
    return tiny.write_shop(folder)


def arguments(files: tiny.TinyFiles) -> dict[str, object]:
    paths = {"path": str(files.interactions), "items": str(files.catalogue)}
    return {"dataset": "shop", "format": "csv", **paths, "min_interactions": 5, "verb": "played", "currency": "EUR"}


def test_without_scores_the_data_set_is_stored(tiny_files: tiny.TinyFiles, tmp_path: Path) -> None:
    assert TASKS["import"] == "guidedrec_core.stages:import_task"
    run = RunStore(tmp_path / "home").open(import_task(arguments(tiny_files), tmp_path / "home", silent), "data")
    dataset = load_dataset(run)
    assert (dataset.name, dataset.verb().past) == ("shop", "played")
    assert set(dataset.catalogue.frame["currency"]) == {"EUR"}


def test_with_scores_everything_is_built(tiny_files: tiny.TinyFiles, tmp_path: Path) -> None:
    heard: list[str] = []
    given = tiny_files.scores
    scores = {"attributes": str(given.attributes), "item_scores": str(given.item_scores)}
    config = tiny.CONFIG.model_dump(mode="json")
    run_id = import_task(
        {**arguments(tiny_files), **scores, "config": config},
        tmp_path / "home",
        lambda event: heard.append(event.stage),
    )
    store = RunStore(tmp_path / "home")
    assert store.open(run_id, "refined").id == run_id
    assert [info.stage for info in store.list("evaluation")] == ["evaluation"]
    assert heard[0] == "data"


def test_a_cancelled_import_stores_nothing(tiny_files: tiny.TinyFiles, tmp_path: Path) -> None:
    def cancel(_: Progress) -> None:
        raise JobCancelledError("the job was cancelled")

    with pytest.raises(JobCancelledError):
        import_task(arguments(tiny_files), tmp_path / "home", cancel)
    assert RunStore(tmp_path / "home").list("data") == []
