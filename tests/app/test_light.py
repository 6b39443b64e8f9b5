"""What pages load: those that only show stored results do not wait for the packages that compute them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "sklearn", "numba", "shap", "umap", "openai"}
OPEN = """
import json, sys
from streamlit.testing.v1 import AppTest
from guidedrec_core.app import loaders
from guidedrec_core.app.case_study import loaders as case_loaders
loaders.prepare_models = lambda: None  # what a thread loads meanwhile would be seen, too
case_loaders.prepare_history = lambda length: None
app = AppTest.from_file(sys.argv[1], default_timeout=120).run()
if sys.argv[2]:
    app.switch_page(sys.argv[2]).run()
trouble = [str(each.value) for each in (*app.exception, *app.error)]
modules = [name for name in sys.modules if "." not in name]
print(json.dumps({"title": app.title[0].value, "trouble": trouble, "modules": modules}))
"""


def opened(page: str) -> tuple[str, set[str]]:
    """Open a page in a process of its own; return its title and the top-level modules that are loaded then."""
    command = [sys.executable, "-c", OPEN, str(ROOT / "app.py"), page]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["trouble"] == []
    return seen["title"], set(seen["modules"])


@pytest.mark.parametrize("page", ["", "pages/3_Embedding_map.py", "pages/4_Evaluation.py", "pages/5_Attributes.py"])
def test_pages_of_stored_results_load_no_model(tiny_home: Path, page: str) -> None:
    title, modules = opened(page)
    assert title.endswith("?")
    assert {"pandas", "plotly"} <= modules
    assert modules & HEAVY == set()


@pytest.mark.parametrize("page", ["pages/1_Case_study.py", "pages/2_Items.py"])
def test_pages_about_scores_load_the_models_and_nothing_more(tiny_home: Path, page: str) -> None:
    _, modules = opened(page)
    assert modules & HEAVY == {"torch"}


WHILE_PILLOW_LOADS = """
import importlib.machinery, sys, threading, time

begun = threading.Event()

class Slow(importlib.machinery.SourceFileLoader):
    def exec_module(self, module):
        begun.set()
        time.sleep(2)
        super().exec_module(module)

class Finder:
    def find_spec(name, path=None, target=None):
        if name != "PIL.Image":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        spec.loader = Slow(name, spec.origin)
        return spec

import numpy, pandas, plotly.graph_objects as go, plotly.io, streamlit
from guidedrec_core.data import verbs
assert "PIL.Image" not in sys.modules
sys.meta_path.insert(0, Finder)
threading.Thread(target=__import__, args=("PIL.Image",)).start()
begun.wait()
from guidedrec_core.app import show
names = numpy.array(["tents", "stoves"], dtype=object)  # what pandas gives
print(len(go.Figure(go.Scatter(x=names, y=[1, 2])).to_json()))
"""


def test_charts_are_written_while_another_first_visit_loads_pillow() -> None:
    command = [sys.executable, "-c", WHILE_PILLOW_LOADS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
