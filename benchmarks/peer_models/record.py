"""What the script of every library shares: the split, ranking, patience and the CPU budget. Needs numpy alone.

A script trains one model with one seed: `python run_x.py --split split.npz --model sasrec --seed 0 --out FOLDER ...`.
It leaves in the folder `record.json` (one entry an epoch) and `test_scores.npy`, the scores of the epoch that was best
on the validation part. Ranks of the test part are taken from these by the benchmark, alike for all.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Split:
    """Leave-one-out: of each user's history the last item is test, the one before it validation.

    ``items[starts[u]:starts[u + 1]]`` is user u's history as item indexes in time order.
    """

    def __init__(self, path: str) -> None:
        with np.load(path) as arrays:
            self.items, self.starts, self.n_items = arrays["items"], arrays["starts"], int(arrays["n_items"])
        self.n_users = len(self.starts) - 1

    def history(self, user: int, part: str) -> np.ndarray:
        """Return the items a model may see when it predicts a part; for "valid" these are the training items."""
        return self.items[self.starts[user] : self.starts[user + 1] - (2 if part == "valid" else 1)]

    def targets(self, part: str) -> np.ndarray:
        """Return each user's held-out item."""
        return self.items[self.starts[1:] - (2 if part == "valid" else 1)]

    def pairs(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Return user and item index of everything seen before a part, user after user in time order."""
        histories = [self.history(user, part) for user in range(self.n_users)]
        return np.repeat(np.arange(self.n_users), [len(h) for h in histories]), np.concatenate(histories)

    def ranks(self, scores: np.ndarray, part: str) -> np.ndarray:
        """Rank the held-out items among all unseen ones by ``scores [n_users, n_items]``; ties by item index."""
        scores = scores.copy()
        scores[self.pairs(part)] = -np.inf
        targets = self.targets(part)
        own = scores[np.arange(self.n_users), targets][:, None]
        tied_before = (scores == own) & (np.arange(self.n_items) < targets[:, None])
        return 1 + (~(scores <= own)).sum(axis=1) + tied_before.sum(axis=1)


class Record:
    """Notes every epoch's CPU seconds and validation NDCG@10 and says when to stop.

    Scoring and ranking are not counted into an epoch's seconds.
    """

    def __init__(self) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("--split", required=True)
        parser.add_argument("--model", required=True)
        parser.add_argument("--seed", type=int, required=True)
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--threads", type=int, required=True)
        parser.add_argument("--patience", type=int, required=True)
        parser.add_argument("--max-epochs", type=int, required=True)
        parser.add_argument("--cpu-budget", type=float, required=True)
        parser.add_argument("--config", type=json.loads, default={})
        self.options = parser.parse_args()
        self.split = Split(self.options.split)
        self.epochs: list[dict[str, float]] = []
        self.best_epoch = 0
        self.stopped = ""
        self._started = time.process_time()

    def start(self) -> None:
        """Begin an epoch, if preparations came since the last one that belong to none."""
        self._started = time.process_time()

    def epoch(self, scores: Callable[[str], np.ndarray]) -> bool:
        """End an epoch; return whether to go on.

        ``scores("valid")`` and ``scores("test")`` give ``[n_users, n_items]`` of the model as it is.
        """
        seconds = time.process_time() - self._started
        ranks = self.split.ranks(scores("valid"), "valid")
        ndcg = float(np.where(ranks <= 10, 1 / np.log2(ranks + 1.0), 0).mean())
        if not self.epochs or ndcg > max(e["ndcg"] for e in self.epochs):
            self.best_epoch = len(self.epochs) + 1
            np.save(self.options.out / "test_scores.npy", scores("test").astype(np.float32))
        self.epochs.append({"cpu_seconds": seconds, "ndcg": ndcg})
        print(f"epoch {len(self.epochs)}: {seconds:.1f} CPU s, validation NDCG@10 {ndcg:.4f}", flush=True)
        if len(self.epochs) - self.best_epoch >= self.options.patience:
            self.stopped = "patience"
        elif len(self.epochs) >= self.options.max_epochs:
            self.stopped = "largest number of epochs"
        elif sum(e["cpu_seconds"] for e in self.epochs) >= self.options.cpu_budget:
            self.stopped = "CPU budget"
        self._started = time.process_time()
        return not self.stopped

    def finish(self, **facts: Any) -> None:
        """Write the record; facts are settings and versions worth knowing."""
        content = {"epochs": self.epochs, "best_epoch": self.best_epoch, "stopped": self.stopped or "done", **facts}
        (self.options.out / "record.json").write_text(json.dumps(content))
