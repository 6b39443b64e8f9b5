"""Our base models beside those of RecTools, RecBole and implicit: `python benchmarks/peers.py --seeds 0,1,2`.

MovieLens ml-latest-small or MovieTweetings, 5-core, leave-one-out, the whole catalogue ranked, seen items excluded.
Every library gets the same histories, trains in an environment and a process of its own, in its default shape at d = 64
(theirs: 2 blocks, last 50 items), and hands back scores of all items from the epoch that was best in validation
NDCG@10; one evaluator, ours, ranks them. CPU seconds and peak memory are the process's own, so other work on the
machine hardly changes them.

Environments are made under `--venvs` at first use (2 to 4 GB). Where PyTorch's default package brings CUDA, point pip
to a CPU build with its own variables (PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS). What does not install is skipped, and the
result says so. What is done stays in benchmarks/results/peers_<data>.json; `--resume` does only the rest.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
from environments import environment

from guidedrec_core.config import SplitConfig
from guidedrec_core.data.fetch import SOURCES
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.data.sequences import Sequences
from guidedrec_core.data.split import Cases, Split
from guidedrec_core.evaluation.metrics import case_metrics, metric_names
from guidedrec_core.ranking.ranks import mask_seen, ranks_of

SCRIPTS = Path(__file__).resolve().parent / "peer_models"
METRICS = metric_names((10,))
OURS = "guidedrec"
TORCH = "torch==2.13.0"
UNFINISHED = "not converged"
CUT_SHORT = ("CPU budget", "largest number of epochs")


@dataclass(frozen=True)
class Library:
    """What to install, and how long its models may train.

    Attributes
    ----------
    packages, constraints : tuple of str
        See `environments.environment`.
    patience, max_epochs : int
        Epochs without a better validation NDCG@10, and in all; 0 leaves it to the library.
    """

    packages: tuple[str, ...]
    constraints: tuple[str, ...]
    patience: int
    max_epochs: int


# Patience is wide, so that no library is stopped before its best: RecTools' BERT4Rec needs 170 epochs here, and one of
# RecBole's takes minutes.
LIBRARIES = {
    OURS: Library((), (), 0, 0),
    "rectools": Library(("rectools[torch]==0.19.0",), (TORCH,), 120, 500),
    "recbole": Library(("recbole==1.2.1",), (TORCH, "numpy==1.26.4", "setuptools<81"), 10, 300),
    "implicit": Library(("implicit==0.7.3",), (), 50, 50),
}
MODELS = (
    *((OURS, m) for m in ("sasrec", "gru4rec", "bert4rec")),
    *(("rectools", m) for m in ("sasrec", "bert4rec")),
    *(("recbole", m) for m in ("sasrec", "gru4rec", "bert4rec")),
    *(("implicit", m) for m in ("als", "item_knn")),
)


def main() -> None:
    options = parse_options()
    load = os.getloadavg()[0]
    path = options.out
    stored = json.loads(path.read_text()) if options.resume and path.is_file() else {}
    result: dict[str, Any] = {
        "benchmark": "peers",
        "machine": machine.facts("numpy", "torch") | {"load_before": round(load, 2)},
        "protocol": protocol(options.data),
        "not_installed": {},
        "runs": [run for run in stored.get("runs", []) if counts(run, options)],
    }
    with tempfile.TemporaryDirectory() as folder:
        sequences, cases = write_split(options.data, options.path, Path(folder) / "split.npz")
        result["data"] = {"users": sequences.n_users, "items": sequences.n_items, "interactions": len(sequences.items)}
        for library in dict.fromkeys(library for library, _ in options.models):
            python, problem = Path(sys.executable), ""
            if library != OURS:
                wanted = LIBRARIES[library]
                python, problem = environment(options.venvs / library, wanted.packages, wanted.constraints)
            if problem:
                result["not_installed"][library] = problem
                print(f"{library} is skipped: {problem}", flush=True)
                continue
            for model in (m for own, m in options.models if own == library):
                for seed in options.seeds:
                    if any((r["library"], r["model"], r["seed"]) == (library, model, seed) for r in result["runs"]):
                        continue
                    print(f"{library} {model}, seed {seed}", flush=True)
                    run = run_model(python, library, model, seed, options, Path(folder), cases, sequences)
                    result["runs"].append(run)
                    write(path, result)  # so that an interrupted benchmark loses one run at most
    print()
    print(report(result))
    write(path, result)
    print(f"\nwritten to {path}")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SOURCES, default="movielens-small")
    parser.add_argument("--path", type=Path, help="its folder; default ../shared/data/<data>")
    parser.add_argument("--venvs", type=Path, default=Path(".peers"), help="where the libraries' environments are made")
    parser.add_argument("--models", default="", help="e.g. rectools/sasrec,guidedrec/sasrec or recbole; default all")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of every model; 1 wastes no CPU seconds")
    parser.add_argument("--cpu-budget", type=float, default=3600, help="CPU seconds of training for a model and seed")
    parser.add_argument("--max-epochs", type=int, default=0, help="at most, for a try")
    parser.add_argument("--config", type=json.loads, default={}, help="BuildConfig of ours as JSON, beside seed")
    parser.add_argument("--resume", action="store_true", help="keep what the result file holds already")
    parser.add_argument("--out", type=Path, help="default benchmarks/results/peers_<data>.json")
    options = parser.parse_args()
    wanted = [w for w in options.models.split(",") if w]
    unknown = set(wanted) - {library for library, _ in MODELS} - {"/".join(m) for m in MODELS}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join('/'.join(m) for m in MODELS)}")
    options.path = options.path or Path("../shared/data") / options.data.replace("-", "_")
    options.out = options.out or machine.RESULTS / f"peers_{options.data}.json"
    if not options.path.is_dir():
        parser.error(f"no folder {options.path}; name the one that holds {options.data} with --path")
    options.models = [m for m in MODELS if not wanted or m[0] in wanted or "/".join(m) in wanted]
    options.seeds = [int(seed) for seed in options.seeds.split(",")]
    return options


def counts(run: dict[str, Any], options: argparse.Namespace) -> bool:
    """Tell whether a stored run would come out the same now."""
    if "failed" in run or run["limits"]["threads"] != options.threads:
        return False
    if run["library"] == OURS and run.get("config", {}) != options.config:
        return False
    return run["stopped"] not in CUT_SHORT or run["limits"] == limits_of(run["library"], options)


def limits_of(library: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return what a library's model may take; a largest number of epochs of 0 leaves it to the library."""
    epochs = [n for n in (LIBRARIES[library].max_epochs, options.max_epochs) if n]
    return {
        "threads": options.threads,
        "patience": LIBRARIES[library].patience,
        "max_epochs": min(epochs, default=0),
        "cpu_budget": options.cpu_budget,
    }


def protocol(name: str) -> dict[str, str]:
    """Say how was measured."""
    return {
        "data": f"{name}, 5-core, leave-one-out",
        "ranking": "all unseen items; ties by item index",
        "epoch": "best validation NDCG@10",
        "cpu_seconds_per_epoch": "user and system, of training alone; ours with validation",
        "cpu_seconds_in_all": "of the whole process: imports, training, validation, waiting for a better epoch",
    }


def write_split(name: str, source: Path, path: Path) -> tuple[Sequences, Cases]:
    """Read a data set, write its histories for the scripts and return them with the test cases."""
    dataset = import_dataset(SOURCES[name].format, source, name, min_interactions=5)
    sequences = Sequences.of(dataset.interactions, dataset.users, dataset.items)
    cases = Split.of(sequences, SplitConfig(kind="leave-one-out")).cases(sequences, "test")
    assert np.array_equal(cases.users, np.arange(sequences.n_users)), "expected one test case for every user"
    np.savez(path, items=sequences.items, starts=sequences.starts, n_items=sequences.n_items)
    return sequences, cases


def run_model(
    python: Path,
    library: str,
    model: str,
    seed: int,
    options: argparse.Namespace,
    folder: Path,
    cases: Cases,
    sequences: Sequences,
) -> dict[str, Any]:
    """Train one model in its own process; return what it measured and its ranks of the test targets."""
    limits = limits_of(library, options)
    command = [python, SCRIPTS / f"run_{library}.py", "--split", folder / "split.npz", "--out", folder]
    for name, value in {"model": model, "seed": seed, **limits}.items():
        command += [f"--{name.replace('_', '-')}", value]
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    known: dict[str, Any] = {"library": library, "model": model, "seed": seed, "limits": limits}
    if library == OURS:
        command += ["--config", json.dumps(options.config)]
        known["config"] = options.config
    log = folder / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,  # some leave logs behind
            env={**os.environ, **dict.fromkeys(variables, str(options.threads))},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)  # the only call that gives this one process's peak memory
        except KeyboardInterrupt:
            process.kill()
            raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = (log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
        print(f"  failed: {last}", flush=True)
        return {**known, "failed": last}
    record = json.loads((folder / "record.json").read_text())
    histories = [sequences.history(user, length) for user, length in enumerate(cases.lengths.tolist())]
    ranks = ranks_of(mask_seen(np.load(folder / "test_scores.npy"), histories), cases.targets)
    seconds = [epoch["cpu_seconds"] for epoch in record["epochs"]]
    curve = zip([epoch["ndcg"] for epoch in record["epochs"]], np.cumsum(seconds).tolist(), strict=True)
    run = {
        **known,
        "metrics": dict(zip(METRICS, case_metrics(ranks, (10,)).mean(axis=0).round(5).tolist(), strict=True)),
        "validation_ndcg": round(record["epochs"][record["best_epoch"] - 1]["ndcg"], 5),
        "epochs": len(seconds),
        "best_epoch": record["best_epoch"],
        "stopped": record["stopped"],
        "cpu_seconds_per_epoch": round(float(np.median(seconds)), 3),
        "cpu_seconds_to_best": round(sum(seconds[: record["best_epoch"]]), 2),
        "cpu_seconds_in_all": round(usage.ru_utime + usage.ru_stime, 1),
        # Linux counts in KiB, macOS in bytes.
        "peak_memory_gib": round(usage.ru_maxrss / (2**20 if sys.platform != "darwin" else 2**30), 2),
        "settings": record["settings"],
        "versions": record["versions"],
        "curve": " ".join(f"{ndcg:.5f}@{spent:.1f}" for ndcg, spent in curve),
        "ranks": " ".join(map(str, ranks.tolist())),
    }
    print(f"  NDCG@10 {run['metrics']['NDCG@10']:.4f}, {run['cpu_seconds_in_all']} CPU s, {run['stopped']}", flush=True)
    return run


def report(result: dict[str, Any]) -> str:
    """Tabulate means over seeds, and ours relative to every peer."""
    runs = [run for run in result["runs"] if "failed" not in run]
    failed = [run for run in result["runs"] if "failed" in run]
    lines = [f"{r['library']} {r['model']} seed {r['seed']} failed: {r['failed']}" for r in failed]
    lines += [f"{library} skipped: {problem}" for library, problem in result["not_installed"].items()]
    if not runs:
        return "\n".join(lines)
    numbers = ("cpu_seconds_per_epoch", "best_epoch", "cpu_seconds_to_best", "cpu_seconds_in_all", "peak_memory_gib")
    table = pd.DataFrame(
        [
            {
                "library": run["library"],
                "model": run["model"],
                **run["metrics"],
                **{n: run[n] for n in numbers},
                "unfinished": run["stopped"] in CUT_SHORT,
            }
            for run in runs
        ]
    )
    groups = table.groupby(["library", "model"], sort=False)
    means = groups.mean().drop(columns="unfinished")
    means.insert(0, "seeds", groups.size())
    means["note"] = np.where(groups["unfinished"].any(), UNFINISHED, "")
    lines += [means.reset_index().round(4).to_string(index=False), "", "ours / theirs, at the same architecture"]
    ratios = [ratio(result, means, peer) for peer in means.index if peer[0] != OURS and (OURS, peer[1]) in means.index]
    result["summary"] = {"means": records(means.reset_index()), "ratios": ratios}
    lines += [pd.DataFrame(ratios).to_string(index=False) if ratios else "nothing to compare"]
    return "\n".join(lines)


def ratio(result: dict[str, Any], means: pd.DataFrame, peer: tuple[str, str]) -> dict[str, Any]:
    """Compare ours with one peer; the interval is of the difference in NDCG@10, bootstrapped over users.

    ``cpu_seconds_to_their_best``: what ours takes to be as good on the validation part as theirs, over what that takes.
    """
    ours, theirs = means.loc[(OURS, peer[1])], means.loc[peer]
    columns = (*METRICS, "cpu_seconds_per_epoch", "cpu_seconds_to_best", "cpu_seconds_in_all", "peak_memory_gib")
    difference = user_ndcg(result, (OURS, peer[1])) - user_ndcg(result, peer)
    draws = np.random.default_rng(0).integers(0, len(difference), (2000, len(difference)))
    spent = seconds_to_their_best(result, peer)
    low, high = np.quantile(difference[draws].mean(axis=1), [0.025, 0.975])
    return {
        "against": "/".join(peer),
        **{column: round(float(ours[column] / theirs[column]), 3) for column in columns},
        "cpu_seconds_to_their_best": None if spent is None else round(spent / theirs["cpu_seconds_to_best"], 3),
        "NDCG@10 difference": f"{difference.mean():+.4f} [{low:+.4f}, {high:+.4f}]",
        "note": ", ".join(f"{who} {row['note']}" for who, row in (("ours", ours), ("theirs", theirs)) if row["note"]),
    }


def seconds_to_their_best(result: dict[str, Any], peer: tuple[str, str]) -> float | None:
    """Return the CPU seconds until our validation NDCG@10 is first as high as a peer's best, averaged over seeds.

    Only seeds that both have count; None if one of ours never comes so far, or has no curve.
    """
    runs = {(r["library"], r["model"], r["seed"]): r for r in result["runs"] if "failed" not in r}
    spent = []
    for (library, model, seed), theirs in runs.items():
        if (library, model) == peer and (ours := runs.get((OURS, model, seed))):
            epochs = [epoch.split("@") for epoch in ours.get("curve", "").split()]
            reached = [float(seconds) for ndcg, seconds in epochs if float(ndcg) >= theirs["validation_ndcg"]]
            if not reached:
                return None
            spent.append(reached[0])
    return float(np.mean(spent)) if spent else None


def user_ndcg(result: dict[str, Any], of: tuple[str, str]) -> np.ndarray:
    """Return every user's NDCG@10, averaged over seeds."""
    runs = [r for r in result["runs"] if (r["library"], r["model"]) == of and "failed" not in r]
    ranks = [np.array(run["ranks"].split(), dtype=np.int64) for run in runs]
    return np.mean([case_metrics(r, (10,))[:, METRICS.index("NDCG@10")] for r in ranks], axis=0)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a table into plain rounded records."""
    return json.loads(table.round(4).to_json(orient="records"))


def write(path: Path, result: dict[str, Any]) -> None:
    """Replace the result file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(result, indent=2) + "\n")
    unfinished.replace(path)


if __name__ == "__main__":
    main()
