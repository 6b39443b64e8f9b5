"""GitHub's workflow does what CI does, and the audit's tools are pinned."""

import re

from deploy_files import DEPLOY, ROOT, workflow


def test_the_workflow_runs_what_ci_runs_and_nothing_of_its_own() -> None:
    runs = [step["run"] for job in workflow()["jobs"].values() for step in job["steps"] if "run" in step]
    assert runs == ["bash .ci/run", "make audit"]
    assert workflow()["permissions"] == {"contents": "read"}
    uses = [step["uses"] for job in workflow()["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", used) for used in uses), uses


def test_the_tools_of_the_audit_are_pinned_apart() -> None:
    lines = [line for line in (DEPLOY / "audit.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.]*", line) for line in lines), lines
    names = {line.split("==")[0].replace("_", "-") for line in lines}
    assert {"pip-audit", "pip-licenses", "cyclonedx-bom"} <= names
    pinned = (ROOT / "constraints.txt").read_text()
    assert not re.search(r"^(pip-audit|pip-licenses|cyclonedx-bom)==", pinned, re.MULTILINE)
