"""How fast a list is steered, and whether a pull does what it says.

`python benchmarks/steering.py`. Time: 50,000 items with 12 attributes, drawn at random, and the real classes of models
with random weights: a head over a SASRec of default size and an additive refined model. One plain ranking, a slider
moved (scores after the history are kept), and a history edited (they are not), in turns, so that other work on the
machine meets all of them. Effect: 1,000 random cases of user, attribute and pull of 0.5 to 3 steps on a stored refined
run (`--home`, `--run`), by default the newest, else on the synthetic catalogue: the share in which the mean raw score
of the ten best is not lower than before, and in which it is higher.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import machine
import numpy as np

from guidedrec_core.config import EncoderConfig, RefinementConfig
from guidedrec_core.explanation.question import UserHistory
from guidedrec_core.explanation.steering.steer import HistoryScores, Steering, history_scores, steer
from guidedrec_core.models.registry import make_base, make_encoder
from guidedrec_core.ranking.ranks import top_k
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.refinement.additive import AdditiveRefinedModel
from guidedrec_core.refinement.guided import GuidedEmbedding
from guidedrec_core.refinement.head import HeadModel
from guidedrec_core.refinement.head_fit import HeadWeights
from guidedrec_core.runs.library import refined_entries
from guidedrec_core.runs.store import RunStore
from guidedrec_core.vectors.pca import pca

K, HISTORY = 10, 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--attributes", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--home", type=Path, help="run store; without one, $GUIDEDREC_HOME or ./runs")
    parser.add_argument("--run", help="refined run; by default the newest")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "steering.json")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "benchmark": "steering",
        "machine": machine.facts("numpy", "torch"),
        **{name: getattr(options, name) for name in ("items", "attributes", "rounds", "threads", "seed")},
    }
    import torch

    torch.set_num_threads(options.threads)
    model, raw = synthetic(options.items, options.attributes, options.seed)
    result["milliseconds"] = times(model, raw, options.rounds, options.seed)
    print(json.dumps(result["milliseconds"], indent=2))
    result["effect"] = [{"data": "synthetic", **effect(model, raw, [], options.cases, options.seed)}]
    store = RunStore.default() if options.home is None else RunStore(options.home)
    run_id = options.run or next((entry.run.id for entry in refined_entries(store)), None)
    if run_id is not None:
        system = open_refined(store, run_id)
        histories = [system.data.shown_history(user) for user in range(system.data.sequences.n_users)]
        own = effect(system.refined, system.item_scores.values, histories, options.cases, options.seed)
        result["effect"].append({"data": system.data.dataset.name, "run": run_id, **own})
    print(json.dumps(result["effect"], indent=2))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written to {options.out}")


def synthetic(n_items: int, n_attributes: int, seed: int) -> tuple[HeadModel, np.ndarray]:
    """Make a head over a base and an additive model with random weights, and raw scores of whole numbers."""
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 11, (n_items, n_attributes)).astype(np.float32)
    guided, config = GuidedEmbedding.of(raw), RefinementConfig()
    base = make_base(EncoderConfig(), n_items, seed)
    reduced = pca(base.item_embedding(), 32)
    trained = AdditiveRefinedModel(make_encoder(EncoderConfig(), seed), guided, reduced, base.item_bias(), config)
    trained.initialise(seed)
    interactions = rng.integers(1, 100, (n_items, 1))
    model = HeadModel(base, trained, trained.item_remainders(), guided, interactions, config)
    learned = rng.normal(0, 0.1, (2, n_attributes))
    model.learned = HeadWeights(np.array([0.5, 0.5]), np.array([0.1]), learned[0], learned[1])
    return model, raw


def times(model: HeadModel, raw: np.ndarray, rounds: int, seed: int) -> dict[str, dict[str, float]]:
    """Time one plain ranking, a moved slider and an edited history; each with its ratio to the plain ranking."""
    rng = np.random.default_rng(seed)
    seconds: dict[str, list[float]] = {"plain ranking": [], "slider": [], "edited history": []}
    for round_ in range(rounds + 3):
        history = rng.choice(model.n_items, HISTORY, replace=False)
        pulls = tuple(rng.uniform(-3, 3, raw.shape[1]).tolist())
        added = tuple(rng.integers(0, model.n_items, 1).tolist())
        started = time.perf_counter()
        plain = history_scores(model, UserHistory(-1, history))
        top_k(plain.scores[None], K)
        seconds["plain ranking"].append(time.perf_counter() - started)
        started = time.perf_counter()
        steer(model, plain, plain, pulls, raw, K)
        seconds["slider"].append(time.perf_counter() - started)
        started = time.perf_counter()
        edited = Steering(removed=(int(history[3]),), added=added).edited(history)
        steer(model, plain, history_scores(model, UserHistory(-1, edited)), pulls, raw, K)
        seconds["edited history"].append(time.perf_counter() - started)
        if round_ < 3:  # the first ones warm up
            for each in seconds.values():
                each.clear()
    usual = float(np.median(seconds["plain ranking"]))
    return {
        name: {
            "p50": round(1000 * float(np.median(each)), 2),
            "p95": round(1000 * float(np.quantile(each, 0.95)), 2),
            "to_plain": round(float(np.median(each)) / usual, 2),
        }
        for name, each in seconds.items()
    }


def effect(model: Any, raw: np.ndarray, histories: list[np.ndarray], cases: int, seed: int) -> dict[str, Any]:
    """Pull one attribute up in random cases; histories are drawn where there are none."""
    rng = np.random.default_rng(seed)
    kept: dict[int, HistoryScores] = {}
    not_lower = higher = 0
    n_users = len(histories) or 50
    for _ in range(cases):
        user, attribute, steps = int(rng.integers(n_users)), int(rng.integers(raw.shape[1])), rng.uniform(0.5, 3)
        if user not in kept:
            history = histories[user] if histories else rng.choice(model.n_items, HISTORY, replace=False)
            kept[user] = history_scores(model, UserHistory(user if histories else -1, history))
        pulls = tuple(float(steps) if a == attribute else 0.0 for a in range(raw.shape[1]))
        result = steer(model, kept[user], kept[user], pulls, raw, K)
        gain = result.mix_after[attribute] - result.mix_before[attribute]
        not_lower += gain >= -1e-9
        higher += gain > 1e-9
    return {"cases": cases, "not_lower": not_lower / cases, "higher": higher / cases}


if __name__ == "__main__":
    main()
