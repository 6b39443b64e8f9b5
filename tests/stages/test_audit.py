"""The audit on the tiny shop: stored, found again, held against the right scores, and out of the way otherwise."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny

from guidedrec_core import stages
from guidedrec_core.config import AuditConfig
from guidedrec_core.errors import DataError
from guidedrec_core.progress import Progress
from guidedrec_core.runs import library
from guidedrec_core.runs.scores import load_scores
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

CONFIG = AuditConfig(users=40, explained=10, bootstrap_samples=100)


def judged_again(build: Build, path: Path, order: tuple[int, ...] = (0, 1, 2), count: int = 30) -> Path:
    """Write the scores of some items as another judge might give them, the columns in an order of its own."""
    ids = build.data.read_table("catalogue")["item_id"].to_numpy()
    scores = load_scores(build.scores).values[:, list(order)]
    table = pd.DataFrame(np.clip(scores + np.random.default_rng(0).normal(0, 0.5, scores.shape), 0, 10))
    table.columns = list(tiny.ATTRIBUTES)
    table.insert(0, "item_id", ids)
    table.iloc[:count].to_csv(path, index=False)
    return path


def test_an_audit_is_found_again_and_belongs_to_its_run(tiny_home: Path, tiny_build: Build) -> None:
    store, events = RunStore(tiny_home), list[Progress]()
    run = stages.audit(store, tiny_build.refined, CONFIG, 0, listener=events.append)
    assert {event.stage for event in events} == {"audit"}
    assert stages.audit(store, tiny_build.refined, CONFIG, 0).id == run.id
    assert stages.audit(store, tiny_build.refined, CONFIG, 1).id != run.id
    assert run.inputs["placebo"] == tiny_build.evaluation.inputs["placebo"]
    entry = library.find_entry(store, "tiny")
    assert entry.audit is not None
    assert entry.audit.inputs["refined"] == entry.run.id == tiny_build.refined.id


def test_the_job_audits_with_the_runs_own_seed(tiny_home: Path, tiny_build: Build) -> None:
    store = RunStore(tiny_home)
    made = store.open(stages.audit_task({"run": tiny_build.refined.id}, tiny_home, lambda _: None), "audit")
    assert made.seed == tiny_build.refined.seed
    entry = library.find_entry(store, "tiny")
    assert entry.audit is not None
    assert entry.audit.id == made.id


def test_without_a_reference_attributes_are_held_against_the_stored_scores(tiny_home: Path, tiny_build: Build) -> None:
    run = stages.audit(RunStore(tiny_home), tiny_build.refined, CONFIG, 0)
    assert (run.summary["reference"], run.summary["judged"], run.summary["users"]) == ("stored", 40, 40)
    table = run.read_table("meaning").set_index("attribute")
    assert table.index.tolist() == list(tiny.ATTRIBUTES)
    np.testing.assert_allclose(table["column_agreement"], 1.0, atol=1e-6)
    assert table.loc["warmth", "column_count"] == 39  # one score is missing
    assert "planted.parquet" not in run.manifest.files
    assert "bundled shop only" in run.summary["no_planted_truth"]


def test_explanations_are_tested_by_taking_away_what_they_name(tiny_home: Path, tiny_build: Build) -> None:
    run = stages.audit(RunStore(tiny_home), tiny_build.refined, CONFIG, 0)
    assert run.summary["explained"] == 10
    areas = run.read_table("fidelity")
    assert set(areas["part"]) == {"history", "attributes"}
    rows = areas[(areas["part"] == "attributes") & (areas["order"] == "random") & (areas["measure"] == "score")]
    assert (rows["gap"] > 0).all()  # contributions are exact, so the largest first costs most
    curves = run.read_table("curves")
    assert {"one item swapped", "another user"} <= set(run.read_table("stability")["change"])
    start = curves[curves["share"] == 0]
    np.testing.assert_allclose(start["score"], 0, atol=1e-6)


def test_scores_judged_again_tell_columns_mixed_up_before_they_were_stored(
    tiny_home: Path, tiny_build: Build, tmp_path: Path
) -> None:
    store = RunStore(tiny_home)
    right = stages.audit(store, tiny_build.refined, CONFIG, 0, judged_again(tiny_build, tmp_path / "right.csv"))
    assert (right.summary["reference"], right.summary["judged"]) == ("file", 30)
    assert not (right.read_table("meaning")["column_evidence"] < 0).any()
    other = stages.audit(
        store, tiny_build.refined, CONFIG, 0, judged_again(tiny_build, tmp_path / "other.csv", (1, 0, 2))
    )
    table = other.read_table("meaning").set_index("attribute")
    assert table["alarm"].tolist()[:2] == [True, True]
    assert table.loc["warmth", "column_rival"] == "style_focus"
    assert table.loc["ruggedness", "column_evidence"] > 0


def test_a_judge_may_leave_attributes_out(tiny_home: Path, tiny_build: Build, tmp_path: Path) -> None:
    path = judged_again(tiny_build, tmp_path / "some.csv")
    pd.read_csv(path)[["item_id", "style_focus"]].to_csv(path, index=False)
    run = stages.audit(RunStore(tiny_home), tiny_build.refined, CONFIG, 0, path)
    assert run.read_table("meaning")["column_count"].tolist() == [0, 30, 0]
    pd.read_csv(path)[["item_id"]].assign(sparkle=1).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"at least one attribute \(warmth, style_focus, ruggedness\)"):
        stages.audit(RunStore(tiny_home), tiny_build.refined, CONFIG, 0, path)
