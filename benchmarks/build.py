"""How long a build takes from nothing, stage by stage, and how much memory: `python benchmarks/build.py fernway`.

Runs in a fresh home and a child process, so that imports count and the peak memory is the build's own. For MovieLens
name the folder or archive: `python benchmarks/build.py movielens-small --path ml-latest-small`. Prints one JSON
document with the machine and its load; ratios are to the base training, the share no recommender can do without.
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
from pathlib import Path

CHILD = """
import json, sys, time
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
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-c", CHILD, str(time.time()), options.name, options.path, home, options.config]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    report = json.loads(done.stdout)
    ends = dict(report.pop("marks"))
    names = list(ends)
    seconds = {n: ends[n] - (ends[names[i - 1]] if i else 0.0) for i, n in enumerate(names)}
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "data": options.name,
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "load_before": load},
        "seconds_to_first_case": round(ends["first case"], 1),
        "seconds": {n: round(s, 1) for n, s in seconds.items()},
        "ratio_to_base_training": {n: round(s / seconds["train base"], 2) for n, s in seconds.items()},
        "seconds_in_all": round(ends["project"], 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        # Linux counts in KiB, macOS in bytes.
        "peak_memory_gib": round(usage.ru_maxrss / (2**20 if sys.platform != "darwin" else 2**30), 2),
        **report,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    assert Path("sample_data").is_dir(), "run this from the repository's root"
    main()
