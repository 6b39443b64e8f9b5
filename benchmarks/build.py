"""How long a build takes from nothing, stage by stage, and how much memory: `python benchmarks/build.py fernway`.

Runs in a fresh home and a child process, so that imports count and the peak memory is the build's own: once alone, and
once next to busy processes (`--busy`, one by default), as a build has a browser next to it. For MovieLens name the
folder or archive: `python benchmarks/build.py movielens-small --path ml-latest-small`. Other threads are a setting
(`--config '{"training": {"threads": 2}}'`), and how they wait an environment variable (`OMP_WAIT_POLICY`; asleep, as
jobs and the command line have it, when it is not set). Prints one JSON document with the machine and its load; ratios
are to the base training, the share no recommender can do without.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHILD = """
import json, sys, time
from guidedrec_core.training.threads import wait_passively
wait_passively()
started = float(sys.argv[1])
from pathlib import Path
from guidedrec_core import stages
from guidedrec_core.cases.case import build_case
from guidedrec_core.config import BuildConfig
from guidedrec_core.data.bundled import build_settings
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore

name, path, home, config = sys.argv[2:6]
store = RunStore(Path(home))
config = BuildConfig.parse({**build_settings(name), **json.loads(config)})
marks = [("import packages", time.time() - started)]
if path:
    stages.store_dataset(store, import_dataset("movielens", path, name, min_interactions=5))
data = stages.find_data(store, name)
scores = stages.find_scores(store, data)
marks.append(("read data and scores", time.time() - started))
base = stages.train_base(store, data, config)
marks.append(("train base", time.time() - started))
refined = stages.refine(store, base, scores, config)
marks.append(("refine", time.time() - started))
system = open_refined(store, refined.id)
build_case(system, system.data.dataset.users.id(0))
marks.append(("first case", time.time() - started))
evaluation = stages.evaluate(store, refined, config)
marks.append(("controls and evaluation", time.time() - started))
stages.project_items(store, refined, config)
marks.append(("project", time.time() - started))
metrics = evaluation.read_table("metrics")
differences = evaluation.read_table("differences")
print(json.dumps({
    "marks": marks,
    "epochs": {r: store.open(evaluation.inputs[r]).summary["epochs"] for r in evaluation.inputs},
    "metrics": metrics.to_dict("records"),
    "differences": differences.to_dict("records"),
    "cases": evaluation.summary,
}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="data set, e.g. fernway or movielens-small")
    parser.add_argument("--path", default="", help="MovieLens folder or archive to import first")
    parser.add_argument("--config", default="{}", help="BuildConfig as JSON")
    parser.add_argument("--busy", type=int, default=1, help="busy processes of the second build; 0 leaves it out")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    times, report = measure(options)
    result = {
        "data": options.name,
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "load_before": load},
        "wait_policy": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        **times,
    }
    if options.busy:
        with busy_processes(options.busy):
            beside, _ = measure(options)
        ratio = beside["seconds_to_first_case"] / times["seconds_to_first_case"]
        result["next_to_busy_processes"] = {"processes": options.busy, **beside, "ratio_to_alone": round(ratio, 2)}
    print(json.dumps({**result, **report}, indent=2))


def measure(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build once in a home of its own; return times and memory, and what came out."""
    with tempfile.TemporaryDirectory() as home:
        output, usage = run(CHILD, str(time.time()), options.name, options.path, home, options.config)
    report = json.loads(output)
    ends = dict(report.pop("marks"))
    names = list(ends)
    seconds = {n: ends[n] - (ends[names[i - 1]] if i else 0.0) for i, n in enumerate(names)}
    times = {
        "seconds_to_first_case": round(ends["first case"], 1),
        "seconds": {n: round(s, 1) for n, s in seconds.items()},
        "ratio_to_base_training": {n: round(s / seconds["train base"], 2) for n, s in seconds.items()},
        "seconds_in_all": round(ends["project"], 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        # Linux counts in KiB, macOS in bytes.
        "peak_memory_gib": round(usage.ru_maxrss / (2**20 if sys.platform != "darwin" else 2**30), 2),
    }
    return times, report


def run(code: str, *arguments: str) -> tuple[str, resource.struct_rusage]:
    """Run code in a process of its own; return what it printed, and its own use of CPU and memory."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        output.seek(0)
        return output.read(), usage


@contextmanager
def busy_processes(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep some processes computing as long as the context lasts."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    assert Path("sample_data").is_dir(), "run this from the repository's root"
    main()
