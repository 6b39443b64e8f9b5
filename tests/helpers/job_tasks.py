"""The tasks of test_jobs.py, and the module its job processes run (with this folder on PYTHONPATH)."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from guidedrec_core.errors import InputError
from guidedrec_core.progress import Listener, Progress

NAMES = ("work", "hang", "stubborn", "refuse", "crash", "threads")
TASKS = {name: f"job_tasks:{name}" for name in NAMES} | {"absent": "no_such_module:work"}


def work(arguments: dict[str, Any], home: Path, listener: Listener) -> str:
    print("hello from the task")
    listener(Progress("train base", 1, 2, "epoch 1", "validation NDCG@10 0.081", 3.5))
    listener(Progress("evaluate", 4, 9, "users"))
    return f"{home.name}-{arguments['name']}"


def hang(arguments: dict[str, Any], home: Path, listener: Listener) -> str:
    """Hang until the file `go` appears in the home, with a helper process; then finish."""
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (home / "helper").write_text(str(helper.pid))
    listener(Progress("train base", 3, 40, "epoch 3"))
    while not (home / "go").exists():
        time.sleep(0.02)
    helper.kill()
    return "finished"


def stubborn(arguments: dict[str, Any], home: Path, listener: Listener) -> str:
    """Swallow whatever is raised, as a careless library might; only the listener can stop it."""
    step = 0
    while True:
        step += 1
        listener(Progress("train base", step))
        try:
            time.sleep(0.05)
        except Exception as error:
            print("swallowed", repr(error))


def refuse(arguments: dict[str, Any], home: Path, listener: Listener) -> str:
    raise InputError("expected a data set, got none; import one")


def crash(arguments: dict[str, Any], home: Path, listener: Listener) -> str:
    listener(Progress("train base", 1, 5))
    raise ZeroDivisionError("a bug")


def threads(arguments: dict[str, Any], home: Path, listener: Listener) -> str:
    """Say how this process's threads wait, and whether PyTorch was loaded before that was decided."""
    return f"{os.environ.get('OMP_WAIT_POLICY')}, torch loaded: {'torch' in sys.modules}"


if __name__ == "__main__":
    from guidedrec_core.jobs.worker import main

    sys.exit(main(Path(sys.argv[1]), TASKS))
