"""The program started by torchrun: two processes train one run, and only the first reads, writes and prints."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tiny

from guidedrec_core.runs.store import RunStore

CONFIG = {
    "encoder": {"width": 8, "heads": 2, "feedforward": 16, "max_length": 6, "dropout": 0, "item_dropout": 0},
    "training": {"max_epochs": 2, "batch_size": 15, "threads": 1, "device": "cpu", "precision": "float32"},
}


def program(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Call the program on two processes."""
    together = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    return subprocess.run(
        [*together, sys.executable, "-m", "guidedrec_core.cli.main", *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_two_processes_store_one_run_with_the_weights_of_one(
    call: Callable[..., Any], tiny_files: tiny.TinyFiles, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    weights = []
    for name in ("alone", "together"):
        home = tmp_path / name
        call("data", "import", "--format=csv", "--path", tiny_files.interactions, "--name=tiny", "--home", home)
        command = ("train", "tiny", "--config", config, "--home", home, "--json")
        if name == "alone":
            document = json.loads(call(*command).stdout)
        else:
            done = program(*command)
            assert done.returncode == 0, done.stderr
            document = json.loads(done.stdout)
            # One leader speaks; a training that ends within a second says nothing at all.
            assert done.stderr.count("pass 2 of at most 2") <= 1
        store = RunStore(home)
        assert [run.id for run in store.list("base")] == [document["run_id"]]
        weights.append(store.open(document["run_id"], "base").read_arrays("weights"))
    alone, together = weights
    assert alone.keys() == together.keys()
    for key, value in alone.items():
        # A key's bias shifts all of a row's logits alike: its gradient is rounding error, which Adam blows up.
        real = [*range(8), *range(16, 24)] if "query_key_value.bias" in key else slice(None)
        np.testing.assert_allclose(together[key][real], value[real], rtol=1e-5, atol=1e-5)


def test_what_goes_wrong_ends_both_with_one_line(tmp_path: Path) -> None:
    done = program("train", "nothing", "--home", tmp_path)
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert "no data set named 'nothing'" in line
