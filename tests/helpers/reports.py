"""Reports of the tiny build that several tests share."""

import re
from datetime import UTC, datetime

import guidedrec_core as gr
from guidedrec_core.report.case import CaseViews, case_views
from guidedrec_core.report.document import Stamp
from guidedrec_core.report.stamp import stamp_of
from guidedrec_core.runs.library import find_entry
from guidedrec_core.runs.store import RunStore
from guidedrec_core.stages import Build

WRITTEN = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def store_of(build: Build) -> RunStore:
    """Return the store that a build lies in."""
    return RunStore(build.data.path.parents[1])


def tiny_stamp(build: Build) -> Stamp:
    """Return the stamp of the tiny build."""
    return stamp_of(find_entry(store_of(build), "tiny"), WRITTEN)


def tiny_views(build: Build, user: str = "user-03", item: str | None = None, shown: str = "train+valid") -> CaseViews:
    """Compute a case of the tiny build."""
    return case_views(gr.open(store_of(build).home / "tiny").showing(shown), user, item)


def without_plotly(html: str) -> str:
    """Return a page without plotly.js, which names addresses that it never asks for here."""
    scripts = re.findall(r"<script>.*?</script>", html, re.DOTALL)
    return html.replace(max(scripts, key=len), "")
