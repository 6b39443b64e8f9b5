"""How training time and memory grow with the catalogue and the number of interactions, for base and refined model.

`python benchmarks/scaling.py` trains one epoch of two models, both of 64 numbers an item, by sampled softmax, with
validation on a sample of users by exact full ranking: SASRec (`base`), and the additive refined model over 16
attributes and 48 reduced dimensions (`refined`). Histories are synthetic: 10^4 items x 10^5 interactions, 10^5 x 10^6
and 10^6 x 10^7, items drawn by Zipf's law, scores of attributes by chance. Every training has a process of its own.
Printed are the slopes of log time and log memory against log size, where 1 is linear, and the refined model's ratio to
the base. Time is that of the epoch with its validation, after a small training to warm up and without making the data;
CPU seconds are those of all threads, which other work on the machine lengthens less. `--quick` leaves out the largest
size and writes nothing.
"""

import argparse
import json
import multiprocessing
import resource
import time
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd

SIZES = ((10_000, 100_000), (100_000, 1_000_000), (1_000_000, 10_000_000))
WIDTH, USER_LENGTH, N_ATTRIBUTES = 64, 10, 16
ARMS = ("base", "refined")
MEASURED = ("epoch_seconds", "training_seconds", "cpu_seconds", "peak_gib")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="up to 10^5 items only; the result is not kept")
    parser.add_argument("--loss", default="sampled", help="objective")
    parser.add_argument("--negatives", type=int, default=256)
    parser.add_argument("--validation-cases", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "scaling.json")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "benchmark": "scaling",
        "machine": machine.facts("numpy", "torch"),
        **{name: getattr(options, name) for name in ("loss", "negatives", "validation_cases", "threads", "seed")},
        "width": WIDTH,
        "attributes": N_ATTRIBUTES,
    }
    # Each training in a fresh process: the peak of memory is that of a process's whole life.
    context = multiprocessing.get_context("spawn")
    rows: list[dict[str, Any]] = []
    for n_items, n_interactions in SIZES[: 2 if options.quick else 3]:
        for arm in ARMS:
            with context.Pool(1) as pool:
                rows.append(pool.apply(measure, (arm, n_items, n_interactions, options)))
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    result["sizes"] = rows
    result["slopes"] = {arm: slopes([row for row in rows if row["arm"] == arm]) for arm in ARMS}
    result["refined_to_base"] = ratios(rows)
    print(pd.DataFrame(result["slopes"]).to_string(float_format="{:.3f}".format))
    print(pd.DataFrame(result["refined_to_base"]).to_string(index=False))
    if options.quick:
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written to {options.out}")


def slopes(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the slope of each figure of one arm against the number of interactions, both in logarithms."""
    return {f"slope of {name}": slope(rows, name) for name in MEASURED}


def slope(rows: list[dict[str, Any]], name: str) -> float:
    """Return the slope of the least-squares line through the logarithms."""
    sizes = np.log([row["interactions"] for row in rows])
    return round(float(np.polyfit(sizes, np.log([row[name] for row in rows]), 1)[0]), 4)


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the refined model's figures divided by the base's, size by size."""
    by_size: dict[int, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_size.setdefault(row["items"], {})[row["arm"]] = row
    return [
        {"items": items, **{name: round(arms["refined"][name] / arms["base"][name], 3) for name in MEASURED}}
        for items, arms in by_size.items()
    ]


def make_model(arm: str, n_items: int, seed: int) -> Any:
    """Create an untrained model of an arm; the refined one has random scores and starts from a random embedding."""
    from guidedrec_core.config import EncoderConfig, RefinementConfig
    from guidedrec_core.models.registry import make_base, make_encoder
    from guidedrec_core.refinement.additive import AdditiveRefinedModel
    from guidedrec_core.refinement.guided import GuidedEmbedding

    encoder = EncoderConfig(width=WIDTH)
    if arm == "base":
        return make_base(encoder, n_items, seed)
    rng = np.random.default_rng(seed)
    guided = GuidedEmbedding.of(rng.standard_normal((n_items, N_ATTRIBUTES), dtype=np.float32))
    reduced = 0.1 * rng.standard_normal((n_items, WIDTH - N_ATTRIBUTES), dtype=np.float32)
    bias = np.zeros(n_items, dtype=np.float32)
    model = AdditiveRefinedModel(make_encoder(encoder, seed), guided, reduced, bias, RefinementConfig())
    model.initialise(seed)
    return model


def measure(arm: str, n_items: int, n_interactions: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train one epoch of one arm at one size."""
    from guidedrec_core.config import EncoderConfig, TrainingConfig
    from guidedrec_core.data.sequences import TrainingWindows
    from guidedrec_core.data.split import Cases
    from guidedrec_core.ranking.ranks import ndcg_at, target_ranks
    from guidedrec_core.training.device import resolve_device
    from guidedrec_core.training.loop import train

    rng = np.random.default_rng(options.seed)
    sequences = zipf_histories(rng, n_items, n_interactions)
    config = resolve_device(
        TrainingConfig(loss=options.loss, negatives=options.negatives, max_epochs=1, threads=options.threads)
    )
    encoder = EncoderConfig(width=WIDTH)
    n_train = sequences.lengths - 1
    users = np.sort(rng.choice(sequences.n_users, min(options.validation_cases, sequences.n_users), replace=False))
    cases = Cases(users, n_train[users], sequences.items[sequences.starts[users + 1] - 1], 0, 0)
    model = make_model(arm, n_items, options.seed)
    windows = TrainingWindows(sequences, n_train, encoder.max_length, config.batch_size)
    validation = []

    def validate() -> float:
        started = time.perf_counter()
        ndcg = float(ndcg_at(target_ranks(model, sequences, cases), 10).mean())
        validation.append(time.perf_counter() - started)
        return ndcg

    few = zipf_histories(rng, 1000, 3000)
    few_windows = TrainingWindows(few, few.lengths, encoder.max_length, config.batch_size)
    train(make_model(arm, 1000, options.seed), few_windows, lambda: 0.0, config, options.seed, "warm up")
    started, cpu_started = time.perf_counter(), time.process_time()
    result = train(model, windows, validate, config, options.seed, "scaling")
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return {
        "arm": arm,
        "items": n_items,
        "interactions": n_interactions,
        "users": sequences.n_users,
        "device": config.device,
        "epoch_seconds": round(seconds, 3),
        "training_seconds": round(seconds - sum(validation), 3),
        "validation_seconds": round(sum(validation), 3),
        "cpu_seconds": round(cpu_seconds, 3),
        "microseconds_a_target": round((seconds - sum(validation)) / windows.n_targets * 1e6, 2),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 3),
        "loss": round(result.epochs[0].loss, 4),
        "ndcg": round(result.epochs[0].ndcg, 5),
    }


def zipf_histories(rng: np.random.Generator, n_items: int, n_interactions: int) -> Any:
    """Draw histories of equal mean length whose items follow Zipf's law; ids say nothing about popularity."""
    from guidedrec_core.data.sequences import Sequences

    n_users = n_interactions // USER_LENGTH
    # Every user has 3 interactions at least, and the rest falls where it falls.
    extra = rng.multinomial(n_interactions - 3 * n_users, np.full(n_users, 1 / n_users))
    below = np.cumsum(1 / np.arange(1.0, n_items + 1))
    ranks = np.searchsorted(below / below[-1], rng.random(n_interactions))
    items = rng.permutation(n_items)[np.minimum(ranks, n_items - 1)]
    starts = np.concatenate([[0], np.cumsum(extra + 3)]).astype(np.int64)
    return Sequences(items.astype(np.int64), starts, np.arange(n_interactions, dtype=np.int64), n_items)


if __name__ == "__main__":
    main()
