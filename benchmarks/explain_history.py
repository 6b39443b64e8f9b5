"""How long it takes to say which past items drove a score, and how near the answer is.

`python benchmarks/explain_history.py --home HOME`: the newest refined run on each kind of base in a home, and the base.
One user, 50 items (the most recent of a long history; drawn from the catalogue where nobody has as many), and the first
recommendation. Beside it, on the same model in the same process: `shap.PermutationExplainer` as its documentation has
it (ten coalitions at a time) with as many orders, and `shap.KernelExplainer` with as many coalitions. Error is the root
mean square distance from a long run of ours, over positions, as a share of the values' own root mean square. Methods
take turns; imports and compilation are counted apart. CPU time is told beside wall time, which other work on the
machine lengthens.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import torch

from guidedrec_core.explanation.past_items.shapley import EVALUATIONS, base_history_shapley, history_shapley
from guidedrec_core.explanation.question import Question, UserHistory
from guidedrec_core.ranking.ranks import mask_seen, top_k
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs import library
from guidedrec_core.runs.store import RunStore

OURS, PLAIN, KERNEL = "guidedrec", "shap PermutationExplainer", "shap KernelExplainer"
LONG_RUN = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, action="append", required=True, help="stored runs; may be named again")
    parser.add_argument("--positions", default="12,50")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peer-rounds", type=int, default=2, help="of the slower ones")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "explain_history.json")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "benchmark": "explain_history",
        "machine": machine.facts("numpy", "torch", "shap"),
        "threads": options.threads,
        "seed": options.seed,
        "rounds": options.rounds,
        "peer_rounds": options.peer_rounds,
        "first_call_seconds": round(first_call(), 1),
        "rows": [],
    }
    for home in options.home:
        for system, kind in newest(RunStore(home)):
            torch.set_num_threads(options.threads)
            for n in map(int, options.positions.split(",")):
                question = somebody(system, n, options.seed)
                for model_name, model in (("refined", system.refined), ("base", system.base)):
                    rows = measure(model, question, options.rounds, options.peer_rounds, options.seed)
                    named = {
                        "run": system.run_id,
                        "data": system.data.dataset.name,
                        "base": kind,
                        "model": model_name,
                    }
                    result["rows"] += [{**named, **row} for row in rows]
    print(pd.DataFrame(result["rows"]).drop(columns="run").to_string(index=False))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {options.out}")


def first_call() -> float:
    """Return the seconds of the first sampled explanation in a process: shap's import and compilation."""
    started = time.perf_counter()
    history_shapley(Nobody(), Question(0, np.arange(13), 0), evaluations=1)
    return time.perf_counter() - started


class Nobody:
    """A refined model whose score is the length of the history."""

    def item_values(self) -> Any:
        """Return no attributes."""
        return np.zeros((1, 0), np.float32)

    def parts(self, users: Any, histories: Any, items: Any) -> Any:
        """Return what a history is worth."""
        from guidedrec_core.refinement.refined import Parts

        lengths = np.array([[len(history)] for history in histories], np.float32)
        none = np.zeros((len(histories), 0), np.float32)
        return Parts(lengths, none, none, lengths, np.zeros(1, np.float32))


def newest(store: RunStore) -> list[tuple[RefinedRecommender, str]]:
    """Open the newest refined run with attributes of each kind of base."""
    found: dict[str, str] = {}
    for entry in library.refined_entries(store):
        refinement = entry.run.config["refinement"]
        if refinement["control"] == "none" and refinement["mode"] != "head":
            found.setdefault(entry.base_kind, entry.run.id)
    return [(open_refined(store, run), kind) for kind, run in found.items()]


def somebody(system: RefinedRecommender, n: int, seed: int) -> Question:
    """Ask about the refined model's first recommendation to a user, after n items of their history."""
    rng = np.random.default_rng(seed)
    lengths = system.data.sequences.lengths
    long_enough = np.flatnonzero(lengths >= n)
    user = int(rng.choice(long_enough)) if len(long_enough) else 0
    history = system.data.sequences.history(user)[-n:]
    if len(history) < n:
        history = rng.choice(system.data.sequences.n_items, n, replace=False)
    given = UserHistory(user, history)
    scores = mask_seen(system.refined.scores(given.users, given.histories), given.histories)
    return given.ask(int(top_k(scores, 1)[0, 0]))


def measure(model: Any, question: Question, rounds: int, peer_rounds: int, seed: int) -> list[dict[str, Any]]:
    """Time ours and both of shap's on one model; return a row for each."""
    refined = hasattr(model, "parts")
    explain: Callable[..., Any] = history_shapley if refined else base_history_shapley
    n = len(question.history)
    truth = explain(model, question, seed + 1, evaluations=LONG_RUN * EVALUATIONS).values
    size = float(np.sqrt(np.mean(truth**2)))
    orders = max(1, EVALUATIONS // (2 * n))
    scored = 0

    def score(masks: Any) -> Any:
        nonlocal scored
        scored += len(masks)
        histories = [question.history[row.astype(bool)] for row in np.atleast_2d(masks)]
        users = np.full(len(histories), question.user)
        if refined:
            return model.parts(users, histories, question.items).scores[:, 0].astype(np.float64)
        return (model.user_vectors(users, histories) @ model.item_embedding()[question.item]).astype(np.float64)

    def ours(number: int) -> Any:
        found = explain(model, question, seed + 100 + number)
        return found.values, found.n_evaluations

    def plain(number: int) -> Any:
        import shap

        nonlocal scored
        scored = 0
        explainer = shap.PermutationExplainer(score, lambda mask, _: mask[None], seed=seed + 100 + number)
        found = explainer(np.ones((1, n)), max_evals=orders * (2 * n + 1), silent=True)
        return found.values[0], scored

    def kernel(number: int) -> Any:
        import shap

        nonlocal scored
        scored = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.random.seed(seed + 100 + number)  # noqa: NPY002 (it draws from NumPy's global generator)
            explainer = shap.KernelExplainer(score, np.zeros((1, n)))
            found = explainer.shap_values(np.ones((1, n)), nsamples=EVALUATIONS, silent=True)
        return found[0], scored

    methods = {OURS: (ours, rounds), PLAIN: (plain, peer_rounds), KERNEL: (kernel, peer_rounds)}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    cpu: dict[str, list[float]] = {name: [] for name in methods}
    errors: dict[str, list[float]] = {name: [] for name in methods}
    evaluations = {}
    state = np.random.get_state()  # noqa: NPY002 (shap's)
    for method, _ in methods.values():
        method(0)
    for number in range(max(rounds, peer_rounds)):
        for name, (method, times) in methods.items():
            if number < times:
                started, worked = time.perf_counter(), time.process_time()
                values, evaluations[name] = method(number)
                seconds[name].append(time.perf_counter() - started)
                cpu[name].append(time.process_time() - worked)
                errors[name].append(float(np.sqrt(np.mean((values - truth) ** 2))) / size)
    np.random.set_state(state)  # noqa: NPY002
    median, median_cpu = float(np.median(seconds[OURS])), float(np.median(cpu[OURS]))
    return [
        {
            "positions": n,
            "method": name,
            "median_ms": round(float(np.median(seconds[name])) * 1000, 1),
            "min_ms": round(min(seconds[name]) * 1000, 1),
            "median_to_ours": round(float(np.median(seconds[name])) / median, 2),
            "cpu_ms": round(float(np.median(cpu[name])) * 1000, 1),
            "cpu_to_ours": round(float(np.median(cpu[name])) / median_cpu, 2),
            "evaluations": evaluations[name],
            "relative_error": round(float(np.mean(errors[name])), 4),
        }
        for name in methods
    ]


if __name__ == "__main__":
    main()
