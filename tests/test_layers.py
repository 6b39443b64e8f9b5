"""The house: folders by concept, imports downward and without circles, light modules, and one user of Streamlit."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import guidedrec_core

ROOT = Path(guidedrec_core.__file__).parent
REPOSITORY = ROOT.parent

# Folders and root modules by layer, lowest first; the package root, which offers the library lazily, is in none.
# Folders of one layer do not import each other. A new folder belongs in here, in the lowest layer it fits; a single
# module may have an entry of its own where it is lower than its folder.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("columns", "errors", "randomness", "progress", "language", "lazy", "spreadsheets", "plain_values"),
    ("config", "files"),
    ("data", "llm", "fernway", "database", "figures.theme"),
    ("attributes", "facts", "studies", "vectors", "training", "figures.waterfall"),
    ("reliability", "models", "figures.case"),
    ("runs",),
    ("ranking", "scoring", "jobs", "backup"),
    ("refinement",),
    ("naming",),
    ("explanation",),
    ("recommenders", "rationale"),
    ("evaluation",),
    ("projection",),
    ("audit", "items", "discovery"),
    ("conditions",),
    ("audience",),
    ("rules",),
    ("checks", "sandbox", "judging"),
    ("comparison",),
    ("cases", "stages", "figures"),
    ("report",),
    ("app", "cli"),
)
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
MOST_FILES = 15
HEAVY = ("torch", "openai", "shap", "umap", "plotly", "streamlit", "sqlalchemy", "alembic", "psycopg")
# Only the simulator, which makes it, and the evaluation of planted truths may know where the truth lies.
KNOWS_THE_TRUTH = ("fernway/generate.py", "fernway/simulator.py", "audit/planted.py")

MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def name_of(module: Path) -> str:
    """Return a file's dotted name below the package root; empty for the root itself."""
    return ".".join(module.with_suffix("").parts).removesuffix("__init__").removesuffix(".")


NAMES = {name_of(module): module for module in MODULES}


def part_of(name: str) -> str:
    """Name the entry of the table that a module belongs to."""
    return name if name in LAYER_OF else name.split(".")[0]


def imported(path: Path, package: str) -> Iterator[str]:
    """Yield the full name of all that a file imports anywhere, with `from a import b` as ``a.b``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def modules_imported(module: Path) -> set[str]:
    """Name the modules of this package that one of its files imports anywhere, also for types and inside functions."""
    package = ".".join(["guidedrec_core", *module.parts[:-1]])
    found = set()
    for name in imported(ROOT / module, package):
        if not name.startswith("guidedrec_core."):
            continue
        dotted = name.removeprefix("guidedrec_core.")
        while dotted and dotted not in NAMES:  # what is no module is a name defined in one
            dotted = dotted.rpartition(".")[0]
        found.add(dotted)
    return found - {name_of(module), ""}


@pytest.mark.parametrize("module", [m for m in MODULES if name_of(m)], ids=str)
def test_every_module_has_a_layer_and_imports_downward_only(module: Path) -> None:
    own = part_of(name_of(module))
    assert own in LAYER_OF, f"{module}: add {own!r} to LAYERS"
    for other in modules_imported(module):
        part = part_of(other)
        assert part in LAYER_OF, f"{module} imports {other!r}, which has no layer"
        same_folder = module.parts[0] == other.split(".")[0]
        assert same_folder or LAYER_OF[part] < LAYER_OF[own], f"{module} (layer {LAYER_OF[own]}) imports {other!r}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({name: modules_imported(module) for name, module in NAMES.items() if name}).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("folder", sorted({m.parent for m in MODULES if m.parent.parts}), ids=str)
def test_a_folder_says_what_lives_there_and_is_not_crowded(folder: Path) -> None:
    files = [m for m in MODULES if m.parent == folder and m.name != "__init__.py"]
    assert len(files) <= MOST_FILES or folder == Path("cli"), f"{folder} holds {len(files)} files"
    docstring = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring) > 40, docstring


def test_only_stages_and_the_recommenders_write_runs() -> None:
    writers = [str(m) for m in MODULES if re.search(r"(?<![a-z_])store\.create\(", (ROOT / m).read_text())]
    assert all(m.startswith(("stages/", "recommenders/", "runs/")) for m in writers), writers


def test_the_check_sees_all_forms_of_import(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "import torch.nn\nfrom guidedrec_core import jobs\nfrom guidedrec_core.models.base import ItemScorer\n"
        "from . import ui\nfrom .cli import main\nfrom ..data.split import Split\n"
        "def late():\n    import streamlit as st\n    return st\n"
    )
    assert set(imported(file, "guidedrec_core.models")) == {
        "torch.nn",
        "guidedrec_core.jobs",
        "guidedrec_core.models.base.ItemScorer",
        "guidedrec_core.models.ui",
        "guidedrec_core.models.cli.main",
        "guidedrec_core.data.split.Split",
        "streamlit",
    }


def test_only_the_clients_of_language_models_import_openai() -> None:
    users = [m for m in MODULES if any(n.split(".")[0] == "openai" for n in imported(ROOT / m, "guidedrec_core"))]
    assert [str(module) for module in users] == ["llm/client.py", "llm/server.py"]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_only_the_app_imports_streamlit(module: Path) -> None:
    uses = any(name.split(".")[0] == "streamlit" for name in imported(ROOT / module, "guidedrec_core"))
    assert not uses or module.parts[0] == "app"


def test_the_lower_layers_load_nothing_heavy() -> None:
    light = ("data", "attributes", "runs", "llm", "fernway", "jobs", "reliability")
    names = [
        f"guidedrec_core.{n}".removesuffix(".")
        for n in NAMES
        if n.split(".")[0] in (*light, *LAYERS[0], *LAYERS[1], "")
    ]
    assert "guidedrec_core.data.sequences" in names
    check = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("package", ["guidedrec_core", "guidedrec_core.stages"])
def test_lazy_packages_offer_what_they_list_under_names_of_no_submodule(package: str) -> None:
    lazy = importlib.import_module(package)
    folder = ROOT.joinpath(*package.split(".")[1:])
    assert not {*lazy.__all__} & {path.stem for path in folder.iterdir()}
    for name in lazy.__all__:
        assert callable(getattr(lazy, name)), name
        assert name in dir(lazy)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        lazy.nothing  # noqa: B018


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
