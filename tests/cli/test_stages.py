"""``guidedrec build`` and its single stages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tiny

from guidedrec_core import stages
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import pipeline


def stages_of(document: Callable[..., Any]) -> list[str]:
    return [run["stage"] for run in document("runs", "list")["runs"]]


def test_single_stages_lead_to_where_a_build_leads(
    document: Callable[..., Any], tiny_files: tiny.TinyFiles, small: tuple[str, ...]
) -> None:
    files = tiny_files
    document("data", "import", "--format=csv", f"--path={files.interactions}", "--name=shop")
    scores = document(
        "score", "shop", f"--attributes={files.scores.attributes}", f"--item-scores={files.scores.item_scores}"
    )
    sizes = [option for option in small if "bootstrap" not in option]
    base = document("train", "shop", *sizes, "--seed=3")
    assert base["stage"] == "base"
    refined = document("refine", "shop", "--decay=1")
    assert refined["inputs"] == {"base": base["run_id"], "scores": scores["run_id"]}
    run = document("runs", "show", refined["run_id"])
    trained = document("runs", "show", base["run_id"])
    assert run["seed"] == 3, "the seed of the base run"
    assert run["config"]["training"] == trained["config"]["training"], "the training settings of the base run"
    assert run["config"]["refinement"]["decay"] == 1
    report = document("evaluate", "shop", "--bootstrap-samples=100")
    assert report["run_id"] == refined["run_id"]
    assert sorted(stages_of(document)) == ["base", "data", "evaluation", "refined", "refined", "refined", "scores"]


def test_another_base_run_can_be_named(document: Callable[..., Any], tiny_home: Path, refused: Any) -> None:
    options = ("--width=8", "--max-epochs=1", "--threads=1")
    first = document("train", "tiny", *options, "--seed=1")["run_id"]
    document("train", "tiny", *options, "--seed=2")
    refined = document("refine", "tiny", "--base-run", first)
    assert refined["inputs"]["base"] == first
    assert "is one of 'tiny'" in refused("refine", "fernway", "--base-run", first)


def test_an_external_base_says_what_matched_and_is_refined_by_a_head(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path, tmp_path: Path
) -> None:
    ids = [f"item-{n:02d}" for n in range(39)] + ["gone"]
    vectors = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    np.savez(tmp_path / "vectors.npz", vectors=vectors, ids=np.array(ids))
    trained = call("train", "tiny", "--base=external", f"--item-vectors={tmp_path / 'vectors.npz'}")
    assert "kind external" in trained.stdout
    assert "items_with_vectors 39" in trained.stdout
    assert "1 item vectors in vectors.npz are of items not in the data set: 'gone'; left out" in trained.stderr
    assert "1 of 40 items have no vectors in vectors.npz: 'item-39'" in trained.stderr
    refined = document("refine", "tiny", "--mode=head")
    assert refined["summary"]["mode"] == "head"
    listed = document("recommend", "tiny", "--user", "user-03", "--k", "3")
    assert listed["run_id"] == refined["run_id"]


def test_a_build_that_is_done_is_found_and_shown(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path, tiny_build: stages.Build, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(tiny.CONFIG.model_dump_json())
    built = document("build", "tiny", "--config", config)
    names = ("data", "scores", "base", "refined", "evaluation", "projection")
    assert built["runs"] == {name: getattr(tiny_build, name).id for name in names}
    assert built["evaluation"] == document("evaluate", "tiny")
    shown = call("build", "tiny", "--config", config)
    assert shown.stdout.startswith(f"data        run {tiny_build.data.id}")
    assert "95 %" in shown.stdout
    assert "single scores of items are missing" in shown.stderr
    again = document("build", "tiny", "--config", config, "--again")["runs"]
    assert {name for name in names if again[name] == built["runs"][name]} == {"data", "scores"}


def test_a_map_that_is_laid_out_is_found(
    document: Callable[..., Any], tiny_home: Path, tiny_build: stages.Build
) -> None:
    projected = document("project", "tiny")
    assert projected["run_id"] == tiny_build.projection.id
    assert projected["inputs"] == {"base": tiny_build.base.id, "refined": tiny_build.refined.id}


def test_score_tables_given_to_a_build_are_used(
    call: Callable[..., Any],
    document: Callable[..., Any],
    tiny_home: Path,
    tiny_files: tiny.TinyFiles,
    monkeypatch: Any,
) -> None:
    """Up to the scores, which come before all training."""

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "train_base", stop)
    table = tiny_files.scores.item_scores
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-5]) + "\n")
    arguments = (f"--attributes={tiny_files.scores.attributes}", f"--item-scores={table}")
    call("build", "tiny", *arguments, code=130)
    newest = RunStore(tiny_home).list("scores")[0]
    assert newest.summary["scored"] == 35
    status = document("score", "tiny", "--status")
    assert status == {
        "items": 40,
        "scored": 35,
        "missing": 5,
        "failed": 0,
        "requests": 0,
        "tokens": 0,
        "cost": 0,
        "failed_attempts": 0,
        "failed_cost": 0,
    }


def test_score_tells_what_there_is(
    document: Callable[..., Any], call: Callable[..., Any], refused: Callable[..., str], tiny_files: tiny.TinyFiles
) -> None:
    document("data", "import", "--format=csv", f"--path={tiny_files.interactions}", "--name=shop")
    assert document("score", "shop", "--status")["scored"] == 0
    assert "none yet; `guidedrec score shop" in call("score", "shop", "--status").stdout
    assert "guidedrec score shop --attributes" in refused("score", "shop")
    files = (f"--attributes={tiny_files.scores.attributes}", f"--item-scores={tiny_files.scores.item_scores}")
    assert "takes no tables" in refused("score", "shop", *files, "--status")
    shown = call("score", "shop", *files)
    assert "requests, tokens and cost are 0" in shown.stdout
    assert "missing" in shown.stderr
    wrong = tiny_files.scores.attributes.read_text().replace("warmth", "warmness")
    tiny_files.scores.attributes.write_text(wrong)
    assert "missing: warmness" in refused("score", "shop", *files)
