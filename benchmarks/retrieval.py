"""How near finding one user's best items comes to the speed of memory, and how long ranking for all users takes.

`python benchmarks/retrieval.py`. One user: the 10 best of 10^4, 10^5 and 10^6 items of 64 numbers and a bias, 100 seen
items left out, beside the time of reading all item vectors once (`torch.sum`, as many threads), full and partial
sorting in numpy, `torch.topk` and an exact FAISS index. All methods take turns, so that other work on the machine meets
all of them; the ratios are of medians and of minima. All users: the exact rank of every user's held-out item in
MovieTweetings, 5-core, leave-one-out, by a SASRec of default size with random weights.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import torch
from environments import environment
from threadpoolctl import threadpool_limits

from guidedrec_core.config import EncoderConfig, SplitConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.data.sequences import Sequences
from guidedrec_core.data.split import Split
from guidedrec_core.models.registry import make_base
from guidedrec_core.ranking.ranks import target_ranks, top_lists
from guidedrec_core.ranking.retrieval import ItemIndex

WIDTH, K, N_SEEN = 64, 10, 100
READ = "read once"
FAISS = "faiss-cpu==1.15.1"
# Seconds between two methods: the threads of one library wait busily for more work for a while after their last.
PAUSE = 0.02


class Faiss:
    """A FAISS index in its own environment and process; empty `problem` if it can be used."""

    def __init__(self, python: Path, problem: str, folder: Path, arrays: dict[str, np.ndarray], threads: int) -> None:
        self.problem, self.version = problem, ""
        if problem:
            return
        np.savez(folder / "arrays.npz", **arrays)
        script = Path(__file__).resolve().parent / "peer_models" / "serve_faiss.py"
        self.process = subprocess.Popen(
            [python, script, folder / "arrays.npz", str(K), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self._answer()

    def search(self) -> tuple[float, list[int]]:
        """Return the seconds of one search, measured over there, and the items found."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        if not self.problem:
            self.process.stdin.close()
            self.process.wait()

    def _answer(self) -> Any:
        return json.loads(self.process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="items")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/movietweetings_100k"), help="MovieTweetings")
    parser.add_argument("--venvs", type=Path, default=Path(".peers"), help="where FAISS's environment is made")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "retrieval.json")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "benchmark": "retrieval",
        "machine": machine.facts("numpy", "torch"),
        "threads": options.threads,
        "seed": options.seed,
        "rounds": options.rounds,
        "one_user": [],
    }
    torch.set_num_threads(options.threads)
    peer = environment(options.venvs / "faiss", [FAISS])
    with threadpool_limits(options.threads):
        for n_items in map(int, options.sizes.split(",")):
            result["one_user"] += one_user(n_items, options, *peer)
        print(pd.DataFrame(result["one_user"]).to_string(index=False))
        if options.data.is_dir():
            result["all_users"] = all_users(options)
            print("\nall users of MovieTweetings:", json.dumps(result["all_users"]))
        else:
            print(f"\nall users: skipped, there is no folder {options.data}; name MovieTweetings' with --data")
    if peer[1]:
        result["not_installed"] = {"faiss": peer[1]}
        print(f"faiss skipped: {peer[1]}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {options.out}")


def one_user(n_items: int, options: argparse.Namespace, python: Path, problem: str) -> list[dict[str, Any]]:
    """Time one request at one size of the catalogue; return a row for each method."""
    rng = np.random.default_rng(options.seed)
    items = rng.standard_normal((n_items, WIDTH), dtype=np.float32)
    bias, user = rng.standard_normal(n_items, dtype=np.float32), rng.standard_normal(WIDTH, dtype=np.float32)
    # Seen items are the best ones, the worst case: whoever only leaves them out at the end has to look further.
    seen = np.argsort(-(items @ user + bias))[:N_SEEN]
    torch_items, torch_bias, torch_user = map(torch.from_numpy, (items, bias, user))
    index = ItemIndex.of(items, bias)

    def masked() -> np.ndarray:
        scores = items @ user
        scores += bias
        scores[seen] = -np.inf
        return scores

    def partial_sort() -> np.ndarray:
        scores = masked()
        best = np.argpartition(-scores, K)[:K]
        return best[np.argsort(-scores[best], kind="stable")]

    def by_torch() -> np.ndarray:
        scores = torch.addmv(torch_bias, torch_items, torch_user)
        scores[seen] = -torch.inf
        return torch.topk(scores, K).indices.numpy()

    methods: dict[str, Callable[[], Any]] = {
        READ: torch_items.sum,
        "guidedrec": lambda: index.best(user, seen, K)[0],
        "torch topk": by_torch,
        "numpy argpartition": partial_sort,
        "numpy argsort": lambda: np.argsort(-masked(), kind="stable")[:K],
    }
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    expected = methods["numpy argsort"]().tolist()
    with tempfile.TemporaryDirectory() as folder:
        arrays = {"items": items, "bias": bias, "user": user, "seen": seen}
        faiss = Faiss(python, problem, Path(folder), arrays, options.threads)
        for round_ in range(options.rounds):
            for name, method in methods.items():
                time.sleep(PAUSE)
                started = time.perf_counter()
                found = method()
                seconds[name].append(time.perf_counter() - started)
                assert name == READ or found.tolist() == expected, f"{name} found other items"
            if not faiss.problem:
                time.sleep(PAUSE)
                taken, found = faiss.search()
                seconds.setdefault(f"FAISS {faiss.version} IndexFlatIP", []).append(taken)
                assert round_ or found == expected, "FAISS found other items"
        faiss.close()
    return [row(n_items, name, seconds) for name in seconds]


def row(n_items: int, name: str, seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Summarise one method's rounds."""
    own, read = np.array(seconds[name]), np.array(seconds[READ])
    return {
        "items": n_items,
        "method": name,
        "median_ms": round(float(np.median(own)) * 1000, 3),
        "min_ms": round(float(own.min()) * 1000, 3),
        "gb_per_s": round(n_items * WIDTH * 4 / float(np.median(own)) / 1e9, 1),
        "median_to_read": round(float(np.median(own) / np.median(read)), 2),
        "min_to_read": round(float(own.min() / read.min()), 2),
    }


def all_users(options: argparse.Namespace) -> dict[str, Any]:
    """Time the exact ranks and the lists of all users of MovieTweetings."""
    dataset = import_dataset("movietweetings", options.data, "movietweetings", min_interactions=5)
    sequences = Sequences.of(dataset.interactions, dataset.users, dataset.items)
    cases = Split.of(sequences, SplitConfig(kind="leave-one-out")).cases(sequences, "test")
    model = make_base(EncoderConfig(kind="sasrec"), sequences.n_items, options.seed)
    work: dict[str, Callable[[], Any]] = {
        "ranks": lambda: target_ranks(model, sequences, cases),
        "lists of 10": lambda: top_lists(model, sequences, cases.users, cases.lengths, K),
    }
    seconds = {}
    for threads in sorted({1, options.threads}):
        torch.set_num_threads(threads)
        for name, task in work.items():
            seconds[f"{name}, {threads} thread{'s' * (threads > 1)}"] = summary([timed(task) for _ in range(7)])
    return {"users": len(cases), "items": sequences.n_items, "seconds": seconds}


def timed(task: Callable[[], Any]) -> float:
    """Return the seconds a task takes."""
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def summary(seconds: list[float]) -> dict[str, float]:
    """Return median and minimum of some seconds."""
    return {"median": round(float(np.median(seconds)), 3), "min": round(min(seconds), 3)}


if __name__ == "__main__":
    main()
