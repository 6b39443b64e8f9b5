"""What the blind names claim follows from the recorded answers."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from guidedrec_core.llm.reply_json import json_values

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULT = json.loads((BENCHMARKS / "results" / "discovery.json").read_text(encoding="utf-8"))
LINES = [json.loads(line) for line in (BENCHMARKS / "recorded/discovery/replies.jsonl").read_text("utf-8").splitlines()]


def replies(code: str, request: str) -> list[dict]:
    found = [one for one in LINES if one["case"] == code and one["request"].startswith(request)]
    return [value for one in found for value in json_values(one["reply"]) if isinstance(value, dict)]


@pytest.fixture
def blind_names(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import blind_names

    yield blind_names
    sys.modules.pop("blind_names")


def test_the_sums_follow_from_the_cases(blind_names) -> None:
    summed = blind_names.bars(RESULT["cases"])
    assert summed == {name: RESULT[name] for name in summed}


@pytest.mark.parametrize("case", RESULT["cases"], ids=lambda case: case["code"])
def test_each_case_says_what_was_answered(case: dict) -> None:
    (reply,) = replies(case["code"], "prompt")
    if "proposal" not in case:
        assert reply["name"] == "none"
        return
    assert case["proposal"]["name"] == reply["name"]
    scores = [entry["scores"][reply["name"]] for value in replies(case["code"], "score_") for entry in value["items"]]
    assert np.ptp(scores) > 0
    assert min(scores) >= 0
    assert max(scores) <= 10
    assert case["accepted"] == (case["passed"] and case["trial_passed"])
    assert not case["accepted"] or case["kind"] == "attribute left out"
