"""Threads sleep while they wait: decided before PyTorch is loaded, in programs and not in the library."""

import os
import subprocess
import sys

import pytest

from guidedrec_core.config import TrainingConfig
from guidedrec_core.training.threads import wait_passively

WATCHED = """
import os, sys

class Watch:
    def find_spec(self, name, *rest):
        if name == "torch":
            print("torch is loaded with", os.environ.get("OMP_WAIT_POLICY"), file=sys.stderr)

sys.meta_path.insert(0, Watch())
"""
PROGRAM = WATCHED + "from guidedrec_core.cli.main import main\nmain(['doctor'])"
LIBRARY = WATCHED + "import guidedrec_core.training.loop"


@pytest.mark.parametrize(
    ("code", "given", "policy"),
    [(PROGRAM, None, "PASSIVE"), (PROGRAM, "ACTIVE", "ACTIVE"), (LIBRARY, None, "None")],
)
def test_the_policy_stands_before_torch_is_loaded(code: str, given: str | None, policy: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if given is not None:
        environment["OMP_WAIT_POLICY"] = given
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert f"torch is loaded with {policy}\n" in done.stderr


def test_a_policy_of_the_user_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_the_number_of_threads_does_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert TrainingConfig().threads == 1
