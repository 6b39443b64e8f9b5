"""The wheel, built and installed as a user installs it, with the packages it needs taken from this environment."""

import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("app.py", *(f"pages/{path.name}" for path in sorted((ROOT / "pages").glob("*.py"))))
OPEN_PAGES = """
import json, sys
from streamlit.testing.v1 import AppTest
from guidedrec_core.app.serve import site
opened = {}
for page in sys.argv[1:]:
    app = AppTest.from_file(str(site() / "app.py"), default_timeout=120).run()
    if page != "app.py":
        app.switch_page(page).run()
    opened[page] = {"title": app.title[0].value, "trouble": [str(e.value) for e in (*app.exception, *app.error)]}
print(json.dumps({"site": str(site()), "opened": opened}))
"""

PRIMARY_COLOUR = """
import sys
from streamlit import config
config._main_script_path = sys.argv[1]  # as `streamlit run` sets it
print(config.get_option("theme.light.primaryColor"))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it into an environment of its own; return that environment's folder of programs.

    What the package needs is seen through a path file, so that nothing is downloaded; this checkout is not seen.
    """
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", folder, ROOT)
    _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    [wheel] = folder.glob("*.whl")
    _run(*pip, "--python", programs / "python", "install", "--no-deps", "--no-index", wheel)
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "those_it_needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, where no checkout is found."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def _run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_program_is_that_of_the_wheel(installed: Path, elsewhere: Path) -> None:
    where = _run(installed / "python", "-c", "import guidedrec_core; print(guidedrec_core.__file__)")
    assert where.startswith(str(installed.parent))
    assert "app" in _run(installed / "guidedrec", "--help")
    checks = json.loads(_run(installed / "guidedrec", "doctor", "--json"))["checks"]
    assert all(check["ok"] for check in checks), checks


def test_every_page_opens_outside_a_checkout(installed: Path, elsewhere: Path, tiny_home: Path) -> None:
    found = json.loads(_run(installed / "python", "-c", OPEN_PAGES, *PAGES).splitlines()[-1])
    assert found["site"].startswith(str(installed.parent))
    assert list(found["opened"]) == list(PAGES)
    for page, seen in found["opened"].items():
        assert seen["trouble"] == [], page
        assert seen["title"].endswith("?"), page
    assert not (tiny_home / "jobs").exists()  # there was a run to show


def test_the_app_is_served_with_its_theme(installed: Path, elsewhere: Path, tiny_home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [installed / "guidedrec", "app", "--port", port, "--host", "127.0.0.1", "--no-browser"]
    log = (elsewhere / "log.txt").open("w+")
    process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/Case_study", timeout=10) as page:
            assert b"<title>" in page.read()
    finally:
        process.terminate()
        process.wait(20)
    log.seek(0)
    assert f"http://127.0.0.1:{port}" in log.read()
    assert list(elsewhere.iterdir()) == [elsewhere / "log.txt"]


def test_the_settings_of_the_clone_are_those_of_the_wheel(installed: Path) -> None:
    """Streamlit reads them beside the first page; without them pages would be in other colours and be listed twice."""
    site = Path(_run(installed / "python", "-c", "from guidedrec_core.app.serve import site; print(site())").strip())
    assert _run(installed / "python", "-c", PRIMARY_COLOUR, site / "app.py").strip() == "#0F766E"
    assert (site / ".streamlit/config.toml").read_bytes() == (ROOT / ".streamlit/config.toml").read_bytes()


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the app ended at its start"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the app did not start within a minute")
