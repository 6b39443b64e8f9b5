"""Tiny histories, configurations, models and a tiny shop that several tests share."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guidedrec_core.config import BuildConfig, EncoderConfig, EvaluationConfig, TrainingConfig
from guidedrec_core.data.bundled import ScoreFiles
from guidedrec_core.data.sequences import Sequences

ENCODER = EncoderConfig(width=8, heads=2, feedforward=16, max_length=6, dropout=0.1, item_dropout=0.1)
TRAINING = TrainingConfig(
    batch_size=4,
    threads=1,
    max_epochs=3,
    warmup_steps=4,
    learning_rate=0.01,
    patience=3,
    device="cpu",
    precision="float32",
)


def sequences_of(histories: list[list[int]], n_items: int, times: list[list[int]] | None = None) -> Sequences:
    """Index histories given as lists; without times, interactions are one second apart, user after user."""
    lengths = [len(h) for h in histories]
    total = sum(lengths)
    flat_times = np.arange(total) * 1_000_000 if times is None else np.array([t for ts in times for t in ts])
    return Sequences(
        items=np.array([i for h in histories for i in h], dtype=np.int64),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        times=flat_times.astype(np.int64),
        n_items=n_items,
    )


def random_histories(rng: np.random.Generator, n_users: int, n_items: int, longest: int) -> list[list[int]]:
    """Draw histories of 1 to `longest` different items."""
    return [rng.permutation(n_items)[: rng.integers(1, longest + 1)].tolist() for _ in range(n_users)]


def arrays(histories: list[Any]) -> list[np.ndarray]:
    """Turn lists into the arrays models take."""
    return [np.array(h, dtype=np.int64) for h in histories]


@dataclass(frozen=True)
class TinyFiles:
    """Where a tiny shop's files lie, as a user would bring them."""

    interactions: Path
    catalogue: Path
    scores: ScoreFiles


CONFIG = BuildConfig(
    encoder=EncoderConfig(width=16, heads=2, feedforward=16, max_length=10),
    training=TrainingConfig(threads=1, max_epochs=3, warmup_steps=4, batch_size=16),
    evaluation=EvaluationConfig(bootstrap_samples=100),
)
"""A build of the tiny shop takes seconds, most of them for compiling UMAP."""

HOSTILE_TITLE = "<b>Tent</b> & *stove* $5 $6 [link](https://example.org) :material/home:"
UNICODE_USER = "Zoë 7"
ATTRIBUTES = ("warmth", "style_focus", "ruggedness")


def write_shop(folder: Path, n_users: int = 60, n_items: int = 40, seed: int = 0) -> TinyFiles:
    """Write a shop whose users each prefer one end of one attribute; one id and one title are awkward on purpose."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    scores = rng.integers(0, 11, (n_items, len(ATTRIBUTES))).astype(float)
    scores[1, 0] = np.nan
    items = [f"item-{n:02d}" for n in range(n_items)]
    rows = []
    for user in range(n_users):
        taste = np.nan_to_num(scores[:, user % 3] - 5) * (1 if user % 2 else -1) * 0.4
        likely = np.exp(taste) / np.exp(taste).sum()
        chosen = rng.choice(n_items, size=int(rng.integers(6, 14)), replace=False, p=likely)
        name = UNICODE_USER if user == 7 else f"user-{user:02d}"
        rows += [(name, items[i], f"2026-0{1 + day // 28}-{1 + day % 28:02d}") for day, i in enumerate(chosen)]
    pd.DataFrame(rows, columns=["user_id", "item_id", "datetime"]).to_csv(folder / "interactions.csv", index=False)
    titles = [HOSTILE_TITLE, *(f"Thing number {n}" for n in range(1, n_items))]
    pd.DataFrame(
        {
            "item_id": items,
            "title": titles,
            "category": [("tents", "stoves", "socks")[n % 3] for n in range(n_items)],
            "price": np.round(rng.uniform(5, 90, n_items), 2),
            "description": [f"What thing {n} is for." for n in range(n_items)],
        }
    ).to_csv(folder / "catalogue.csv", index=False)
    table = pd.DataFrame(scores, columns=list(ATTRIBUTES))
    table.insert(0, "item_id", items)
    table.to_csv(folder / "scores.csv", index=False)
    ends = [{"name": a, "low": f"little {a}", "high": f"much {a}"} for a in ATTRIBUTES]
    (folder / "attributes.json").write_text(json.dumps({"domain": "things", "attributes": ends}))
    files = ScoreFiles(folder / "attributes.json", folder / "scores.csv", None)
    return TinyFiles(folder / "interactions.csv", folder / "catalogue.csv", files)
