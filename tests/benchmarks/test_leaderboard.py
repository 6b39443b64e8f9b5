"""Explainers of the leaderboard on models with known effects, and the whole of it on the tiny shop."""

import itertools
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from small_models import KINDS, N_ITEMS, additive, base_of, head, neighbours
from uncompiled import uncompiled_shap

from guidedrec_core.audit.perturbation import BETTER
from guidedrec_core.explanation.past_items.removal_order import removal_order
from guidedrec_core.explanation.past_items.standing import Standing
from guidedrec_core.explanation.question import Question

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MODULES = ("leaderboard", "machine")


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the script as its folder's own, and shap without the seconds in which it compiles."""
    uncompiled_shap()
    monkeypatch.syspath_prepend(BENCHMARKS)
    import leaderboard

    for name in [n for n in sys.modules if n in MODULES or n.split(".")[0] == "explainers"]:
        sys.modules.pop(name)
    return leaderboard


class Planted:
    """Item 0 scores what the items of a history bring, in all; other items score 0. Soft and hard."""

    n_items = 40

    def __init__(self) -> None:
        self.brought = np.random.default_rng(3).permutation(np.linspace(-1.5, 1.5, self.n_items))
        self.head = SimpleNamespace(n_items=self.n_items)

    def scores(self, users: Any, histories: Any, gates: Any = None) -> Any:
        if gates is not None:
            brought = torch.cat([torch.zeros(1), torch.from_numpy(self.brought).float()])[histories]
            own = (gates * brought).sum(dim=1, keepdim=True) - 1
            return torch.cat([own, torch.zeros(len(own), self.n_items - 1)], dim=1)
        scores = np.zeros((len(histories), self.n_items), np.float32)
        scores[:, 0] = [self.brought[history].sum() - 1 for history in histories]
        return scores

    def tokens(self, histories: list[np.ndarray]) -> Any:
        longest = max(len(history) for history in histories)
        return torch.tensor([[0] * (longest - len(h)) + (h + 1).tolist() for h in histories])

    def questions(self, count: int, longest: int) -> list[Question]:
        rng = np.random.default_rng(count)
        return [Question(n, 1 + rng.permutation(self.n_items - 1)[: rng.integers(5, longest)], 0) for n in range(count)]


def test_all_that_ask_the_model_find_planted_effects_and_chance_does_not(benchmark: ModuleType) -> None:
    model = Planted()
    explainers = {
        "ours": lambda q: removal_order(model, q, evaluations=300).importance,
        "gradients": lambda q: benchmark.gradient_times_input(model, q),
        "integrated": lambda q: benchmark.integrated_gradients(model, q, steps=4),
    }
    for number, output in enumerate(benchmark.OUTPUTS):
        explainers |= {
            f"lime {output}": lambda q, o=number: benchmark.lime(Standing(model, q), np.random.default_rng(0), 400)[
                :, o
            ],
            f"shap {output}": lambda q, o=number: benchmark.kernel_shap(Standing(model, q), 0, 400)[:, o],
            f"one out {output}": lambda q, o=number: benchmark.leave_one_out(Standing(model, q))[:, o],
        }
    agreement = {name: [] for name in [*explainers, "random"]}
    for question in model.questions(4, longest=13):
        truth = model.brought[question.history]
        for name, explain in explainers.items():
            agreement[name].append(stats.spearmanr(explain(question), truth).statistic)
        agreement["random"].append(stats.spearmanr(np.random.default_rng(question.user).random(len(truth)), truth)[0])
    assert abs(np.mean(agreement.pop("random"))) < 0.6
    for name, each in agreement.items():
        assert min(each) > (0.9 if "score" not in name else 0.98), name


def test_shap_gives_a_score_that_adds_up_exactly_what_each_item_brings(benchmark: ModuleType) -> None:
    model = Planted()
    (question,) = model.questions(1, longest=9)
    truth = model.brought[question.history]
    state = np.random.get_state()[1].copy()  # noqa: NPY002 (shap draws from it)
    np.testing.assert_allclose(benchmark.kernel_shap(Standing(model, question), 0)[:, 1], truth, atol=1e-5)
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002
    np.testing.assert_allclose(benchmark.leave_one_out(Standing(model, question))[:, 1], truth, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_the_soft_history_with_all_gates_open_is_the_model(benchmark: ModuleType, kind: str) -> None:
    model = head(base_of(kind), additive(kind), beside=neighbours())
    soft = benchmark.SoftHistory(model)
    rng = np.random.default_rng(0)
    users, histories = np.array([2, -1, 5]), [rng.integers(0, N_ITEMS, n) for n in (3, 11, 6)]
    tokens = soft.tokens(histories)
    open_gates = soft.scores(users, tokens, torch.ones(tokens.shape)).numpy()
    np.testing.assert_allclose(open_gates, model.scores(users, histories), atol=2e-5)
    closed = soft.scores(users, tokens, torch.zeros(tokens.shape)).numpy()
    assert np.abs(closed - open_gates).max() > 0.1
    # The derivative is the slope between two gates close to each other.
    question = Question(2, histories[0], 7)
    gradient = benchmark.gradient_times_input(soft, question)
    for position in range(3):
        step = torch.zeros(1, 3)
        step[0, position] = 0.01
        low, high = (soft.scores(question.users, tokens[:1, -3:], 1 + sign * step)[0, 7] for sign in (-1, 1))
        assert gradient[position] == pytest.approx(float(high - low) / 0.02, abs=0.02)


def test_gradients_of_item_knn_are_its_exact_shares(benchmark: ModuleType) -> None:
    model = head(None, beside=neighbours())
    model.learned.profile[:] = 0
    history = np.array([3, 7, 3, 12, 24])
    soft, question = benchmark.SoftHistory(model), Question(0, history, 5)
    shares = model.neighbour_shares(history, 5)
    assert shares.max() > 0.01
    np.testing.assert_allclose(benchmark.gradient_times_input(soft, question), shares, atol=1e-6)
    np.testing.assert_allclose(benchmark.integrated_gradients(soft, question), shares, atol=1e-6)


def test_masks_are_learned(benchmark: ModuleType) -> None:
    model = Planted()
    heard = []

    def judge(explain: Any) -> float:  # the last epoch of the second trial is kept
        heard.append(explain)
        return -len(heard)

    masks = benchmark.LearnedMasks(model, model.questions(300, longest=8), judge, trials=2, epochs=25, seed=0)
    assert len(heard) == 50
    assert masks.chosen["validation POS@20"] == -50
    fresh = model.questions(30, longest=8)
    agreement = [stats.spearmanr(masks.explain(q), model.brought[q.history]).statistic for q in fresh]
    assert np.mean(agreement) > 0.5


def test_verdicts_are_those_of_ours() -> None:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import leaderboard
    finally:
        sys.path.remove(str(BENCHMARKS))
    for metric, better in BETTER.items():
        assert leaderboard.verdict(metric, 0.1, 0.2) == ("better" if better == "higher" else "worse")
        assert leaderboard.verdict(metric, -0.2, -0.1) == ("worse" if better == "higher" else "better")
        assert leaderboard.verdict(metric, -0.1, 0.1) == "level"


def test_the_whole_board_on_the_tiny_shop(
    benchmark: ModuleType, tiny_build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, out = tiny_build.data.path.parents[1], tmp_path / "board.json"
    sizes = ["--cases", "6", "--validation", "6", "--trials", "1", "--epochs", "1", "--samples", "50"]
    seed = str(tiny_build.refined.seed)
    monkeypatch.setattr(benchmark, "EVALUATIONS", 64)
    monkeypatch.setattr(sys, "argv", ["leaderboard.py", "--home", str(home), *sizes, "--seed", seed, "--out", str(out)])
    benchmark.main()
    found = json.loads(out.read_text())
    (model,) = found["models"]
    assert (model["data"], model["base"], model["cases"]) == ("tiny", "sasrec", 6)
    rows = {row["explainer"]: row for row in model["explainers"]}
    expected = {benchmark.OURS, benchmark.SHARES, benchmark.LXR, "attention", "cosine", "random", "newest first"}
    assert expected <= set(rows)
    for name, row in rows.items():
        assert set(row["metrics"]) == set(BETTER)
        assert row["cpu_ms"] >= 0
        for metric in row["metrics"].values():
            low, high = metric["ci"]
            assert low <= metric["value"] <= high
            assert ("ours" in metric) == (name != benchmark.OURS)
    ours, chance = (rows[name]["metrics"] for name in (benchmark.OURS, "random"))
    assert ours["DEL"]["value"] < chance["DEL"]["value"]
    assert ours["INS"]["value"] > chance["INS"]["value"]
    # A second data set would stand next to it; the same one takes its place.
    benchmark.keep(out, {key: value for key, value in found.items() if key != "models"}, {**model, "data": "other"})
    benchmark.keep(out, {key: value for key, value in found.items() if key != "models"}, {**model, "cases": 7})
    kept = json.loads(out.read_text())["models"]
    assert [(each["data"], each["cases"]) for each in kept] == [("other", 6), ("tiny", 7)]
    assert list(itertools.chain.from_iterable(each["explainers"] for each in kept))
