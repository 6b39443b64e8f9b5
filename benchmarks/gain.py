"""What guided scores are worth: `python benchmarks/gain.py movietweetings-100k --path FOLDER --seeds 0,1,2`.

For every base model and seed: base, refined model and all controls, each with the same budget and patience, and the
simple baselines, tuned on the validation part. The test part is read once, after all trainings. A case's metrics are
averaged over seeds, then users are resampled: paired 95 % intervals. Finished runs are kept in `--home`, so that an
interrupted benchmark goes on where it was; a base that is found there has no CPU seconds (null). Prints tables and
writes JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import machine
import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.data.fetch import SOURCES
from guidedrec_core.evaluation.bootstrap import UserBootstrap
from guidedrec_core.evaluation.metrics import case_metrics, metric_names
from guidedrec_core.runs.store import RunStore

CUTOFFS = (10,)
SAMPLES = 2000
SIMPLE = ("popularity", "item_knn", "item_knn_recency", "ease")
COLD = "never in training"

CHILD = """
import json, sys, time
from pathlib import Path
import torch
from guidedrec_core import stages
from guidedrec_core.config import BuildConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.runs.store import RunStore

name, path, format, home, config, head = sys.argv[1:7]
store = RunStore(Path(home))
config = BuildConfig.parse(json.loads(config))
torch.set_num_threads(config.training.threads)
if path:
    stages.store_dataset(store, import_dataset(format, path, name, min_interactions=5))
data = stages.find_data(store, name)
scores = stages.find_scores(store, data)
stored = {run.id for run in store.list("base")}
started = time.process_time()
base = stages.train_base(store, data, config)
trained = None if base.id in stored else round(time.process_time() - started, 1)
refined = stages.refine(store, base, scores, config)
evaluation = stages.evaluate(store, refined, config)
done = {"evaluation": evaluation.id, "base_cpu_seconds": trained, "head": None}
if head == "head":
    update = {"refinement": config.refinement.model_copy(update={"mode": "head"})}
    with_head = config.model_copy(update=update)
    stored = {run.id for run in store.list("refined")}
    started = time.perf_counter()
    fitted = stages.refine(store, base, scores, with_head)
    done["head_seconds"] = None if fitted.id in stored else round(time.perf_counter() - started, 2)
    done["head"] = stages.evaluate(store, fitted, with_head).id
print(json.dumps(done))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="data set: fernway, movielens-small or movietweetings-100k")
    parser.add_argument("--path", default="", help="file, folder or archive of interactions to import first")
    parser.add_argument("--split", default="leave-one-out", choices=("leave-one-out", "temporal"))
    parser.add_argument("--bases", default="sasrec,gru4rec,bert4rec")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--config", type=json.loads, default={}, help="BuildConfig as JSON, but for split, base, seed")
    parser.add_argument("--controls", default="all", choices=("core", "all"))
    parser.add_argument("--head", action="store_true", help="evaluate the head on the frozen base models, too")
    parser.add_argument("--home", required=True, type=Path, help="folder of stored runs, kept")
    parser.add_argument("--workers", type=int, default=max(1, os.cpu_count() or 1), help="trainings at a time")
    parser.add_argument("--label", default="", help="added to the result's file name")
    options = parser.parse_args()
    facts = machine.facts("torch", "numpy")
    bases, seeds = options.bases.split(","), [int(s) for s in options.seeds.split(",")]
    jobs = [(base, seed) for seed in seeds for base in bases]
    with ThreadPoolExecutor(options.workers) as pool:
        done = dict(zip(jobs, pool.map(lambda job: child(options, *job), jobs), strict=True))
    store = RunStore(options.home)
    result = {"data": options.name, "split": options.split, "seeds": seeds, "machine": facts, "bases": {}}
    for base in bases:
        runs = [done[base, seed] for seed in seeds]
        entry = summary(store, [r["evaluation"] for r in runs])
        entry["base_cpu_seconds"] = [r["base_cpu_seconds"] for r in runs]
        if options.head:
            entry["head"] = summary(store, [r["head"] for r in runs])
            entry["head_seconds"] = [r["head_seconds"] for r in runs]
        result["bases"][base] = entry
        print(f"\n{options.name}, {options.split}, {base}, seeds {seeds}")
        show(entry)
        if options.head:
            taken = [seconds for seconds in entry["head_seconds"] if seconds is not None]
            print("head on the frozen base" + (f", {max(taken):.1f} s" if taken else ""))
            show(entry["head"])
    if len(bases) > 1:
        gains = {m: np.mean([gain(result["bases"][b], m) for b in bases]) for m in metric_names(CUTOFFS)}
        result["mean_gain_over_base"] = gains
        print("\nrefined over base, mean of the bases: " + ", ".join(f"{m} {v:+.1%}" for m, v in gains.items()))
    label = f"_{options.label}" if options.label else ""
    path = machine.RESULTS / f"gain_{options.name}_{options.split}{label}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {path}")


def child(options: argparse.Namespace, base: str, seed: int) -> dict:
    """Make all runs of one base model and seed in a process of its own."""
    config = dict(options.config)
    for part, update in (
        ("split", {"kind": options.split}),
        ("encoder", {"kind": base}),
        ("training", {"threads": 1}),
        ("evaluation", {"controls": options.controls}),
    ):
        config[part] = {**config.get(part, {}), **update}
    config["seed"] = seed
    format = SOURCES[options.name].format if options.name in SOURCES else ""
    arguments = [options.name, options.path, format, str(options.home), json.dumps(config)]
    command = [sys.executable, "-c", CHILD, *arguments, "head" if options.head else ""]
    started = time.time()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if made.returncode:
        raise SystemExit(f"{base}, seed {seed} failed; see above")
    print(f"{base}, seed {seed}: {time.time() - started:.0f} s", file=sys.stderr, flush=True)
    return json.loads(made.stdout.splitlines()[-1])


def summary(store: RunStore, ids: list[str]) -> dict:
    """Average several seeds' evaluations case by case and compare."""
    runs = [store.open(i, "evaluation") for i in ids]
    tables = [run.read_table("cases") for run in runs]
    first, names = tables[0], metric_names(CUTOFFS)
    assert all(t[[c.USER, c.ITEM]].equals(first[[c.USER, c.ITEM]]) for t in tables), "seeds have different cases"
    models = [name.removeprefix("rank_") for name in first if name.startswith("rank_")]
    values = {m: np.mean([case_metrics(t[f"rank_{m}"].to_numpy(), CUTOFFS) for t in tables], axis=0) for m in models}
    users = pd.factorize(first[c.USER])[0]
    columns = {(m, name): i for i, (m, name) in enumerate((m, n) for m in models for n in names)}
    bootstrap = UserBootstrap(
        np.concatenate([values[m] for m in models], axis=1), users, SAMPLES, np.random.default_rng(0)
    )
    cold = (first["item_interactions"] == 0).to_numpy()
    entry: dict = {"cases": len(first), "cold_cases": int(cold.sum()), "metrics": {}, "refined_over": {}}
    for m in models:
        entry["metrics"][m] = {}
        for name in names:
            mean = bootstrap.mean(columns[m, name])
            entry["metrics"][m][name] = {"value": mean.value, "ci": [mean.low, mean.high]}
        if cold.any():
            entry["metrics"][m]["cold " + names[1]] = {"value": float(values[m][cold][:, 1].mean())}
        if m == "refined":
            continue
        entry["refined_over"][m] = {}
        for name in names:
            share = bootstrap.relative(columns["refined", name], columns[m, name])
            if share is not None:
                entry["refined_over"][m][name] = {"gain": share.value, "ci": [share.low, share.high]}
    entry["by_seed"] = [
        {
            m: dict(zip(names, case_metrics(t[f"rank_{m}"].to_numpy(), CUTOFFS).mean(axis=0), strict=True))
            for m in models
        }
        for t in tables
    ]
    entry["by_popularity"] = {
        label: {"cases": int(part.sum()), "MRR": {m: float(values[m][part, 0].mean()) for m in models}}
        for label, part in by_popularity(first).items()
    }
    entry["baselines"] = runs[0].summary["baselines"]
    return entry


def by_popularity(cases: pd.DataFrame) -> dict[str, np.ndarray]:
    """Sort cases into four equal parts by the held-out item's training interactions."""
    rank = cases["item_interactions"].rank(method="first").to_numpy()
    edges = np.ceil(rank / len(rank) * 4).astype(int)
    return {label: edges == n for n, label in enumerate(("rarest", "second", "third", "most popular"), 1)}


def gain(entry: dict, metric: str) -> float:
    """Return the refined model's gain over the base."""
    return entry["refined_over"]["base"][metric]["gain"]


def show(entry: dict) -> None:
    """Print one base model's table."""
    names = metric_names(CUTOFFS)
    print(f"{'':18s}" + "".join(f"{n:>12s}" for n in names) + "   refined over it, " + ", ".join(names))
    for model, metrics in entry["metrics"].items():
        line = f"{model:18s}" + "".join(f"{metrics[n]['value']:12.4f}" for n in names)
        over = entry["refined_over"].get(model, {})
        parts = [f"{v['gain']:+.1%} [{v['ci'][0]:+.1%}, {v['ci'][1]:+.1%}]" for v in over.values()]
        print(line + "   " + "  ".join(parts))
    quarters = entry["by_popularity"]
    print("MRR by popularity of the held-out item, " + ", ".join(quarters))
    for model in entry["metrics"]:
        print(f"{model:18s}" + "".join(f"{quarter['MRR'][model]:12.4f}" for quarter in quarters.values()))


if __name__ == "__main__":
    main()
