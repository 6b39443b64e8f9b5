"""Tests with people by command: made, listed, closed; results and reports with who, when and how many."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import prediction_content, taste_content

from guidedrec_core.judging.experiment import Experiment, next_turn
from guidedrec_core.judging.store import ExperimentStore


def judged(home: Path, kind: str, people: int = 2) -> Experiment:
    """Store a test with answers: people choose what stands at the left."""
    store = ExperimentStore(home)
    content = taste_content(6) if kind == "taste_test" else prediction_content(6)
    test = store.create("=Winter <b>", "tiny", {"refined": "20260101-000000-abcdef"}, content, "Ann")
    for number in range(people):
        judge = store.begin(test.id, f"Judge {number}")
        while (turn := next_turn(test, judge)) is not None:
            sure = None if kind == "taste_test" else 0.8
            judge = store.answer(judge.id, turn.slot.case_id, None if turn.position == 5 else "left", sure)
    return test


def test_a_test_of_each_kind_is_made_and_listed(
    call: Callable[..., Any], document: Callable[..., Any], refused: Callable[..., str], tiny_home: Path
) -> None:
    assert "No tests yet" in call("studies", "tests").stdout
    made = document(
        "studies", "new-taste-test", "winter", "tiny", "--first", "refined", "--second", "named", "--cases", 4,
        "--per-judge", 2, "--who", "Ann", "--address", "https://audit.example.org/",
    )  # fmt: skip
    assert (made["kind"], made["cases"], made["per_judge"]) == ("taste_test", 4, 2)
    assert made["compared"] == ["refined", "named"]
    assert made["link"] == f"https://audit.example.org/Judge?test={made['id']}"
    text = call(
        "studies", "new-prediction-test", "predict", "--length", 4, "--user", "user-03", "--user", "user-04"
    ).stdout
    assert "which of two items is among the 4 recommended first" in text
    assert "http://localhost:8501/Judge?test=" in text
    listed = document("studies", "tests")["tests"]
    assert [(one["name"], one["judges"], one["answers"]) for one in listed] == [("predict", 0, 0), ("winter", 0, 0)]
    found = ExperimentStore(tiny_home).find("predict")
    assert [case.customer.user_id for case in found.content.cases] == ["user-03", "user-04"]
    assert "predict" in call("studies", "tests").stdout
    assert "winter is closed" in call("studies", "close", "winter").stdout
    assert not ExperimentStore(tiny_home).find("winter").is_open
    assert "winter takes answers again" in call("studies", "close", "winter", "--reopen").stdout
    assert "already exists" in refused("studies", "new-taste-test", "winter", "tiny", "--cases", 2)
    assert "two different recommenders" in refused("studies", "new-taste-test", "x", "tiny", "--first", "refined")
    assert "there is no test 'nothing'" in refused("studies", "results", "nothing")


@pytest.mark.parametrize("kind", ["taste_test", "prediction"])
def test_results_as_text_and_as_json(
    call: Callable[..., Any], document: Callable[..., Any], own_home: Path, tmp_path: Path, kind: str
) -> None:
    test = judged(own_home, kind)
    shown = document("studies", "results", test.id, "--answers", tmp_path / "answers.csv")
    results = shown["results"]
    assert shown["test"]["name"] == "=Winter <b>"
    assert (results["answers"], results["skipped"]) == (10, 2)
    assert [(judge["judge"], judge["answered"], judge["skipped"]) for judge in results["judges"]] == [
        ("Judge 0", 5, 1),
        ("Judge 1", 5, 1),
    ]
    assert all(judge["last"].startswith("20") for judge in results["judges"])
    groups = {row["group"] for row in results["estimates"]}
    assert groups == (
        {"all", "second_left", "second_right"} if kind == "taste_test" else {"none", "explanation", "placebo"}
    )
    with (tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert {row["judge"] for row in rows} == {"Judge 0", "Judge 1"}
    text = call("studies", "results", test.name).stdout
    assert results["sentence"] in text
    assert results["power"] in text
    assert "Judge 1" in text
    fewer = document("studies", "results", test.id, "--difference", 0.3)["results"]
    assert 0 <= fewer["more_answers"] < results["more_answers"]


@pytest.mark.parametrize("kind", ["taste_test", "prediction"])
def test_a_report_says_who_when_and_how_sure(
    call: Callable[..., Any], refused: Callable[..., str], own_home: Path, tmp_path: Path, kind: str
) -> None:
    test = judged(own_home, kind)
    page = tmp_path / "report.html"
    call("report", "test", test.id, "--out", page, "--tables", tmp_path / "tables")
    html = page.read_text(encoding="utf-8")
    assert "=Winter &lt;b&gt;" in html
    assert "Winter <b>" not in html
    assert "2 judges, 12 answers" in html
    assert "2 of 2 judges have finished." in html
    assert {"judges.csv", "cases.parquet"} <= {path.name for path in (tmp_path / "tables").iterdir()}
    call("report", "test", test.id, "--out", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["kind"] == "test"
    assert len(report["tables"]["judges"]) == 2
    assert len(report["tables"]["cases"]) == 6
    assert "differences" in report["tables"] or kind == "taste_test"
    assert "a test has no notebook" in refused("report", "test", test.id, "--out", tmp_path / "x.ipynb")
    empty = ExperimentStore(own_home).create("empty", "tiny", {}, taste_content(2), "Ann")
    call("report", "test", empty.id, "--out", tmp_path / "empty.html")
    assert "Nobody has answered yet." in (tmp_path / "empty.html").read_text(encoding="utf-8")
