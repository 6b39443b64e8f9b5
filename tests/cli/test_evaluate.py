"""``guidedrec evaluate``: the numbers of the stored run, in the form others rely on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.stages import Build

MODELS = ["popularity", "item_knn", "item_knn_recency", "ease", "base", "second_training", "placebo", "refined"]
METRICS = ["MRR", "Recall@10", "Recall@20", "NDCG@10", "NDCG@20"]
DIFFERENCE = {
    *("model", "against", "metric", "absolute", "relative", "ci_low", "ci_high"),
    *("relative_ci_low", "relative_ci_high"),
}


def test_the_document_says_what_the_run_says(document: Callable[..., Any], tiny_home: Path, tiny_build: Build) -> None:
    report = document("evaluate", "tiny")
    assert report["run_id"] == tiny_build.refined.id
    assert report["evaluation_run_id"] == tiny_build.evaluation.id
    assert report["split"] == "leave-one-out"
    assert list(report["models"]) == MODELS
    table = tiny_build.evaluation.read_table("metrics").set_index(["model", "metric"])
    for model, values in report["models"].items():
        assert list(values) == METRICS
        for metric, value in values.items():
            row = table.loc[model, metric]
            assert value == row["value"]
            assert report["intervals"][model][metric] == [row["ci_low"], row["ci_high"]]
    assert len(report["differences"]) == 9 * len(METRICS)
    for difference in report["differences"]:
        assert set(difference) == DIFFERENCE
        first, second = (report["models"][difference[key]][difference["metric"]] for key in ("model", "against"))
        assert difference["absolute"] == pytest.approx(first - second)


def test_the_document_says_what_the_lists_are_like(
    document: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    lists = document("evaluate", "tiny")["lists"]
    assert list(lists) == MODELS
    table = tiny_build.evaluation.read_table("lists").set_index(["model", "metric"])["value"]
    for model, values in lists.items():
        assert list(values) == ["Coverage@10", "Gini@10", "Novelty@10", "ARP@10", "Diversity@10", "Miscalibration@10"]
        assert all(value == table[model, metric] for metric, value in values.items())
    assert lists["popularity"]["ARP@10"] == max(values["ARP@10"] for values in lists.values())
    assert lists["popularity"]["Coverage@10"] == min(values["Coverage@10"] for values in lists.values())


def test_the_document_says_what_names_cover(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    report = document("evaluate", "tiny")
    named, frontier = report["named"], report["frontier"]
    assert named["range"] == 50
    parts = ("attributes", "facts", "popularity", "neighbours", "unnamed")
    assert sum(named[part] for part in parts) == pytest.approx(1, abs=1e-6)
    assert {"unnamed_out_of_fold", "random_columns", "shuffled_columns"} < named.keys()
    assert [row["unnamed_weight"] for row in frontier] == [0, 0.25, 0.5, 0.75, 1]
    assert all(row["ci_low"] <= row["NDCG@10"] <= row["ci_high"] for row in frontier)
    assert frontier[-1]["NDCG@10"] == pytest.approx(report["models"]["refined"]["NDCG@10"])
    ranks = tiny_build.evaluation.read_table("named_ranks")
    assert ranks["item_id"].tolist() == tiny_build.evaluation.read_table("cases")["item_id"].tolist()
    shown = call("evaluate", "tiny").stdout
    assert "share among the 50 best" in shown
    assert "weight of what has no name" in shown


def test_a_stored_evaluation_is_shown_and_other_settings_make_another(
    document: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    other = document("evaluate", "tiny", "--bootstrap-samples=120")
    assert other["evaluation_run_id"] != tiny_build.evaluation.id
    assert other["models"] == document("evaluate", "tiny", "--run", tiny_build.refined.id)["models"]


def test_people_get_a_table_with_intervals_and_a_sentence(
    call: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    result = call("evaluate", "tiny")
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"Refined run {tiny_build.refined.id}: leave-one-out, 60 test cases")
    assert lines[2].split() == ["model", "MRR", "Recall@10", "NDCG@10"]
    mean = tiny_build.evaluation.read_table("metrics").set_index(["model", "metric"]).loc["refined", "MRR"]
    refined = next(line for line in lines if line.startswith("refined  "))
    assert refined.split()[1:4] == [f"{mean['value']:.4f}", f"[{mean['ci_low']:.4f},", f"{mean['ci_high']:.4f}]"]
    measures = next(line for line in lines if line.startswith("lists  "))
    assert measures.split()[1:3] == ["Coverage@10", "Gini@10"]
    assert lines[-1].startswith(
        ("Refinement helps: ", "Refinement hurts here: ", "No clear gain over the base model: ")
    )


def test_a_control_is_not_a_refined_run_to_evaluate(
    refused: Callable[..., str], document: Callable[..., Any], tiny_home: Path
) -> None:
    controls = [
        run["run_id"]
        for run in document("runs", "list", "--stage", "refined")["runs"]
        if run["config"]["refinement"]["control"] != "none"
    ]
    assert len(controls) == 2
    assert "is not a refined run of data set 'tiny'" in refused("evaluate", "tiny", "--run", controls[0])
