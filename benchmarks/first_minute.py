"""The first minute with the app: `python benchmarks/first_minute.py`, from the root of a clone, on a quiet machine.

In a real browser (Chromium through Playwright, running before the clock starts, nothing in its cache):

- first start: `guidedrec app`, as `make run` ends, on a home that does not exist yet; from the start of the process to
  the Overview's answer and to all of it, and through its first "Open this case" to that Case study;
- second start: the same, on the home that is there now, with the front end in the browser's cache;
- page changes: every page by its link in the sidebar, for the first time in this process and once more;

and without a browser the commands `guidedrec --help` and `guidedrec runs list`. A page counts as there when its script
has ended, its footer stands, nothing on it is stale and every chart is drawn. Prints the medians beside the limits, and
writes all figures to `benchmarks/results/first_minute.json`. `--drop-caches` (Linux, as root) empties the system's file
cache before each first start.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import machine
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = (sys.executable, "-m", "guidedrec_core.cli.main")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PAGES = ("Overview", "Case study", "Items", "Item map", "Evaluation", "Attributes")
LIMITS = {"first_start": 10.0, "second_start": 2.0, "page_change": 2.0, "command": 0.5}
"""Seconds: to the first case, to the first page, to any page, to the last line."""
PATIENCE_SECONDS = 300

THERE = """
before => {
    const all = selector => [...document.querySelectorAll(selector)];
    const app = document.querySelector('[data-testid="stApp"]');
    const title = document.querySelector('h1');
    return app?.dataset.testScriptState === 'notRunning'
        && title && title.innerText !== before
        && !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')
        && all('[data-testid="stCaptionContainer"]').some(each => each.innerText.includes('· guidedrec '))
        && all('[data-testid="stPlotlyChart"]').every(each => each.querySelector('.main-svg'));
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--drop-caches", action="store_true")
    parser.add_argument("--out", type=Path, default=machine.RESULTS / "first_minute.json")
    options = parser.parse_args()
    about = machine.facts("streamlit", "torch", "playwright")
    runs = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for number in range(options.repeats):
            runs.append(minute(browser, options.drop_caches))
            print(f"{number + 1} of {options.repeats}: {json.dumps(runs[-1])}", file=sys.stderr)
        browser.close()
    medians = {name: round(statistics.median(run[name] for run in runs), 2) for name in runs[0]}
    result = {"machine": about, "drop_caches": options.drop_caches, "limits": LIMITS, "median": medians, "runs": runs}
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    for name, seconds in medians.items():
        limit = limit_of(name)
        print(f"{name:<42} {seconds:6.2f} s{'' if limit is None else f'  of {limit:g}, {seconds / limit:.0%}'}")


def limit_of(name: str) -> float | None:
    """Return what a figure is held against, if anything."""
    kinds = {"first start, case": "first_start", "second start, overview": "second_start"}
    kind = kinds.get(name) or next((k for k in ("page_change", "command") if name.startswith(k.replace("_", " "))), "")
    return LIMITS.get(kind)


def minute(browser: Browser, drop_caches: bool) -> dict[str, float]:
    """Measure everything once, in a home of its own; return seconds by name."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, visitor(browser) as tab:
        home, port = Path(folder) / "home", free_port()
        if drop_caches:
            os.sync()
            Path("/proc/sys/vm/drop_caches").write_text("3\n")
        for start in ("first start", "second start"):
            started = time.perf_counter()
            with served(home, port) as address:
                page = tab()
                seconds[f"{start}, server"] = time.perf_counter() - started
                page.goto(address)
                page.locator("h4").first.wait_for()
                seconds[f"{start}, answer"] = time.perf_counter() - started
                wait_until_there(page, "")
                seconds[f"{start}, overview"] = time.perf_counter() - started
                before = title(page)
                page.get_by_role("link", name="Open this case").first.click()
                wait_until_there(page, before)
                seconds[f"{start}, case"] = time.perf_counter() - started
                if start == "second start":
                    for visit in ("first round", "second round"):
                        for name in PAGES:
                            seconds[f"page change, {visit}: {name}"] = change(page, name)
                page.close()
        for command in (("--help",), ("runs", "list")):
            seconds[f"command, {' '.join(command)}"] = time_of_command(home, *command)
    return {name: round(value, 3) for name, value in seconds.items()}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def served(home: Path, port: int) -> Iterator[str]:
    """Start the app as `make run` does, but for the browser that it opens; give its address once it answers."""
    command = [*PROGRAM, "app", "--home", str(home), "--port", str(port), "--no-browser"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        address = f"http://localhost:{port}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("expected the app to answer, but it ended or took too long; start it by hand to see")
            time.sleep(0.02)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def visitor(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Give what opens a tab for a visitor who was never here."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    yield context.new_page
    context.close()


def wait_until_there(page: Page, before: str) -> None:
    """Wait for a page with another title than before."""
    page.wait_for_function(THERE, arg=before, polling=20)


def title(page: Page) -> str:
    text: Any = page.locator("h1").first.inner_text()
    return str(text)


def change(page: Page, name: str) -> float:
    """Follow a link of the sidebar; return the seconds until that page is there."""
    before = title(page)
    link = page.locator('[data-testid="stSidebar"]').get_by_role("link", name=name, exact=True)
    started = time.perf_counter()
    link.click()
    wait_until_there(page, before)
    return time.perf_counter() - started


def time_of_command(home: Path, *arguments: str) -> float:
    """Call the program once more than is timed, as its modules are compiled at the first call."""
    command = [*PROGRAM, *arguments]
    for _ in range(2):
        started = time.perf_counter()
        subprocess.run(command, env=os.environ | {"GUIDEDREC_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
