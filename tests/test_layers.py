"""The layer rule: imports point downward only, light modules stay light, and only the app knows Streamlit."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import guidedrec_core

ROOT = Path(guidedrec_core.__file__).parent
REPOSITORY = ROOT.parent

# Modules and packages by layer, lowest first. A new module belongs in here, in the lowest layer it fits.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("__init__", "columns", "errors", "config", "randomness", "progress", "reduction"),
    ("data", "runs", "run_files", "run_manifest", "processes", "llm_client", "llm_address", "llm_protocol"),
    ("models", "attributes", "refinement", "text_vectors"),
    ("ranking", "retrieval", "system", "recommend", "evaluation", "explanation", "projection"),
    ("pipeline", "cases", "item_view", "preview", "item_search", "item_map", "library", "jobs", "job_worker"),
    ("figures", "cli", "ui"),
)
# These must not import one another, though they share a layer: the app puts them together.
STRANGERS = ("models", "attributes", "refinement")
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
HEAVY = ("torch", "openai", "shap", "umap", "plotly", "streamlit")
# Only the simulator, which makes it, and the evaluation of planted truths may know where the truth lies.
KNOWS_THE_TRUTH = ("data/fernway.py", "data/fernway_simulator.py", "evaluation/planted.py")

MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def part_of(module: Path) -> str:
    """Name the module or package of the table that a file belongs to."""
    return module.parts[0].removesuffix(".py")


def imported(path: Path, package: str) -> Iterator[str]:
    """Yield the full name of all that a file imports anywhere, with `from a import b` as ``a.b``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def parts_imported(module: Path) -> set[str]:
    """Name the parts of this package that one of its files imports."""
    package = ".".join(["guidedrec_core", *module.parts[:-1]])
    names = [n.split(".")[1] for n in imported(ROOT / module, package) if n.startswith("guidedrec_core.")]
    # What is no module is a name defined in the package root, such as `__version__`.
    exists = {part_of(m) for m in MODULES}
    return {name if name in exists else "__init__" for name in names}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_a_layer_and_imports_downward_only(module: Path) -> None:
    own = part_of(module)
    assert own in LAYER_OF, f"{module}: add {own!r} to LAYERS"
    for other in parts_imported(module) - {own}:
        assert other in LAYER_OF, f"{module} imports {other!r}, which has no layer"
        assert LAYER_OF[other] <= LAYER_OF[own], f"{module} (layer {LAYER_OF[own]}) imports {other!r} from above"
        if own in STRANGERS:
            assert other not in STRANGERS, f"{module} imports {other!r} of the same layer"


def test_the_check_sees_all_forms_of_import(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "import torch.nn\nfrom guidedrec_core import jobs\nfrom guidedrec_core.models.base import Recommender\n"
        "from . import ui\nfrom .cli import main\nfrom ..data.split import Split\n"
        "def late():\n    import streamlit as st\n    return st\n"
    )
    assert set(imported(file, "guidedrec_core.models")) == {
        "torch.nn",
        "guidedrec_core.jobs.jobs",
        "guidedrec_core.models.base.Recommender",
        "guidedrec_core.models.ui",
        "guidedrec_core.models.cli.main",
        "guidedrec_core.data.split.Split",
        "streamlit",
    }


def test_only_the_client_imports_openai() -> None:
    users = [m for m in MODULES if any(n.split(".")[0] == "openai" for n in imported(ROOT / m, "guidedrec_core"))]
    assert [str(module) for module in users] == ["llm_client.py"]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_only_the_app_imports_streamlit(module: Path) -> None:
    uses = any(name.split(".")[0] == "streamlit" for name in imported(ROOT / module, "guidedrec_core"))
    assert not uses or part_of(module) == "ui"


def test_the_lower_layers_load_nothing_heavy() -> None:
    names = [
        ".".join(["guidedrec_core", *module.with_suffix("").parts]).removesuffix(".__init__")
        for module in MODULES
        if LAYER_OF.get(part_of(module), 9) <= 1
    ]
    assert "guidedrec_core.data.sequences" in names
    check = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("module", [m for m in MODULES if str(m) not in KNOWS_THE_TRUTH], ids=str)
def test_nobody_reads_the_planted_truth(module: Path) -> None:
    """No text in the code, docstrings aside, may name the folder or its files."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
    secrets = ("truth/", "design_truth.csv", "shopper_weights", "purchase_parts")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docstrings:
            assert node.value != "truth"
            assert not any(secret in node.value for secret in secrets), node.value


def test_the_pages_leave_the_truth_alone_too() -> None:
    files = [*(REPOSITORY / "pages").glob("*.py"), *REPOSITORY.glob("app.py")]
    assert not [path for path in files if "truth/" in path.read_text(encoding="utf-8")]
