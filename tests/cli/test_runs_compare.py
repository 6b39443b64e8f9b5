"""``guidedrec runs compare``: what changed between two refined runs, for people and for programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corrected import corrected_run

from guidedrec_core.runs.library import refined_entries
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

Call = Callable[..., Any]


@pytest.fixture
def after(tiny_home: Path, tiny_build: Build) -> str:
    """A run with a corrected score, in the test's own home."""
    return corrected_run(RunStore(tiny_home), tiny_build).id


def test_a_comparison_is_one_document(document: Call, after: str, tiny_build: Build) -> None:
    found = document("runs", "compare", tiny_build.refined.id, "tiny")
    assert (found["before"], found["after"], found["dataset"]) == (tiny_build.refined.id, after, "tiny")
    assert found["lists"]["users"] == 60
    assert found["lists"]["changed"] == len(found["users"]) > 0
    assert [row["metric"] for row in found["metrics"]] == ["MRR", "Recall@10", "NDCG@10"]
    assert [(row["item_id"], row["who"]) for row in found["scores"]] == [("item-03", "Ann")]
    assert found["direct"]["items"] == 1
    assert found["repeat"] is None
    assert "unnamed_out_of_fold" in [row["part"] for row in found["named"]]
    assert document("runs", "compare", tiny_build.refined.id, after, "--k=3")["lists"]["k"] == 3


def test_people_read_the_answer_first_and_a_repeat_tells_chance(
    call: Call, after: str, tiny_home: Path, tiny_build: Build
) -> None:
    said = call("runs", "compare", tiny_build.refined.id, after).stdout
    assert said.startswith(f"{after} compared with {tiny_build.refined.id}, ")
    assert "of 60 users get" in said
    assert "How much of this is chance in training has not been measured." in said
    assert ", set by Ann: it is a <b>parka</b>." in said
    assert "gain over base" in said
    again = call("runs", "compare", tiny_build.refined.id, after, "--repeat").stdout
    assert "Chance in training: the earlier run, trained again with another seed" in again
    assert {entry.run.id for entry in refined_entries(RunStore(tiny_home), "tiny")} == {after, tiny_build.refined.id}


def test_what_cannot_be_compared_is_said(refused: Call, call: Call, tiny_build: Build, tiny_home: Path) -> None:
    run = tiny_build.refined.id
    assert "expected two different runs" in refused("runs", "compare", run, "tiny")
    assert "no data set named" in call("runs", "compare", run, "nothing", code=2).stderr
    assert "is not a refined run" in call("runs", "compare", run, tiny_build.base.id, code=2).stderr
