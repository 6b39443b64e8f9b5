"""Runs that ship: copied into a home that has nothing to show, and never in the way of the user's own."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guidedrec_core.errors import NotFoundError
from guidedrec_core.runs import library, shipped
from guidedrec_core.runs.store import RunStore

if TYPE_CHECKING:
    from guidedrec_core.stages import Build


def test_they_are_copied_at_first_use(own_home: Path, shipped_tiny: RunStore, tiny_build: "Build") -> None:
    store = RunStore(own_home)
    assert library.refined_entries(store, "tiny") == []
    entry = library.find_entry(store, "tiny")
    assert entry.run.id == tiny_build.refined.id
    assert entry.evaluation is not None
    assert entry.projection is not None
    assert {info.id for info in store.list()} == {info.id for info in shipped_tiny.list()}
    assert all(store.open(info.id) for info in store.list())  # every checksum holds


def test_a_deleted_run_is_there_again_at_the_next_use(own_home: Path, shipped_tiny: RunStore) -> None:
    store = RunStore(own_home)
    run_id = library.find_entry(store, "tiny").run.id
    store.delete(run_id, cascade=True)
    assert library.refined_entries(store, "tiny") == []
    assert library.find_entry(store, "tiny").run.id == run_id


def test_they_stay_away_where_there_is_something_to_show(
    own_home: Path, shipped_tiny: RunStore, tiny_build: "Build"
) -> None:
    """Of two refined runs one is deleted: the other is shown, and nothing is copied."""
    store = RunStore(own_home)
    library.find_entry(store, "tiny")
    with store.create(
        "refined",
        config=tiny_build.refined.config,
        inputs={"base": tiny_build.base, "scores": tiny_build.scores},
    ) as writer:
        pass
    store.delete(tiny_build.refined.id, cascade=True)
    assert [entry.run.id for entry in library.entries_with_shipped(store, "tiny")] == [writer.run.id]


def test_nothing_ships_for_other_data_sets(own_home: Path, shipped_tiny: RunStore) -> None:
    assert shipped.shipped_runs("my-shop") is None
    with pytest.raises(NotFoundError, match="no data set named 'my-shop'"):
        library.find_entry(RunStore(own_home), "my-shop")
    assert not own_home.exists()


def test_runs_of_another_format_are_left_alone(
    own_home: Path, shipped_tiny: RunStore, caplog: pytest.LogCaptureFixture
) -> None:
    """An older package's: the data set is built then, as if nothing shipped."""
    for path in shipped_tiny.home.glob("base/*/manifest.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 1}))
    store = RunStore(own_home)
    assert not shipped.bring_shipped(store, "tiny")
    assert "format version 1" in caplog.text
    assert store.list() == []


def test_a_package_without_them_has_none(shipped_tiny: RunStore) -> None:
    shutil.rmtree(shipped_tiny.home)
    assert shipped.shipped_runs("tiny") is None
