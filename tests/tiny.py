"""Tiny histories, configurations and models that several tests share."""

from typing import Any

import numpy as np

from guidedrec_core.config import EncoderConfig, TrainingConfig
from guidedrec_core.data.sequences import Sequences

ENCODER = EncoderConfig(width=8, heads=2, feedforward=16, max_length=6, dropout=0.1, item_dropout=0.1)
TRAINING = TrainingConfig(batch_size=4, threads=1, max_epochs=3, warmup_steps=4, learning_rate=0.01, patience=3)


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
