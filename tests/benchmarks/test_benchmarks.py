"""What the benchmarks rest on: the libraries' scripts rank as we do, and a table says what was left out."""

import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from guidedrec_core.config import SplitConfig
from guidedrec_core.data.split import Split
from guidedrec_core.explanation.question import Question
from guidedrec_core.ranking.ranks import mask_seen, ranks_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """Import the scripts as their folders' own."""
    monkeypatch.syspath_prepend(BENCHMARKS / "peer_models")
    monkeypatch.syspath_prepend(BENCHMARKS)
    import peers
    import record

    for name in ("peers", "record", "machine", "environments"):
        sys.modules.pop(name)
    return {"peers": peers, "record": record}


@pytest.mark.parametrize("part", ["valid", "test"])
def test_the_scripts_rank_as_we_do(modules: dict[str, ModuleType], tmp_path: Path, part: Any) -> None:
    from tiny import random_histories, sequences_of

    rng = np.random.default_rng(2)
    histories = [h for h in random_histories(rng, 60, 12, 9) if len(h) >= 3]
    sequences = sequences_of(histories, 12)
    cases = Split.of(sequences, SplitConfig()).cases(sequences, part)
    scores = rng.integers(0, 4, (len(histories), 12)).astype(np.float32)  # many ties
    shown = [sequences.history(u, n) for u, n in zip(cases.users, cases.lengths, strict=True)]
    np.savez(tmp_path / "split.npz", items=sequences.items, starts=sequences.starts, n_items=12)
    theirs = modules["record"].Split(str(tmp_path / "split.npz")).ranks(scores, part)
    assert np.array_equal(theirs, ranks_of(mask_seen(scores, shown), cases.targets))


def run(library: str, seed: int, rank: int, stopped: str = "patience") -> dict[str, Any]:
    """Make up one measured run in which every user's target has the same rank."""
    numbers = ("cpu_seconds_per_epoch", "best_epoch", "cpu_seconds_to_best", "cpu_seconds_in_all", "peak_memory_gib")
    metrics = {"MRR": 1 / rank, "Recall@10": 1.0, "NDCG@10": float(1 / np.log2(rank + 1))}
    own = {"library": library, "model": "sasrec", "seed": seed, "metrics": metrics, "stopped": stopped}
    own |= {"validation_ndcg": 0.5 / rank, "curve": f"{0.1 / rank:.5f}@0.2 {0.3 / rank:.5f}@0.6 {0.5 / rank:.5f}@1.0"}
    return {**own, **dict.fromkeys(numbers, float(rank)), "ranks": " ".join([str(rank)] * 5)}


def test_the_table_gives_ratios_and_says_what_is_missing(modules: dict[str, ModuleType]) -> None:
    runs = [run("guidedrec", 0, 1), run("guidedrec", 1, 1), run("rectools", 0, 4, "CPU budget")]
    runs.append({"library": "recbole", "model": "sasrec", "seed": 0, "failed": "out of memory"})
    result = {"runs": runs, "not_installed": {"implicit": "no compiler"}}
    table = modules["peers"].report(result)
    assert "recbole sasrec seed 0 failed: out of memory" in table
    assert "implicit skipped: no compiler" in table
    (ratio,) = result["summary"]["ratios"]
    assert ratio["against"] == "rectools/sasrec"
    assert ratio["note"] == "theirs not converged"
    assert (ratio["MRR"], ratio["cpu_seconds_to_best"], ratio["peak_memory_gib"]) == (4.0, 0.25, 0.25)
    assert ratio["cpu_seconds_to_their_best"] == 0.15  # theirs, .125 after 4 s, is behind ours after .6 s
    assert ratio["NDCG@10 difference"].startswith("+0.5693 [+0.5693, ")
    assert [m["seeds"] for m in result["summary"]["means"]] == [2, 1]


def test_a_quality_never_reached_has_no_time(modules: dict[str, ModuleType]) -> None:
    runs = [run("guidedrec", 0, 4), run("guidedrec", 1, 1), run("rectools", 0, 1), run("rectools", 1, 1)]
    result = {"runs": runs, "not_installed": {}}
    modules["peers"].report(result)
    assert result["summary"]["ratios"][0]["cpu_seconds_to_their_best"] is None


def test_ways_to_explain_a_history_are_timed_on_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    from small_models import literal
    from uncompiled import uncompiled_shap

    uncompiled_shap()
    monkeypatch.syspath_prepend(BENCHMARKS)
    import explain_history

    for name in ("explain_history", "machine"):
        sys.modules.pop(name)
    monkeypatch.setattr(explain_history, "EVALUATIONS", 64)
    assert explain_history.first_call() > 0
    rows = explain_history.measure(literal("sasrec"), Question(0, np.arange(7), 9), 2, 1, 0)
    assert [row["method"] for row in rows] == ["guidedrec", "shap PermutationExplainer", "shap KernelExplainer"]
    assert rows[0]["median_to_ours"] == 1.0
    assert rows[0]["evaluations"] == 128
    assert rows[0]["relative_error"] < 1e-6
    # shap draws its orders anew each time, and few of them here: off by something, but not by any amount.
    assert 0 < rows[1]["relative_error"] < 3


def test_steering_is_timed_beside_a_plain_ranking_and_never_goes_the_wrong_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import steering

    for name in ("steering", "machine"):
        sys.modules.pop(name)
    model, raw = steering.synthetic(300, 4, 0)
    times = steering.times(model, raw, 2, 0)
    assert list(times) == ["plain ranking", "slider", "edited history"]
    assert times["plain ranking"]["to_plain"] == 1
    effect = steering.effect(model, raw, [], 50, 0)
    assert effect["not_lower"] == 1
    assert effect["higher"] > 0.8


def test_edits_are_timed_beside_a_plain_ranking_and_all_of_them_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import counterfactuals

    for name in ("counterfactuals", "machine"):
        sys.modules.pop(name)
    found = counterfactuals.measure(n_items=600, n_users=4, n_history_users=1, seed=0)
    times = {row["what"]: row for row in found["times"]}
    assert times[counterfactuals.PLAIN]["p50_to_plain"] == 1.0
    assert times[counterfactuals.BOTH]["n"] == 4
    assert times["the history, up to 3 items"]["n"] == 1
    edits = found["edits"]
    assert edits["cases"] == 8
    assert edits["found"] == edits["flipped"] > 0


def test_scaling_trains_base_and_refined_model_on_the_same_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import scaling

    for name in ("scaling", "machine"):
        sys.modules.pop(name)
    options = Namespace(loss="sampled", negatives=32, validation_cases=50, threads=1, seed=0)
    rows = [scaling.measure(arm, n, 10 * n, options) for n in (300, 600) for arm in scaling.ARMS]
    assert [(row["arm"], row["items"]) for row in rows] == [(arm, n) for n in (300, 600) for arm in scaling.ARMS]
    for base, refined in zip(rows[::2], rows[1::2], strict=True):
        assert base["users"] == refined["users"]
        assert base["loss"] != refined["loss"]
        # A few steps leave the loss near that of a guess among all items.
        assert [base["loss"], refined["loss"]] == pytest.approx([np.log(base["items"])] * 2, abs=0.3)
    grown = [{**row, "cpu_seconds": row["interactions"] * 1e-6, "peak_gib": 2.0} for row in rows[::2]]
    found = scaling.slopes(grown)
    assert found["slope of cpu_seconds"] == 1.0
    assert found["slope of peak_gib"] == 0.0
    assert [ratio["items"] for ratio in scaling.ratios(rows)] == [300, 600]
    assert scaling.ratios(rows)[0]["cpu_seconds"] == round(rows[1]["cpu_seconds"] / rows[0]["cpu_seconds"], 3)


def test_a_build_is_measured_in_a_process_of_its_own_next_to_busy_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import build

    sys.modules.pop("build")
    burn = "import sys, time\nwhile time.process_time() < 0.5: pass\nprint(sys.argv[1])"
    with build.busy_processes(2) as busy:
        assert [process.poll() for process in busy] == [None, None]
        output, usage = build.run(burn, "done")
    assert output == "done\n"
    assert 0.5 <= usage.ru_utime + usage.ru_stime < 2  # its own, not that of the busy ones
    assert all(process.poll() is not None for process in busy)
    with pytest.raises(subprocess.CalledProcessError):
        build.run("raise SystemExit(3)")
