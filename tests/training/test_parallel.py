"""Training on two processes, as torchrun starts them, against one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny import ENCODER, TRAINING, random_histories, sequences_of

from guidedrec_core.data.sequences import Batch, TrainingWindows
from guidedrec_core.models.registry import make_base
from guidedrec_core.randomness import generator
from guidedrec_core.training import parallel
from guidedrec_core.training.loop import train

N_ITEMS = 20
SEQUENCES = sequences_of(random_histories(np.random.default_rng(4), 29, N_ITEMS, 15), N_ITEMS)
QUIET = ENCODER.model_copy(update={"dropout": 0.0, "item_dropout": 0.0})
# So few windows in a batch leave the two processes unequal shares, and now and then one of them none.
CONFIG = TRAINING.model_copy(update={"max_epochs": 2, "batch_size": 2})

PROCESS = """
import os, sys
from pathlib import Path
import test_parallel as t
from safetensors.torch import save_file
from guidedrec_core.training import parallel
from guidedrec_core.training.loop import follow

parallel.join()
if parallel.rank():
    if sys.argv[2] == "die":
        os._exit(3)
    follow()
else:
    for name, weights in t.outcomes().items():
        save_file(weights, Path(sys.argv[1]) / name)
    parallel.broadcast(None)
parallel.leave()
"""


def outcomes() -> dict[str, dict[str, torch.Tensor]]:
    """Train by all items, and by a sample that is all items, whoever draws it."""
    results = {}
    for loss in ("softmax", "gbce"):
        model = make_base(QUIET, N_ITEMS, 0)
        windows = TrainingWindows(SEQUENCES, SEQUENCES.lengths, QUIET.max_length, CONFIG.batch_size)
        # With one other item to draw from, every process draws the same.
        config = CONFIG.model_copy(update={"loss": loss})
        if loss == "gbce":
            model = make_base(QUIET, 2, 0)
            two = sequences_of([[i % 2 for i in h] for h in random_histories(np.random.default_rng(1), 29, 20, 15)], 2)
            windows = TrainingWindows(two, two.lengths, QUIET.max_length, CONFIG.batch_size)
        sizes = [len(batch.users) for batch in windows.epoch(generator(0, "batches", 1))]
        assert {1, 3} <= set(sizes)
        train(model, windows, lambda: 0.5, config, 0, "train")
        results[loss] = {name: value.clone() for name, value in model.state_dict().items()}
    return results


def run_together(folder: Path, way: str = "live") -> subprocess.CompletedProcess[str]:
    script = folder / "process.py"
    script.write_text(PROCESS)
    tests = Path(__file__).parents[1]
    path = os.pathsep.join(map(str, (tests / "training", tests / "helpers", tests.parent)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    return subprocess.run(
        [*command, str(folder), way],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_two_processes_give_the_weights_of_one(tmp_path: Path) -> None:
    done = run_together(tmp_path)
    assert done.returncode == 0, done.stderr
    for name, alone in outcomes().items():
        together = load_file(tmp_path / name)
        for key, value in alone.items():
            # A key's bias shifts all of a row's logits alike: its gradient is rounding error, which Adam blows up.
            real = [*range(8), *range(16, 24)] if "query_key_value.bias" in key else slice(None)
            torch.testing.assert_close(together[key][real], value[real], rtol=1e-5, atol=1e-5)


def test_a_process_that_dies_ends_the_other_with_a_clear_error(tmp_path: Path) -> None:
    done = run_together(tmp_path, "die")
    assert done.returncode != 0
    assert "exitcode  : 3" in done.stderr
    assert not (tmp_path / "softmax").exists()


def test_one_process_has_the_whole_batch_and_all_sums() -> None:
    batch = Batch(np.array([1]), np.array([[1, 2]]), [np.empty(0, np.int64)])
    assert parallel.shard(batch) is batch
    assert parallel.all_reduce(1.5, 2.0) == (1.5, 2.0)
    assert (parallel.size(), parallel.rank(), parallel.broadcast("said")) == (1, 0, "said")


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_shards_cover_a_batch_once(rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "size", lambda: 3)
    monkeypatch.setattr(parallel, "rank", lambda: rank)
    prefixes = [np.array([n]) for n in range(4)]
    part = parallel.shard(Batch(np.arange(4), np.arange(8).reshape(4, 2), prefixes))
    assert part.users.tolist() == list(range(rank, 4, 3))
    assert part.item_seq[:, 0].tolist() == [2 * n for n in part.users]
    assert [int(p[0]) for p in part.prefixes] == part.users.tolist()
