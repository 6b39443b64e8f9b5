"""The examples in `deploy/`, read as what they are."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
HEALTH = "/_stcore/health"
PORT = 8501
_FILLED_IN = ("deploy/.env", "deploy/kubernetes/secret.yaml", "deploy/import/")
"""What git ignores: settings of whoever deploys from this checkout."""
FILES = sorted(
    path
    for path in DEPLOY.rglob("*")
    if path.is_file() and not path.relative_to(ROOT).as_posix().startswith(_FILLED_IN)
)
DOCUMENTS = sorted(path for path in FILES if path.suffix == ".yaml")


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def compose() -> dict[str, Any]:
    return documents(DEPLOY / "compose.yaml")[0]


def kubernetes() -> dict[str, Any]:
    """Return the documents of the manifests by kind and name."""
    files = [path for path in DOCUMENTS if path.parent.name == "kubernetes"]
    found = [document for path in files for document in documents(path)]
    return {f"{one['kind']}/{one.get('metadata', {}).get('name', '')}": one for one in found}


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def last_stage() -> dict[str, list[str]]:
    """Return the instructions of the stage that is shipped."""
    found: dict[str, list[str]] = {}
    for name, rest in dockerfile():
        if name == "FROM":
            found = {}
        found.setdefault(name, []).append(" ".join(rest.split()))
    return found


def unit(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def workflow() -> dict[str, Any]:
    return documents(ROOT / ".github" / "workflows" / "ci.yml")[0]
