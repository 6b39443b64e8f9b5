"""Opens the app without a browser, on a home of its own."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.jobs import Job, JobStore

ROOT = Path(__file__).resolve().parents[2]
Opener = Callable[..., AppTest]


@pytest.fixture
def open_app() -> Opener:
    """Open a page of the app (the Overview by default) at a place given by URL parameters."""

    def opened(page: str | None = None, **place: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.run()
        for name, value in place.items():
            app.query_params[name] = value
        if page is not None:
            app.switch_page(page)
        return app.run()

    return opened


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, object]]]:
    """Note which jobs the app starts, and start none."""
    asked: list[tuple[str, dict[str, object]]] = []

    def start(self: JobStore, task: str, arguments: dict[str, object]) -> Job:
        asked.append((task, dict(arguments)))
        now = datetime.now(UTC)
        return Job(id="20260101-000000-abcdef", status="queued", task=task, arguments=dict(arguments), created=now)

    monkeypatch.setattr(JobStore, "start", start)
    return asked
