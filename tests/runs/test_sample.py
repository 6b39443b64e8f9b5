"""The runs that ship for the bundled shop: what the code of today would make of its files.

When one of these fails, the code has moved on: `make sample` makes the runs anew.
"""

from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from guidedrec_core import stages
from guidedrec_core.config import BuildConfig
from guidedrec_core.data.bundled import build_settings
from guidedrec_core.progress import Progress
from guidedrec_core.runs import library
from guidedrec_core.runs.library import RefinedEntry
from guidedrec_core.runs.manifest import REVISIONS
from guidedrec_core.runs.shipped import shipped_runs
from guidedrec_core.runs.store import RunStore

SHOP = "fernway"
CONFIG = BuildConfig.parse(build_settings(SHOP))


@pytest.fixture
def store(own_home: Path) -> RunStore:
    """A home with a copy of the runs."""
    store = RunStore(own_home)
    source = shipped_runs(SHOP)
    assert source is not None, "nothing ships; `make sample` makes the runs"
    store.copy_missing(source)
    return store


@pytest.fixture
def entry(store: RunStore) -> RefinedEntry:
    """What a first visitor sees."""
    return library.find_entry(store, SHOP)


def test_they_are_of_the_algorithms_of_today(store: RunStore) -> None:
    made = {run.id: (run.stage, run.manifest.revision) for run in map(store.open, (i.id for i in store.list()))}
    older = {run_id: found for run_id, found in made.items() if found[1] != REVISIONS[found[0]]}
    assert not older, f"made by other revisions than {REVISIONS}: {older}; `make sample` makes them anew"


def test_a_build_would_make_nothing_else(store: RunStore, entry: RefinedEntry) -> None:
    """Data, scores and settings are those of today: all that a build does is to find them."""
    before = {info.id for info in store.list()}
    events: list[Progress] = []
    built = stages.build(store, SHOP, CONFIG, listener=events.append)
    assert {info.id for info in store.list()} == before, "a build makes other runs; `make sample` makes them anew"
    assert built.refined.id == entry.run.id
    assert {event.stage for event in events} == {"data", "scores"}


def test_they_fit_into_a_clone() -> None:
    source = shipped_runs(SHOP)
    assert source is not None
    files = [path for path in source.home.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 4_000_000
    suffixes = {path.suffix for path in files}
    assert suffixes <= {".json", ".parquet", ".npy", ".safetensors"}
    # Nothing of the machine they were made on.
    assert not [path for path in files if path.suffix == ".json" and str(Path.home()) in path.read_text("utf-8")]


@pytest.mark.timeout(900)
def test_the_stages_that_train_nothing_come_out_the_same(store: RunStore, entry: RefinedEntry) -> None:
    """Measured and mapped anew from the models that ship; another processor may round otherwise, so nearly."""
    source = shipped_runs(SHOP)
    assert source is not None
    assert entry.evaluation is not None
    assert entry.projection is not None
    measured, mapped = source.open(entry.evaluation.id), source.open(entry.projection.id)
    store.delete(measured.id)
    store.delete(mapped.id)
    refined = store.open(entry.run.id)

    again = stages.evaluate(store, refined, CONFIG)
    assert again.inputs == measured.inputs  # no model was trained
    for name in ("metrics", "lists"):
        assert_frame_equal(again.read_table(name), measured.read_table(name), atol=2e-3, rtol=1e-2)
    own, shipped = (run.read_table("cases")["rank_refined"] for run in (again, measured))
    assert len(own) == len(shipped)
    assert (own == shipped).mean() > 0.99

    layout = stages.project_items(store, refined, CONFIG)
    for space in ("base", "refined"):
        near, shipped_near = (run.read_array(f"{space}_neighbours") for run in (layout, mapped))
        assert (near == shipped_near).mean() > 0.99
