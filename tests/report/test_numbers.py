"""What a report says is what explain and evaluate say, number by number; its notebook computes the same again."""

import json

import nbformat
import pytest
import reports
from click.testing import CliRunner
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from guidedrec_core.audience.saved import SegmentStore
from guidedrec_core.cli.main import main
from guidedrec_core.conditions.condition import Definition, Past

DUMP = """
from guidedrec_core.report.document import plain
import json
print(json.dumps({name: plain(table.to_dict("records")) for name, table in tables.items()}))
"""
METRICS = ("MRR", "Recall@10", "Recall@20", "NDCG@10", "NDCG@20")


@pytest.fixture(scope="module")
def call(tiny_build):
    """Call the program on the tiny build, which it only reads."""

    def program(*arguments: object) -> str:
        home = reports.store_of(tiny_build).home
        result = CliRunner().invoke(main, [str(each) for each in (*arguments, "--home", home)], prog_name="guidedrec")
        assert result.exit_code == 0, result.output
        return result.stdout

    return program


@pytest.fixture(scope="module")
def written(call, tmp_path_factory):
    """Write a report as JSON and as a notebook, run the notebook, and return both sides' tables."""

    def both(name: str, *arguments: object):
        folder = tmp_path_factory.mktemp(name)
        for suffix in ("json", "ipynb"):
            call("report", *arguments, "--out", folder / f"{name}.{suffix}")
        report = json.loads((folder / f"{name}.json").read_text())
        notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        nbformat.validate(notebook)
        notebook.cells.append(new_code_cell(DUMP))
        where = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=240, kernel_name="python3", resources=where).execute()
        printed = [output["text"] for output in notebook.cells[-1].outputs if output["output_type"] == "stream"]
        return report, json.loads("".join(printed).splitlines()[-1])  # a stream may come in pieces

    return both


def same(reported, computed) -> None:
    """Compare every number and text that the notebook computes, and that it computes every table."""
    assert set(reported["tables"]) <= set(computed)
    n_numbers = 0
    for name, rows in reported["tables"].items():
        assert len(computed[name]) == len(rows), name
        for row, anew in zip(rows, computed[name], strict=True):
            assert set(row) & set(anew), name
            for key in set(row) & set(anew):
                if isinstance(row[key], float):
                    assert anew[key] == pytest.approx(row[key], rel=1e-6, abs=1e-9), (name, key)
                    n_numbers += 1
                else:
                    assert anew[key] == row[key], (name, key)
            # What only the report has are words for what the notebook has.
            assert not [key for key in set(row) - set(anew) if isinstance(row[key], float)], (name, row)
    assert n_numbers > 30


RULES = """
version = 1
[[rules]]
name = "Tents & <b>more</b>"
kind = "boost"
items = "tents"
strength = 4
[[rules]]
name = "Seven"
kind = "pin"
items = "item item-07"
place = 2
"""


@pytest.mark.timeout(300)
def test_the_notebook_of_a_case_with_rules_computes_its_numbers(written, tmp_path) -> None:
    (tmp_path / "rules.toml").write_text(RULES)
    asked = ("case", "tiny", "--user", "user-04", "--item", "item-07", "--history", "train+valid")
    report, computed = written("listed", *asked, "--rules", tmp_path / "rules.toml")
    same(report, computed)
    assert "Seven" in [line["name"] for line in report["tables"]["reasons"] if line["kind"] == "rule"]
    second = report["tables"]["refined_list"][1]
    assert (second["item_id"], second["rules"]) == ("item-07", "Seven")
    said = [sentence for section in report["sections"] for sentence in section["sentences"]]
    assert any(sentence.startswith("2 rules are on: “Tents & <b>more</b>” and “Seven”.") for sentence in said)


@pytest.mark.timeout(300)
def test_the_notebook_of_a_case_outside_the_list_computes_its_numbers(written, call) -> None:
    listed = json.loads(call("recommend", "tiny", "--user", "user-05", "--k", "40", "--json"))["items"]
    report, computed = written("outside", "case", "tiny", "--user", "user-05", "--item", listed[-1]["item_id"])
    same(report, computed)
    assert "Why is it not in the list?" in [section["title"] for section in report["sections"]]


@pytest.mark.timeout(300)
def test_the_notebook_of_an_evaluation_computes_its_numbers(written, own_home, monkeypatch, tiny_build) -> None:
    # Saved segments lie in a database of their own: the build is shared by all tests.
    monkeypatch.setenv("GUIDEDREC_DATABASE_URL", f"sqlite:///{own_home.parent / 'segments.db'}")
    text = "at least 2 choices <b> 'and' \\"
    SegmentStore(own_home).save("tiny", "Loyal <b>'\\", Definition.of(Past(low=2), text), "Ann")
    report, computed = written("evaluation", "evaluation", "tiny")
    same(report, computed)
    assert report["tables"]["by_saved_segment"][0]["slice"] == "Loyal <b>'\\"
    assert report["tables"]["by_saved_segment"][0]["n_cases"] == tiny_build.evaluation.summary["n_cases"]


@pytest.mark.timeout(300)
def test_the_notebook_of_a_study_computes_its_numbers(written) -> None:
    same(*written("study", "study", "tiny", "--cases", "user-03,user-04:item-05"))


@pytest.mark.timeout(300)
def test_the_notebook_of_a_segment_computes_its_numbers(written, call) -> None:
    report, computed = written("segment", "segment", "tiny", "--users", "seeks warmth", "--items", "tents")
    same(report, computed)
    assert {"taste", "categories", "typical", "gains", "gain_parts", "measures", "offenders"} <= set(report["tables"])
    said = json.loads(call("audience", "tiny", "--users", "seeks warmth", "--items", "tents", "--json"))
    for row, expected in zip(report["tables"]["measures"], said["measures"], strict=True):
        assert {key: row[key] for key in expected} == expected
    group, everyone = report["tables"]["gains"]
    assert (group["slice"], group["n_cases"], everyone["n_cases"]) == ("this segment", 15, 60)
    assert group["over_control_low"] <= group["over_control"] <= group["over_control_high"]


def test_a_case_says_what_explain_says(call, tmp_path) -> None:
    item = json.loads(call("recommend", "tiny", "--user", "user-03", "--k", "2", "--json"))["items"][1]["item_id"]
    call("report", "case", "tiny", "--user", "user-03", "--item", item, "--out", tmp_path / "case.json")
    report = json.loads((tmp_path / "case.json").read_text())
    said = json.loads(call("explain", "tiny", "--user", "user-03", "--item", item, "--json"))
    *lines, total = report["tables"]["reasons"]
    assert total["contribution"] == pytest.approx(said["score"], abs=1e-6)
    assert sum(line["contribution"] for line in lines) == pytest.approx(said["score"], abs=1e-6)
    for line, expected in zip(lines, said["lines"], strict=True):
        assert (line["kind"], line["name"], line["text"]) == (expected["kind"], expected["name"], expected["text"])
        assert line["contribution"] == pytest.approx(expected["contribution"])
    texts = [sentence for section in report["sections"] for sentence in (*section["sentences"], section["answer"])]
    for key in ("moved", "history", "below"):
        assert said[key]["sentence"] in texts
    assert said["rationale"] in texts
    for row, expected in zip(report["tables"]["past_items"], said["history"]["items"], strict=True):
        assert row["value"] == pytest.approx(expected["value"])


def test_an_evaluation_says_what_evaluate_says(call, tmp_path) -> None:
    call("report", "evaluation", "tiny", "--out", tmp_path / "evaluation.json")
    report, said = (
        json.loads((tmp_path / "evaluation.json").read_text()),
        json.loads(call("evaluate", "tiny", "--json")),
    )
    assert len(report["tables"]["metrics"]) == len(said["models"]) * len(METRICS)
    for row in report["tables"]["metrics"]:
        assert row["value"] == said["models"][row["model"]][row["metric"]]
        assert [row["ci_low"], row["ci_high"]] == said["intervals"][row["model"]][row["metric"]]
    for row, expected in zip(report["tables"]["differences"], said["differences"], strict=True):
        assert {key: row[key] for key in expected} == expected
    named = {row["part"]: row["share"] for row in report["tables"]["named_shares"]}
    assert named["unnamed"] == said["named"]["unnamed"]
    assert [row["ndcg"] for row in report["tables"]["frontier"]] == [row["NDCG@10"] for row in said["frontier"]]
