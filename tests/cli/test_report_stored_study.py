"""`report study --study`: a study from the database as a report and as slides, with notes and verdicts."""

import json
import re
from pathlib import Path

import pytest

from guidedrec_core.studies.store import StudyStore
from guidedrec_core.studies.study import CaseContent


@pytest.fixture
def study(tiny_home: Path, tiny_build) -> str:
    studies, runs = StudyStore(tiny_home), {"refined": tiny_build.refined.id}
    made = studies.create("Winter <b>jackets</b>", "Ann", "For the spring meeting.")
    steered = "?dataset=tiny&user=user-03&history=train%2Bvalid&pull=warmth%3A1"
    for content in (
        CaseContent("tiny", "user-03", "item-05", runs, steered, "look <i>again</i>", "wrong", "too warm"),
        CaseContent("tiny", "user-04", None, {}, "?user=user-04"),
        CaseContent("gone", "u1", "i1", {"refined": "20200101-000000-abcdef"}, "?user=u1", verdict="harmful"),
        CaseContent("tiny", "nobody", "item-05", runs, "?user=nobody"),
    ):
        studies.add(made.id, content, "Ann")
    return made.name


def test_notes_and_verdicts_are_in_the_report(study, call, tmp_path: Path) -> None:
    out = tmp_path / "study.json"
    call("report", "study", "--study", study, "--out", out)
    document = json.loads(out.read_text())
    assert document["title"] == study
    first, case = document["sections"][:2]
    assert first["answer"] == "Verdicts: 1 wrong and 1 not judged."
    assert first["sentences"][0] == "For the spring meeting."
    assert "Case 3 (u1, i1) is left out: data set gone no longer exists here." in first["sentences"]
    assert any("Case 4 (nobody, item-05) is left out: " in sentence for sentence in first["sentences"])
    assert case["title"].startswith("1. User user-03")
    assert re.fullmatch(r"Verdict of Ann, \d\d \w+ \d{4}: wrong\. too warm", case["sentences"][0])
    assert case["sentences"][1:] == [
        "Note: look <i>again</i>",
        "The saved view changes this taste or history; here the case is shown without these changes.",
    ]


def test_slides_show_them_as_text(study, call, tmp_path: Path) -> None:
    out = tmp_path / "slides.html"
    call("report", "study", "--study", study, "--presentation", "--out", out)
    page = out.read_text()
    assert re.search(r"Verdict of Ann, .{11}: wrong\. too warm", page)
    assert "look &lt;i&gt;again&lt;/i&gt;" in page
    assert "look <i>" not in page
    assert page.count('<section class="slide"') == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--study", "nothing", "--out", "x.html"), "there is no study 'nothing'"),
        (("tiny", "--study", "nothing", "--out", "x.html"), "leave out DATASET"),
        (("--out", "x.html"), "expected --cases USER:ITEM,... or --study NAME"),
    ],
)
def test_wrong_use_is_one_sentence(study, refused, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused("report", "study", *arguments)


def test_a_notebook_needs_one_run_and_history(study, refused, tmp_path: Path) -> None:
    assert "the study has several" in refused("report", "study", "--study", study, "--out", tmp_path / "study.ipynb")
