"""Which explanation of a recommendation by past items is the best? A leaderboard for the same models and cases.

`python benchmarks/leaderboard.py --home HOME`: the refined model (additive form, attributes and head) over each base
model in a home, of the seed. Each explainer says which past items speak for the first recommendation to users with at
least five past items, and `guidedrec_core.audit.perturbation` measures it. Users are dealt once: the first part chooses
(LXR's hyperparameters; the weights of `explanation.past_items.removal_order` were chosen on them, too), the second
is measured, and LXR's masks are trained on all others. Users are resampled: paired 95 % intervals of ours minus each
other explainer. Times are CPU seconds of the process, which other work on the machine lengthens, too. A model's entry
is added to those in the file that were measured with the same settings.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import torch
from explainers.gradients import gradient_times_input, integrated_gradients
from explainers.learned_masks import LearnedMasks
from explainers.perturbing import EVALUATIONS, OUTPUTS, kernel_shap, leave_one_out, lime
from explainers.soft_history import SoftHistory

from guidedrec_core.audit.perturbation import BETTER, HIGHER, perturbation_metrics
from guidedrec_core.evaluation.bootstrap import Interval, UserBootstrap
from guidedrec_core.explanation.past_items.attention import has_attention, history_attention
from guidedrec_core.explanation.past_items.removal_order import removal_order
from guidedrec_core.explanation.past_items.shapley import history_shapley, warm_up
from guidedrec_core.explanation.past_items.standing import FloatArray, Standing
from guidedrec_core.explanation.question import Question, UserHistory
from guidedrec_core.randomness import derive_seed, generator
from guidedrec_core.ranking.ranks import top_lists
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs import library
from guidedrec_core.runs.store import RunStore

OURS, SHARES, LXR = "removal order", "shares of the score", "LXR"
FEWEST = 5
JUDGES = 100
"""Validation users by whom LXR's hyperparameters are chosen; there are 200 in the authors' code."""

Explainer = Callable[[Question], FloatArray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, action="append", required=True, help="stored runs; may be named again")
    parser.add_argument("--bases", default="sasrec,gru4rec,bert4rec")
    parser.add_argument("--cases", type=int, default=200, help="users measured, for each model")
    parser.add_argument("--validation", type=int, default=200, help="users by whom things are chosen")
    parser.add_argument("--trials", type=int, default=3, help="of LXR's hyperparameters")
    parser.add_argument("--epochs", type=int, default=12, help="of LXR's training")
    parser.add_argument("--samples", type=int, default=2000, help="resamples of users")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "leaderboard.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = {
        "benchmark": "leaderboard",
        "threads": options.threads,
        "seed": options.seed,
        "fewest_past_items": FEWEST,
        "evaluations": EVALUATIONS,
        "lxr": {"trials": options.trials, "epochs": options.epochs},
        "better": BETTER,
    }
    warm_up()
    for home in options.home:
        for system, kind in systems(RunStore(home), options.seed, options.bases.split(",")):
            about = {"data": system.data.dataset.name, "base": kind, "run": system.run_id}
            about["machine"] = machine.facts("numpy", "torch", "shap", "scikit-learn")
            entry = about | measured(system, options)
            print(f"\n{entry['data']}, {kind}: {entry['cases']} users\n{report(entry)}", flush=True)
            keep(options.out, settings, entry)
    print(f"\nwritten to {options.out}")


def keep(path: Path, settings: dict[str, Any], entry: dict[str, Any]) -> None:
    """Write one model's entry next to those of other models that were measured with the same settings."""
    found = json.loads(path.read_text()) if path.is_file() else {}
    others = found.pop("models", [])
    if found != settings:
        others = []
    same = (entry["data"], entry["base"])
    models = [*(other for other in others if (other["data"], other["base"]) != same), entry]
    path.write_text(json.dumps({**settings, "models": models}, indent=1) + "\n")


def systems(store: RunStore, seed: int, bases: list[str]) -> list[tuple[RefinedRecommender, str]]:
    """Open the newest additive refined run of a seed over each kind of base, with the history up to the test part."""
    found: dict[str, str] = {}
    for entry in library.refined_entries(store):
        refinement = entry.run.config["refinement"]
        if (refinement["control"], refinement["mode"], entry.run.seed) == ("none", "additive", seed):
            found.setdefault(entry.base_kind, entry.run.id)
    return [(open_refined(store, found[kind]).showing("train+valid"), kind) for kind in bases if kind in found]


def questions_about(system: RefinedRecommender, users: np.ndarray) -> list[Question]:
    """Ask why users are recommended what stands first in their lists."""
    given = [UserHistory.shown(system.data, user) for user in users.tolist()]
    lengths = np.array([len(each.history) for each in given])
    best = top_lists(system.refined, system.data.sequences, users, lengths, 1)[:, 0]
    return [each.ask(item) for each, item in zip(given, best.tolist(), strict=True) if item >= 0]


def measured(system: RefinedRecommender, options: argparse.Namespace) -> dict[str, Any]:
    """Explain the same cases in every way, and compare."""
    lengths = np.array([len(system.data.shown_history(user)) for user in range(system.data.sequences.n_users)])
    dealt = np.random.default_rng(options.seed).permutation(np.flatnonzero(lengths >= FEWEST))
    last = options.validation + options.cases
    chosen_by, cases, others = dealt[: options.validation], dealt[options.validation : last], dealt[last:]
    questions = questions_about(system, cases)
    started = time.process_time()
    masks = LearnedMasks(
        soft := SoftHistory(system.refined),
        questions_about(system, others),
        judge(system, questions_about(system, chosen_by[:JUDGES])),
        options.trials,
        options.epochs,
        options.seed,
    )
    trained = time.process_time() - started
    explainers = explainers_of(system, soft, masks, options.seed)
    tables: dict[str, list[dict[str, float]]] = {name: [] for names in explainers for name in names}
    seconds = dict.fromkeys(tables, 0.0)
    for question in questions:
        standing = Standing(system.refined, question)
        for names, explain in explainers.items():
            started = time.process_time()
            values = explain(question).reshape(len(question.history), len(names))
            passed = time.process_time() - started
            for number, name in enumerate(names):
                seconds[name] += passed
                tables[name].append(perturbation_metrics(standing, values[:, number]))
    found = {name: pd.DataFrame(rows)[list(BETTER)].to_numpy() for name, rows in tables.items()}
    return {
        "cases": len(questions),
        "items": system.refined.n_items,
        "past_items": {"mean": float(np.mean(lengths[cases])), "median": float(np.median(lengths[cases]))},
        "lxr": {**masks.chosen, "training_cpu_seconds": round(trained, 1), "users": len(others)},
        "explainers": compared(
            found, {name: 1000 * total / len(questions) for name, total in seconds.items()}, cases, options
        ),
    }


def explainers_of(
    system: RefinedRecommender, soft: SoftHistory, masks: LearnedMasks, seed: int
) -> dict[tuple[str, ...], Explainer]:
    """Return every explainer that fits the model, ours first, by the names of what it gives at once."""
    model: Any = system.refined
    vectors = np.concatenate([model.item_values(), model.item_remainders()], axis=1).astype(np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def both(name: str) -> tuple[str, ...]:
        return tuple(f"{name}, {output}" for output in OUTPUTS)

    found: dict[tuple[str, ...], Explainer] = {
        (OURS,): lambda q: removal_order(model, q, seed).importance.astype(float),
        (SHARES,): lambda q: history_shapley(model, q, seed, EVALUATIONS, exact_up_to=10).each_position,
        both("LIME"): lambda q: lime(Standing(model, q), generator(seed, "lime", q.user)),
        both("SHAP"): lambda q: kernel_shap(Standing(model, q), derive_seed(seed, "shap", q.user)),
        both("leave one out"): lambda q: leave_one_out(Standing(model, q)),
        (LXR,): masks.explain,
        ("gradient x input",): lambda q: gradient_times_input(soft, q),
        ("integrated gradients",): lambda q: integrated_gradients(soft, q),
    }
    if has_attention(model):
        found["attention",] = lambda q: history_attention(model, q.users, q.histories)[0]
    found["cosine",] = lambda q: vectors[q.history] @ vectors[q.item]
    found["newest first",] = lambda q: np.arange(len(q.history), dtype=float)
    found["random",] = lambda q: generator(seed, "random order", q.user).random(len(q.history))
    return found


def judge(system: RefinedRecommender, questions: list[Question]) -> Callable[[Explainer], float]:
    """Return a function that measures an explainer's mean POS@20 on some questions; models are asked once."""
    standings = [Standing(system.refined, question) for question in questions]

    def measure(explain: Explainer) -> float:
        return float(
            np.mean([perturbation_metrics(each, explain(each.question))["POS@20"] for each in standings]),
        )

    return measure


def compared(
    found: dict[str, FloatArray], milliseconds: dict[str, float], users: np.ndarray, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Return each explainer's means, and ours minus each with paired intervals and a verdict.

    The verdict is of ours: ``better``, ``level`` (the interval contains 0) or ``worse``.
    """
    names, metrics = list(found), list(BETTER)
    bootstrap = UserBootstrap(
        np.concatenate(list(found.values()), axis=1), users, options.samples, generator(options.seed, "leaderboard")
    )
    rows = []
    for place, name in enumerate(names):
        row: dict[str, Any] = {"explainer": name, "cpu_ms": round(milliseconds[name], 2), "metrics": {}}
        for number, metric in enumerate(metrics):
            mean = bootstrap.mean(place * len(metrics) + number)
            entry: dict[str, Any] = rounded(mean)
            if name != OURS:
                gap = bootstrap.difference(number, place * len(metrics) + number)
                entry["ours_minus"] = rounded(gap)
                entry["ours"] = verdict(metric, gap.low, gap.high)
            row["metrics"][metric] = entry
        rows.append(row)
    return rows


def rounded(interval: Interval) -> dict[str, Any]:
    """Return an interval as it is stored."""
    return {"value": round(interval.value, 6), "ci": [round(interval.low, 6), round(interval.high, 6)]}


def verdict(metric: str, low: float, high: float) -> str:
    """Say what an interval of ours minus another's metric means for ours.

    Examples
    --------
    >>> verdict("INS", 0.01, 0.02), verdict("DEL", 0.01, 0.02), verdict("DEL", -0.01, 0.02)
    ('better', 'worse', 'level')
    """
    if low <= 0 <= high:
        return "level"
    return "better" if (low > 0) == (BETTER[metric] == HIGHER) else "worse"


def report(entry: dict[str, Any]) -> str:
    """Write one model's table; a star where ours is better for certain, an exclamation mark where it is worse."""
    marks = {"better": "*", "level": " ", "worse": "!"}
    lines = [f"{'':26s}{'ms':>8s}" + "".join(f"{metric:>9s}" for metric in BETTER)]
    for row in entry["explainers"]:
        cells = [f"{m['value']:8.4f}{marks[m.get('ours', 'level')]}" for m in row["metrics"].values()]
        lines.append(f"{row['explainer']:26s}{row['cpu_ms']:8.1f}" + "".join(cells))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
