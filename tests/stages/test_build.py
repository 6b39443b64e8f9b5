"""Stages from runs to runs: nothing done twice, nothing lost, nothing leaked, the same every time."""

import multiprocessing
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from numpy.testing import assert_array_equal

from guidedrec_core import stages
from guidedrec_core.config import BuildConfig, EncoderConfig, RefinementConfig, SplitConfig
from guidedrec_core.data.bundled import ScoreFiles
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import ConfigError, JobCancelledError, NotFoundError
from guidedrec_core.progress import Progress, silent
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.datasets import load_dataset
from guidedrec_core.runs.store import Run, RunStore
from guidedrec_core.stages import Build


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """A store of its own with the tiny data set."""
    files = tiny.write_shop(tmp_path)
    store = RunStore(tmp_path / "home")
    stages.store_dataset(store, import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue))
    return store


def files(tmp_path: Path) -> ScoreFiles:
    return ScoreFiles(tmp_path / "attributes.json", tmp_path / "scores.csv", None)


def weights(run: Run) -> dict[str, np.ndarray]:
    return run.read_arrays("weights")


def test_a_build_leaves_one_run_a_stage_and_both_controls(tiny_build: Build) -> None:
    store = RunStore(tiny_build.data.path.parents[1])
    counts = {stage: len(store.list(stage)) for stage in ("data", "scores", "base", "evaluation", "projection")}
    assert counts == dict.fromkeys(counts, 1)
    controls = {info.config["refinement"]["control"] for info in store.list("refined")}
    assert controls == {"none", "placebo", "second_training"}
    assert not list((store.home / "checkpoints").glob("*"))


def test_building_again_does_nothing_again(tiny_home: Path, tiny_build: Build) -> None:
    store = RunStore(tiny_home)
    before = {info.id for info in store.list()}
    events: list[Progress] = []
    again = stages.build(store, "tiny", tiny.CONFIG, listener=events.append)
    assert again.refined.id == tiny_build.refined.id
    assert {info.id for info in store.list()} == before
    assert {event.stage for event in events} == {"data", "scores"}


def _build(folder: Path, begin: Any) -> None:
    """Import and build the tiny shop, as one of several processes."""
    store = RunStore(folder / "home")
    dataset = import_dataset("csv", folder / "interactions.csv", "tiny", items_path=folder / "catalogue.csv")
    begin.wait()
    stages.store_dataset(store, dataset)
    stages.build(store, "tiny", tiny.CONFIG, files(folder))


def test_builds_of_one_data_set_at_once_share_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests of pages leave a page as the main module, which new processes would run first.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    tiny.write_shop(tmp_path)
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(2)
    builds = [context.Process(target=_build, args=(tmp_path, begin)) for _ in range(2)]
    for each in builds:
        each.start()
    for each in builds:
        each.join(300)
    assert [each.exitcode for each in builds] == [0, 0]
    store = RunStore(tmp_path / "home")
    counts = {stage: len(store.list(stage)) for stage in ("data", "scores", "base", "evaluation", "projection")}
    assert counts == dict.fromkeys(counts, 1)
    assert len(store.list("refined")) == 3  # with both controls
    assert not list((store.home / "checkpoints").glob("*.safetensors"))


def test_a_build_asked_for_again_makes_every_model_again_and_once(tiny_home: Path, tiny_build: Build) -> None:
    store = RunStore(tiny_home)
    before = {info.id for info in store.list()}
    config = tiny.CONFIG.model_dump(mode="json")
    arguments = {"dataset": "tiny", "config": config, "again_since": datetime.now(UTC).isoformat()}
    refined = stages.build_task(arguments, tiny_home, silent)
    new = [info for info in store.list() if info.id not in before]
    assert refined in {info.id for info in new}
    # Data and scores are read as they are stored.
    assert sorted(i.stage for i in new) == ["base", "evaluation", "projection", "refined", "refined", "refined"]
    for name, value in weights(store.open(refined)).items():
        assert_array_equal(value, weights(tiny_build.refined)[name])
    assert stages.build_task(arguments, tiny_home, silent) == refined  # resumed: what is finished is kept
    assert len(store.list()) == len(before) + len(new)


def test_the_same_seed_gives_the_same_weights_bit_for_bit(tiny_build: Build, store: RunStore, tmp_path: Path) -> None:
    data = stages.find_data(store, "tiny")
    scores = stages.score_attributes(store, data, files(tmp_path))
    base = stages.train_base(store, data, tiny.CONFIG)
    refined = stages.refine(store, base, scores, tiny.CONFIG)
    for ours, theirs in ((base, tiny_build.base), (refined, tiny_build.refined)):
        assert weights(ours).keys() == weights(theirs).keys()
        for name, value in weights(ours).items():
            assert_array_equal(value, weights(theirs)[name])
    other = stages.train_base(store, data, tiny.CONFIG.model_copy(update={"seed": 1}))
    assert (weights(other)["items.weight"] != weights(base)["items.weight"]).any()


def test_a_cancelled_training_goes_on_from_its_last_epoch(store: RunStore, tiny_build: Build) -> None:
    data = stages.find_data(store, "tiny")

    def stop(event: Progress) -> None:
        if event.step == 2:
            raise JobCancelledError("enough")

    with pytest.raises(JobCancelledError):
        stages.train_base(store, data, tiny.CONFIG, stop)
    assert not store.list("base")
    events: list[Progress] = []
    base = stages.train_base(store, data, tiny.CONFIG, events.append)
    assert events[0].step == 2
    assert_array_equal(weights(base)["items.weight"], weights(tiny_build.base)["items.weight"])
    assert not list((store.home / "checkpoints").glob("*"))


def test_no_guided_score_reaches_the_base_model(store: RunStore, tmp_path: Path) -> None:
    data = stages.find_data(store, "tiny")
    before = weights(stages.train_base(store, data, tiny.CONFIG))
    table = pd.read_csv(tmp_path / "scores.csv")
    table[list(tiny.ATTRIBUTES)] = 10 - table[list(tiny.ATTRIBUTES)]
    table.to_csv(tmp_path / "scores.csv", index=False)
    stages.score_attributes(store, data, files(tmp_path))
    store.delete(store.list("base")[0].id)
    for name, value in weights(stages.train_base(store, data, tiny.CONFIG)).items():
        assert_array_equal(value, before[name])


def test_changed_scores_make_a_new_refined_run(tiny_home: Path, tiny_build: Build, tmp_path: Path) -> None:
    store = RunStore(tiny_home)
    tiny.write_shop(tmp_path)
    table = pd.read_csv(tmp_path / "scores.csv")
    table.loc[0, "warmth"] = (table.loc[0, "warmth"] + 5) % 10
    table.to_csv(tmp_path / "scores.csv", index=False)
    data, base = stages.find_data(store, "tiny"), store.open(tiny_build.base.id)
    scores = stages.score_attributes(store, data, files(tmp_path))
    assert scores.id != tiny_build.scores.id
    assert stages.find_scores(store, data).id == scores.id
    assert stages.refine(store, base, scores, tiny.CONFIG).id != tiny_build.refined.id


def test_missing_scores_are_marked_and_counted(tiny_build: Build) -> None:
    notices = {n["code"]: n["count"] for n in tiny_build.scores.read_json("notices")}
    assert notices == {"missing_item_scores": 1}
    frozen = tiny_build.refined.read_arrays("guided")
    assert frozen["missing"].sum() == 1
    assert (frozen["values"][frozen["missing"].astype(bool)] == 0).all()


def test_the_placebo_has_the_same_rows_in_another_order(tiny_build: Build) -> None:
    store = RunStore(tiny_build.data.path.parents[1])
    own = tiny_build.refined.read_arrays("guided")["values"]
    shuffled = store.open(tiny_build.evaluation.inputs["placebo"]).read_arrays("guided")["values"]
    assert (own != shuffled).any()
    assert_array_equal(np.sort(own, axis=0), np.sort(shuffled, axis=0))
    assert sorted(map(tuple, own.tolist())) == sorted(map(tuple, shuffled.tolist()))


def test_every_arm_had_the_same_training_settings(tiny_build: Build) -> None:
    store = RunStore(tiny_build.data.path.parents[1])
    inputs = tiny_build.evaluation.inputs
    settings = [
        store.open(inputs[role]).config["training"] for role in ("base", "refined", "placebo", "second_training")
    ]
    assert all(s == settings[0] for s in settings)


def test_stored_ranks_are_those_of_the_stored_models(tiny_build: Build) -> None:
    system = open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id).showing("train+valid")
    cases = tiny_build.evaluation.read_table("cases")
    lists = tiny_build.evaluation.read_table("recommendations")
    for model in ("base", "refined"):
        for row in cases.head(20).itertuples():
            rank = getattr(row, f"rank_{model}")
            own = lists[(lists["model"] == model) & (lists["user_id"] == row.user_id)]
            hit = own.loc[own["item_id"] == row.item_id, "rank"].tolist()
            assert hit == ([rank] if rank <= len(own) else [])
            shown = system.data.shown_history(system.data.dataset.users.index(row.user_id))
            assert not set(own["item_id"]) & set(system.data.dataset.items.ids[shown])
            assert len(shown) == row.history_length


def test_temporal_split_goes_all_the_way(store: RunStore, tmp_path: Path) -> None:
    config = tiny.CONFIG.model_copy(update={"split": SplitConfig(kind="temporal")})
    data = stages.find_data(store, "tiny")
    scores = stages.score_attributes(store, data, files(tmp_path))
    base = stages.train_base(store, data, config)
    evaluation = stages.evaluate(store, stages.refine(store, base, scores, config), config)
    assert evaluation.summary["split"] == "temporal"
    assert evaluation.summary["n_cases"] == len(evaluation.read_table("cases")) > 0


def test_bundled_data_needs_no_import_and_unknown_names_say_what_to_do(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "home")
    data = stages.find_data(store, "fernway")
    assert stages.find_data(store, "fernway").id == data.id
    assert stages.find_scores(store, data).summary["attributes"] == 12
    with pytest.raises(NotFoundError, match="guidedrec data fetch movielens-small"):
        stages.find_data(store, "movielens-small")
    with pytest.raises(NotFoundError, match="guidedrec data import"):
        stages.find_data(store, "nobody")


def test_runs_of_different_data_do_not_mix(store: RunStore, tmp_path: Path) -> None:
    data = stages.find_data(store, "tiny")
    other = tiny.write_shop(tmp_path / "other", seed=3)
    second = stages.store_dataset(store, import_dataset("csv", other.interactions, "second"))
    scores = stages.score_attributes(store, second, other.scores)
    base = stages.train_base(store, data, tiny.CONFIG)
    with pytest.raises(ConfigError, match="different data"):
        stages.refine(store, base, scores, tiny.CONFIG)


def test_more_attributes_than_width_is_refused(store: RunStore, tmp_path: Path) -> None:
    config = BuildConfig(encoder=EncoderConfig(width=4, heads=1), training=tiny.CONFIG.training)
    data = stages.find_data(store, "tiny")
    scores = stages.score_attributes(store, data, files(tmp_path))
    base = stages.train_base(store, data, config)
    assert stages.refine(store, base, scores, config).summary["control"] == "none"
    wide = pd.read_csv(tmp_path / "scores.csv").assign(extra=np.arange(40) % 11)
    wide.to_csv(tmp_path / "scores.csv", index=False)
    schema = (
        (tmp_path / "attributes.json")
        .read_text()
        .replace('"attributes": [', '"attributes": [{"name": "extra", "low": "l", "high": "h"}, ')
    )
    (tmp_path / "attributes.json").write_text(schema)
    scores = stages.score_attributes(store, data, files(tmp_path))
    with pytest.raises(ConfigError, match="fewer attributes than the embedding width"):
        stages.refine(store, base, scores, config)


def test_user_scores_are_a_prior_and_only_with_leave_one_out(store: RunStore, tmp_path: Path) -> None:
    data = stages.find_data(store, "tiny")
    users = load_dataset(data).users.ids
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.integers(0, 11, (len(users), 3)), columns=list(tiny.ATTRIBUTES))
    table.insert(0, "user_id", users)
    table.to_csv(tmp_path / "users.csv", index=False)
    with_users = ScoreFiles(tmp_path / "attributes.json", tmp_path / "scores.csv", tmp_path / "users.csv")
    scores = stages.score_attributes(store, data, with_users)
    base = stages.train_base(store, data, tiny.CONFIG)
    used = stages.refine(store, base, scores, tiny.CONFIG)
    assert used.read_arrays("frozen")["user_scores"].shape == (len(users), 3)
    unused = tiny.CONFIG.model_copy(update={"refinement": RefinementConfig(use_user_scores=False)})
    assert "user_scores" not in stages.refine(store, base, scores, unused).read_arrays("frozen")
    temporal = tiny.CONFIG.model_copy(update={"split": SplitConfig(kind="temporal")})
    refined = stages.refine(store, stages.train_base(store, data, temporal), scores, temporal)
    assert "user_scores" not in refined.read_arrays("frozen")
    assert refined.read_json("notices")[0]["code"] == "user_scores_not_used"
