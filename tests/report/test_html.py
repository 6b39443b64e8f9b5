"""Reports as HTML: nothing from outside, nothing from data that is markup, and a policy that says so."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
import reports
import tiny

from guidedrec_core.report.case import case_report
from guidedrec_core.report.evaluation import evaluation_report, evaluation_views
from guidedrec_core.report.html import report_html, slides_html
from guidedrec_core.report.study import slides_of, study_report

HOSTILE = "item-00"  # its title is `tiny.HOSTILE_TITLE`


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.alts: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            if name in ("href", "src", "srcset", "action", "data", "poster", "xlink:href", "style"):
                self.addresses.append(f"{name}={value}")
            if name == "aria-label":
                self.alts.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def pages(tiny_build):
    """Every kind of report about the hostile item, by name."""
    stamp, store = reports.tiny_stamp(tiny_build), reports.store_of(tiny_build)
    views = reports.tiny_views(tiny_build, tiny.UNICODE_USER, HOSTILE)
    evaluation = evaluation_views(store, tiny_build.evaluation, "tiny", views.verb)
    title = f"<script>alert(1)</script> {tiny.HOSTILE_TITLE}"
    return {
        "case": report_html(case_report(views, stamp)),
        "evaluation": report_html(evaluation_report(evaluation, stamp)),
        "study": report_html(study_report(title, [views, reports.tiny_views(tiny_build)], stamp)),
        "slides": slides_html(title, slides_of([views]), stamp),
    }


KINDS = pytest.mark.parametrize("kind", ["case", "evaluation", "study", "slides"])


@KINDS
def test_a_page_names_no_other_address(pages, kind: str) -> None:
    page = Page(reports.without_plotly(pages[kind]))
    assert [each for each in page.addresses if not re.fullmatch(r"href=#[a-z0-9-]+", each)] == []
    assert not {"link", "img", "iframe", "object", "embed", "form", "base", "video", "audio"} & set(page.tags)
    style = re.search(r"<style>(.*?)</style>", pages[kind], re.DOTALL).group(1)
    assert not re.search(r"url\(|@import|https?:", style)
    own = re.findall(r"<script>(.*?)</script>", reports.without_plotly(pages[kind]), re.DOTALL)
    assert len(own) == 2
    assert not re.search(r"https?:|fetch\(|XMLHttp|WebSocket|eval\(|innerHTML", "".join(own))


@KINDS
def test_plotly_is_in_it_once(pages, kind: str) -> None:
    assert pages[kind].count("plotly.js v") == 1
    assert len(pages[kind]) < 6_000_000


@KINDS
def test_the_policy_admits_exactly_the_scripts_of_the_page(pages, kind: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', pages[kind]).group(1)
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", pages[kind], re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes


@KINDS
def test_text_from_data_is_text(pages, kind: str) -> None:
    page = Page(reports.without_plotly(pages[kind]))
    assert page.tags.count("script") == 3  # charts, and the two of the page
    assert "b" not in page.tags
    assert [address for address in page.addresses if "example.org" in address] == []
    if kind != "evaluation":
        assert tiny.HOSTILE_TITLE in "".join(page.text)
        assert any(tiny.HOSTILE_TITLE in alt for alt in page.alts)


@KINDS
def test_titles_in_charts_are_no_markup_either(pages, kind: str) -> None:
    data = re.search(r'<script type="application/json" id="chart-data">(.*?)</script>', pages[kind], re.DOTALL).group(1)
    assert not set("<>&'") & set(data)
    charts = json.loads(data)
    assert charts
    said = json.dumps([chart["light"] for chart in charts.values()])
    assert "<b>Tent</b>" not in said
    assert "<a " not in said


@KINDS
def test_headings_go_down_step_by_step_and_every_chart_is_described(pages, kind: str) -> None:
    page = Page(reports.without_plotly(pages[kind]))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    plots = re.findall(r'<div class="plot"[^>]*>', pages[kind])
    assert plots
    assert all('role="img"' in plot and re.search(r'aria-label="[^"]{10,}"', plot) for plot in plots)
    assert len(page.ids) == len(set(page.ids))
    if kind != "slides":
        assert page.tags.count("figure") == len(plots)
        assert page.tags.count("details") >= len(plots)


@KINDS
def test_the_stamp_is_on_every_page(pages, kind: str, tiny_build) -> None:
    text = "".join(Page(reports.without_plotly(pages[kind])).text)
    assert tiny_build.refined.id in text
    assert tiny_build.data.id in text
    assert "01 Dec 2026, 09:30 UTC by guidedrec" in text


def test_the_answer_comes_before_everything_else(pages, tiny_build) -> None:
    text = "".join(Page(reports.without_plotly(pages["case"])).text)
    views = reports.tiny_views(tiny_build, tiny.UNICODE_USER, HOSTILE)
    assert text.index(views.item.sentence) < text.index("What is it made of?")
