"""What the quick commands load: not timed, because a busy machine would decide, but counted."""

import subprocess
import sys
from pathlib import Path

import pytest
import tiny

from guidedrec_core.runs.store import RunStore

# Each takes a tenth of a second or more to import, or brings something that does.
HEAVY = {
    *("numpy", "pandas", "pyarrow", "scipy", "sklearn", "torch", "numba", "shap", "umap"),
    *("plotly", "streamlit", "openai", "httpx2", "safetensors", "sqlalchemy", "alembic", "psycopg"),
}
COMPUTES = HEAVY - {"numpy", "pandas", "pyarrow"}  # what reading tables and runs does not need
CALL = """
import sys
from guidedrec_core.cli.main import main
try:
    main(sys.argv[1:], prog_name="guidedrec")
except SystemExit as end:
    assert not end.code, end.code
print(*sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


def modules_of(*arguments: str) -> tuple[str, set[str]]:
    """Call the program; return what it says, and the top-level modules that are loaded at its end."""
    command = [sys.executable, "-c", CALL, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("score", "--help"), ("runs", "list", "--help")])
def test_help_waits_for_no_configuration_and_no_data(arguments: tuple[str, ...]) -> None:
    _, modules = modules_of(*arguments)
    assert "click" in modules
    assert modules & (HEAVY | {"pydantic"}) == set()


def test_listing_runs_reads_manifests_only(own_home: Path) -> None:
    with RunStore(own_home).create("data", config={"name": "tiny"}) as writer:
        writer.summary.update(users=3)
    said, modules = modules_of("runs", "list")
    assert writer.run.id in said
    assert modules & HEAVY == set()


def test_a_command_with_settings_loads_them_for_its_own_help() -> None:
    said, modules = modules_of("build", "--help")
    assert "--width INTEGER" in said
    assert "pydantic" in modules
    assert modules & HEAVY == set()


def test_importing_data_and_listing_its_scores_load_no_model(own_home: Path, tiny_files: tiny.TinyFiles) -> None:
    arguments = ("--format", "csv", "--path", str(tiny_files.interactions), "--name", "shop")
    scores = ("--attributes", str(tiny_files.scores.attributes), "--item-scores", str(tiny_files.scores.item_scores))
    for command in (
        ("data", "import", *arguments, "--items", str(tiny_files.catalogue)),
        ("data", "describe", "shop"),
        ("data", "list"),
        ("score", "shop", *scores),
        ("score", "shop", "--status"),
    ):
        said, modules = modules_of(*command)
        assert "shop" in said
        assert modules & COMPUTES == set(), command
