"""The benchmark of people's judgements: what is stored belongs to the bundled files and holds no answers."""

import hashlib
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.bundled import bundled_questions, bundled_scores

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the script as its folder's own."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import human as script

    for name in ("human", "machine"):
        sys.modules.pop(name)
    return script


def test_the_stored_result_is_of_the_bundled_scores_and_tags(benchmark: ModuleType) -> None:
    found = json.loads((BENCHMARKS / "results" / "human.json").read_text())
    files, questions = bundled_scores("movielens-small"), bundled_questions("movielens-small")
    assert files is not None
    assert questions is not None
    assert found["questions_sha256"] == hashlib.sha256(questions.read_bytes()).hexdigest()
    assert found["scores_sha256"] == hashlib.sha256(files.item_scores.read_bytes()).hexdigest()
    names = AttributeSchema.read(files.attributes).names
    assert [row["attribute"] for row in found["attributes"]] == list(names)
    assert len(set(benchmark.NAMED)) == 14
    assert set(benchmark.NAMED) < set(names)
    assert found["summary_named"]["attributes"] == 14
    firsts = sum(row["rank"] == 1 for row in found["attributes"])
    assert found["summary"]["best_of_columns"] == firsts
    text = benchmark.report(found)
    assert text.startswith(f"14 attributes: mean {found['summary_named']['mean_spearman']:.3f} [")
    assert len(text.splitlines()) == 3 + 16


def test_two_people_are_paired_on_the_same_film_and_tag(benchmark: ModuleType) -> None:
    rows = [(r, film, tag, film + r) for r in (0, 1) for film in range(9) for tag in "xy" if (r, tag) != (1, "y")]
    answers = pd.DataFrame(rows, columns=["rater", "item_id", "tag", "value"]).astype({"item_id": str, "value": float})
    found = benchmark.people_on_any_tag(answers, set(map(str, range(8))))
    assert found["pairs"] == 8
    assert 0.5 < found["spearman"] < 1


def test_unknown_numbers_become_null(benchmark: ModuleType) -> None:
    given = {"a": [np.float64(0.123456), np.nan], "b": np.int64(3), "c": "x"}
    assert benchmark.rounded(given) == {"a": [0.1235, None], "b": 3, "c": "x"}
