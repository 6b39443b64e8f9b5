"""Reports in a real browser without a network: they ask for nothing, draw everything, print, and turn by keys."""

from pathlib import Path
from typing import Any

import pytest
import reports
import tiny
from browser import _ARGUMENTS, CHROMIUM

from guidedrec_core.report.case import case_report
from guidedrec_core.report.evaluation import evaluation_report, evaluation_views
from guidedrec_core.report.html import report_html, slides_html
from guidedrec_core.report.study import slides_of

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

_DRAWN = """() => [...document.querySelectorAll('[data-chart]')].filter(e => e.clientWidth)
  .every(e => e.querySelector('.main-svg'))"""


@pytest.fixture(scope="module")
def files(tiny_build: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write each kind of report, about an item whose title is hostile."""
    folder, stamp = tmp_path_factory.mktemp("reports"), reports.tiny_stamp(tiny_build)
    views = reports.tiny_views(tiny_build, tiny.UNICODE_USER, "item-00")
    evaluation = evaluation_views(reports.store_of(tiny_build), tiny_build.evaluation, "tiny", views.verb)
    pages = {
        "case": report_html(case_report(views, stamp)),
        "evaluation": report_html(evaluation_report(evaluation, stamp)),
        "slides": slides_html("Two cases", slides_of([views, reports.tiny_views(tiny_build)]), stamp),
    }
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.fixture(scope="module")
def browser() -> Any:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield started
        started.close()


def opened(browser: Any, file: Path, scheme: str = "light") -> tuple[Any, list[str], list[str]]:
    """Open a file without a network; return the page, what it asked for and what it complained of."""
    page = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 1440, "height": 900}).new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(file.as_uri())
    page.wait_for_function(_DRAWN, timeout=60_000)
    return page, asked, complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["case", "evaluation"])
def test_a_report_opens_offline_and_asks_for_nothing(
    browser: Any, files: dict[str, Path], kind: str, scheme: str
) -> None:
    page, asked, complaints = opened(browser, files[kind], scheme)
    page.get_by_role("button", name="Open all tables").click()
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("[data-chart] a").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 24, 29)"}[scheme]
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert complaints == []


def test_the_policy_stops_a_script_that_was_put_in(browser: Any, files: dict[str, Path], tmp_path: Path) -> None:
    forged = tmp_path / "forged.html"
    forged.write_text(files["case"].read_text().replace("</body>", "<script>window.forged = true</script></body>"))
    page, _, complaints = opened(browser, forged)
    assert page.evaluate("window.forged") is None
    assert any("Content Security Policy" in each for each in complaints)
    for load, directive in (
        ("new Image().src = 'https://evil.example/i.png'", "img-src"),
        ("fetch('https://evil.example/')", "connect-src"),
    ):
        refused = page.evaluate(
            "() => new Promise(done => {"
            " document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective), {once: true});"
            f" Promise.resolve({load}).catch(() => {{}}); }})"
        )
        assert refused == directive


def test_a_chart_is_saved_as_png_and_svg(browser: Any, files: dict[str, Path], tmp_path: Path) -> None:
    page, _, _ = opened(browser, files["case"], "dark")
    for kind, begins in (("png", b"\x89PNG"), ("svg", b"<svg")):
        with page.expect_download(timeout=60_000) as saved:
            page.locator(f"[data-save={kind}]").first.click()
        assert saved.value.suggested_filename.endswith(f"-score.{kind}")
        saved.value.save_as(tmp_path / f"chart.{kind}")
        assert (tmp_path / f"chart.{kind}").read_bytes().startswith(begins)


@pytest.mark.parametrize("kind", ["case", "evaluation"])
def test_it_prints_in_light_colours_within_the_paper(browser: Any, files: dict[str, Path], kind: str) -> None:
    page, _, _ = opened(browser, files[kind], "dark")
    widths = page.evaluate(
        "() => { dispatchEvent(new Event('beforeprint'));"
        " const found = [...document.querySelectorAll('.main-svg')].map(e => e.getBoundingClientRect().width);"
        " dispatchEvent(new Event('afterprint')); return found; }"
    )
    assert widths
    assert max(widths) <= 680
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 42, 51)"
    for paper in ("A4", "Letter"):
        content = page.pdf(format=paper, print_background=True)
        assert content.startswith(b"%PDF")
        assert 2 < content.count(b"/Type /Page\n") < 20


def test_slides_turn_by_keys_and_the_address_remembers(browser: Any, files: dict[str, Path]) -> None:
    page, asked, complaints = opened(browser, files["slides"])
    shown = page.locator(".slide:not([hidden])")
    assert shown.locator("h1").inner_text() == "Two cases"
    for key, place in (
        ("ArrowRight", 2),
        ("PageDown", 3),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("Home", 1),
        ("End", 3),
    ):
        page.keyboard.press(key)
        assert page.locator("#place").inner_text() == f"{place} of 3"
        assert page.url.endswith(f"#{place}")
        assert shown.count() == 1
    page.keyboard.press("ArrowLeft")
    assert tiny.HOSTILE_TITLE in shown.locator("h2").inner_text()
    page.wait_for_function(_DRAWN, timeout=60_000)
    page.reload()
    assert page.locator("#place").inner_text() == "2 of 3"
    page.locator("#on").click()
    assert page.locator("#place").inner_text() == "3 of 3"
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null", timeout=10_000)
    assert [url for url in asked if not url.startswith("file:")] == []
    assert complaints == []
