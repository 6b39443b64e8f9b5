"""What the benchmark of the meaning alarm rests on, and a small version of it over 20 seeds."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.audit.meaning import meaning
from guidedrec_core.config import RefinementConfig
from guidedrec_core.data.bundled import bundled_dataset, bundled_passes
from guidedrec_core.models.external import ExternalModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_fit import HeadWeights

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SEEDS = 20


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the script as its folder's own."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import meaning as script

    for name in ("meaning", "machine"):
        sys.modules.pop(name)
    return script


def test_faults_are_planted_where_they_are_said_to_be(benchmark: ModuleType) -> None:
    scores = np.random.default_rng(0).normal(size=(30, 4))
    columns = np.array([2, 0])
    faulty = {f: benchmark.planted(scores, f, columns, np.random.default_rng(1)) for f in benchmark.FAULTS}
    assert [wrong for _, wrong in faulty.values()] == [[2], [2, 0], [2]]
    for table, wrong in faulty.values():
        right = [a for a in range(4) if a not in wrong]
        np.testing.assert_array_equal(table[:, right], scores[:, right])
        assert all((table[:, a] != scores[:, a]).any() for a in wrong)
    assert sorted(faulty["shuffled"][0][:, 2]) == sorted(scores[:, 2])
    assert np.corrcoef(faulty["inverted"][0][:, 2], scores[:, 2])[0, 1] == pytest.approx(-1)


def test_auroc_counts_pairs(benchmark: ModuleType) -> None:
    assert benchmark.auroc(np.array([0.0, 3.0]), np.array([1.0, 3.0])) == (1 + 1 + 0 + 0.5) / 4


def test_the_judge_has_no_part_in_what_models_are_made_from(benchmark: ModuleType) -> None:
    table, again = benchmark.held_out(3)
    passes = pd.read_csv(bundled_passes("fernway"))
    assert set(table["item_id"]) == set(bundled_dataset("fernway").items.ids)
    assert len(again) == 20
    names = list(table.columns[1:])
    first = again.iloc[0]
    own = passes[passes["item_id"] == first["item_id"]]
    judge = own[(own[names] == first[names].astype(float)).all(axis=1)]["pass_id"]
    rest = own[own["pass_id"] != judge.iloc[0]][names].median()
    made_from = table[table["item_id"] == first["item_id"]][names].iloc[0]
    np.testing.assert_array_equal(made_from, rest)


def test_faults_raise_the_alarm_and_clean_models_none_over_20_seeds(benchmark: ModuleType) -> None:
    """Twenty of 120 items judged again, a head with known weights, four attributes that go together."""
    found = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        n, count = 120, 4
        true = 5 + 2 * rng.normal(size=(n, count)) @ (np.eye(count) + 0.3 * rng.normal(size=(count, count)))
        judged, again = (np.clip(np.rint(true + 0.5 * rng.normal(size=true.shape)), 0, 10) for _ in range(2))
        reference = np.full(true.shape, np.nan)
        reference[:20] = again[:20]
        histories = [rng.permutation(n)[:15] for _ in range(60)]
        for fault in ("none", *benchmark.FAULTS):
            scores, wrong = judged, []
            if fault != "none":
                scores, wrong = benchmark.planted(judged, fault, rng.permutation(count)[:2], rng)
            model = _head(scores, rng)
            table = meaning(model, np.arange(60), histories, reference, scores, ("a", "b", "c", "d"))
            faulty = np.isin(np.arange(count), wrong)
            found.append(table.assign(fault=fault, mode="head", seed=seed, faulty=faulty))
    lines = {line["fault"]: line for line in benchmark.summary(pd.concat(found))}
    assert lines["none"]["models_with_alarm"] == 0
    for fault in benchmark.FAULTS:
        assert lines[fault]["AUROC"] >= 0.95
        assert lines[fault]["found"] >= 0.95 * lines[fault]["faulty_attributes"]
        assert lines[fault]["false_alarms"] == 0
    assert "20 models,   0 alarmed" in benchmark.report(list(lines.values()))


def _head(scores: np.ndarray, rng: np.random.Generator) -> HeadModel:
    vectors = rng.normal(size=(len(scores), 4)).astype(np.float32)
    base = ExternalModel(vectors, "cosine", 0.8, None, None, np.zeros(len(scores), np.float32))
    guided, interactions = GuidedEmbedding.of(scores.astype(np.float32)), np.ones((len(scores), 1))
    model = HeadModel(base, None, vectors, guided, interactions, RefinementConfig())
    none = np.zeros(scores.shape[1])
    model.learned = HeadWeights(np.ones(1), np.zeros(1), none + 0.5, none)
    return model
