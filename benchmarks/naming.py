"""What has a name, and what it costs: `python benchmarks/naming.py movietweetings-100k --path FOLDER --home HOME`.

For every base model and seed, in leave-one-out or temporal split: the base, the refined model in the additive form, and
the model whose items are named columns alone (mode `named`), both with item-kNN next to them, each with its controls
trained in the same way (placebo: attribute rows shuffled over items, facts kept; second training: without attributes,
which in mode `named` leaves facts alone). All are evaluated on the test part. A case's metrics are averaged over seeds,
then users are resampled: paired 95 % intervals. Shares of names are means over seeds. Finished runs are kept in
`--home`, so that an interrupted benchmark goes on where it was. Writes JSON.
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
MODES = ("additive", "named")
COMPARED = (
    ("refined", "base"),
    ("refined", "placebo"),
    ("named", "base"),
    ("named", "refined"),
    ("named", "named placebo"),
    ("named", "named without attributes"),
    ("named", "item_knn_recency"),
    ("names of refined", "base"),
    ("names of refined", "refined"),
)

CHILD = """
import json, sys
from pathlib import Path
import torch
from guidedrec_core import stages
from guidedrec_core.config import BuildConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.runs.store import RunStore

name, path, format, home, config = sys.argv[1:6]
store = RunStore(Path(home))
settings = json.loads(config)
torch.set_num_threads(1)
if path:
    stages.store_dataset(store, import_dataset(format, path, name, min_interactions=5))
data = stages.find_data(store, name)
scores = stages.find_scores(store, data)
done = {}
for mode in ("additive", "named"):
    config = BuildConfig.parse({**settings, "refinement": {**settings.get("refinement", {}), "mode": mode}})
    base = stages.train_base(store, data, config)
    refined = stages.refine(store, base, scores, config)
    done[mode] = stages.evaluate(store, refined, config).id
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
    parser.add_argument("--home", required=True, type=Path, help="folder of stored runs, kept")
    parser.add_argument("--workers", type=int, default=1, help="trainings at a time")
    options = parser.parse_args()
    facts = machine.facts("torch", "numpy")
    bases, seeds = options.bases.split(","), [int(s) for s in options.seeds.split(",")]
    jobs = [(base, seed) for seed in seeds for base in bases]
    with ThreadPoolExecutor(options.workers) as pool:
        done = dict(zip(jobs, pool.map(lambda job: child(options, *job), jobs), strict=True))
    store = RunStore(options.home)
    result = {"data": options.name, "split": options.split, "seeds": seeds, "machine": facts, "bases": {}}
    for base in bases:
        entry = summary(store, [done[base, seed] for seed in seeds])
        result["bases"][base] = entry
        print(f"\n{options.name}, {options.split}, {base}, seeds {seeds}")
        show(entry)
    path = machine.RESULTS / f"naming_{options.name}_{options.split}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {path}")


def child(options: argparse.Namespace, base: str, seed: int) -> dict:
    """Make all runs of one base model and seed in a process of its own."""
    config = dict(options.config)
    for part, update in (
        ("split", {"kind": options.split}),
        ("encoder", {"kind": base}),
        ("training", {"threads": 1}),
        ("refinement", {"neighbours": "auto"}),
    ):
        config[part] = {**config.get(part, {}), **update}
    config["seed"] = seed
    format = SOURCES[options.name].format if options.name in SOURCES else ""
    arguments = [options.name, options.path, format, str(options.home), json.dumps(config)]
    started = time.time()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = subprocess.run([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True, env=environment)
    if made.returncode:
        raise SystemExit(f"{base}, seed {seed} failed; see above")
    print(f"{base}, seed {seed}: {time.time() - started:.0f} s", file=sys.stderr, flush=True)
    return json.loads(made.stdout.splitlines()[-1])


def summary(store: RunStore, runs: list[dict]) -> dict:
    """Average several seeds' evaluations case by case and compare."""
    names = metric_names(CUTOFFS)
    by_model: dict[str, list[np.ndarray]] = {}
    cases: pd.DataFrame | None = None
    for run in runs:
        tables = {mode: store.open(run[mode], "evaluation").read_table("cases") for mode in MODES}
        cases = tables["additive"] if cases is None else cases
        for mode, table in tables.items():
            assert table[[c.USER, c.ITEM]].equals(cases[[c.USER, c.ITEM]]), "runs have different cases"
            for column in table.filter(like="rank_"):
                model = column.removeprefix("rank_")
                if mode == "named":
                    model = {
                        "refined": "named",
                        "placebo": "named placebo",
                        "second_training": "named without attributes",
                    }.get(model, "")
                if model:
                    metrics = case_metrics(table[column].to_numpy(), CUTOFFS)
                    by_model.setdefault(model, []).append(metrics)
        ranked = store.open(run["additive"], "evaluation").read_table("named_ranks")
        assert ranked[[c.USER, c.ITEM]].equals(cases[[c.USER, c.ITEM]]), "runs have different cases"
        by_model.setdefault("names of refined", []).append(case_metrics(ranked["rank"].to_numpy(), CUTOFFS))
    assert cases is not None
    means = {model: np.mean(values, axis=0) for model, values in by_model.items()}
    bootstrap = UserBootstrap(
        np.concatenate(list(means.values()), axis=1),
        pd.factorize(cases[c.USER])[0],
        SAMPLES,
        np.random.default_rng(0),
    )
    column = {
        (model, name): place * len(names) + number
        for place, model in enumerate(means)
        for number, name in enumerate(names)
    }
    entry: dict = {"metrics": {}, "differences": {}}
    for model in means:
        entry["metrics"][model] = {}
        for name in names:
            mean = bootstrap.mean(column[model, name])
            entry["metrics"][model][name] = {"value": mean.value, "ci": [mean.low, mean.high]}
    for first, second in COMPARED:
        if first in means and second in means:
            gains = {name: bootstrap.relative(column[first, name], column[second, name]) for name in names}
            entry["differences"][f"{first} over {second}"] = {
                name: {"gain": gain.value, "ci": [gain.low, gain.high]} for name, gain in gains.items() if gain
            }
    for mode in MODES:
        opened = [store.open(run[mode], "evaluation") for run in runs]
        shares = pd.concat([run.read_table("named_shares").set_index("part")["share"] for run in opened], axis=1)
        frontier = [run.read_table("frontier").set_index("unnamed_weight") for run in opened]
        entry[f"names of {mode}"] = {
            "shares": shares.mean(axis=1).to_dict(),
            "shares_by_seed": shares.T.to_dict("list"),
            "NDCG@10 by weight of what has no name": np.mean([each["ndcg"] for each in frontier], axis=0).tolist(),
            "spread of what has no name": float(np.mean([each["unnamed_spread"].iloc[-1] for each in frontier])),
            "lines that keep their sign": float(
                np.mean([run.summary["named"]["stable_lines"]["kept"] for run in opened])
            ),
        }
    return entry


def show(entry: dict) -> None:
    """Print one base model's table."""
    names = metric_names(CUTOFFS)
    print(f"{'':28s}" + "".join(f"{n:>12s}" for n in names))
    for model, metrics in entry["metrics"].items():
        print(f"{model:28s}" + "".join(f"{metrics[n]['value']:12.4f}" for n in names))
    for pair, gains in entry["differences"].items():
        ends = ", ".join(f"{n} {g['gain']:+.1%} [{g['ci'][0]:+.1%}, {g['ci'][1]:+.1%}]" for n, g in gains.items())
        print(f"{pair}: {ends}")
    for mode in MODES:
        own = entry[f"names of {mode}"]
        shares = ", ".join(f"{part} {share:.1%}" for part, share in own["shares"].items())
        print(
            f"{mode}: {shares}; ranked by names alone {own['NDCG@10 by weight of what has no name'][0]:.4f} of "
            f"{own['NDCG@10 by weight of what has no name'][-1]:.4f}; "
            f"lines that keep their sign {own['lines that keep their sign']:.1%}"
        )


if __name__ == "__main__":
    main()
