"""Files in `deploy/` are well formed by the measure of their makers, where no daemon can try them."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_files import DEPLOY, DOCUMENTS, ROOT


def program(name: str) -> str:
    """Return a program of this environment."""
    found = Path(sysconfig.get_path("scripts")) / name
    if not found.exists():
        pytest.fail(f"{name} is missing; pip install -e '.[test]' -c constraints.txt")
    return str(found)


def checked(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint comes for Linux and macOS")
def test_hadolint_has_nothing_to_say_about_the_dockerfile() -> None:
    checked(program("hadolint"), "--failure-threshold", "info", DEPLOY / "Dockerfile")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.compose-spec", DEPLOY / "compose.yaml"),
        ("vendor.compose-spec", DEPLOY / "compose.oidc.yaml"),
        ("vendor.github-workflows", ROOT / ".github/workflows/ci.yml"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_yaml_files_follow_the_schema_of_their_makers(schema: str, path: Path) -> None:
    checked(program("check-jsonschema"), "--builtin-schema", schema, path)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_yaml_file_can_be_read_and_names_no_key_twice(path: Path) -> None:
    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"{path.name}, line {node.start_mark.line + 1}: {keys}"
            return super().construct_mapping(node, deep)

    assert list(yaml.load_all(path.read_text(encoding="utf-8"), Strict))
