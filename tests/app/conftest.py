"""Opens the app without a browser, on a home of its own."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core.app import loaders
from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.jobs.record import Job, write_record
from guidedrec_core.jobs.store import JobStore
from guidedrec_core.runs.store import Run, RunStore

if TYPE_CHECKING:
    from guidedrec_core.stages import Build

ROOT = Path(__file__).resolve().parents[2]
Opener = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the histories that the app gets ready for, and compile and import nothing in the background."""
    lengths: list[int] = []
    monkeypatch.setattr(loaders, "prepare_models", lambda: None)
    monkeypatch.setattr(case_loaders, "prepare_history", lengths.append)
    return lengths


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


@pytest.fixture
def put_job(own_home: Path) -> Callable[..., Job]:
    """Write a job as its process would have left it."""

    def put(task: str, arguments: dict[str, object], number: int = 0, **state: Any) -> Job:
        job_id = f"20260102-03040{number}-abcdef"
        folder = own_home / "jobs" / job_id
        folder.mkdir(parents=True)
        job = Job(id=job_id, task=task, arguments=arguments, created=datetime.now(UTC), **state)
        write_record(folder, job)
        return job

    return put


@pytest.fixture
def llm_scores(tiny_home: Path, tiny_build: "Build") -> Callable[..., Run]:
    """Store scores of the tiny shop as a language model would have given them, with one failed item."""

    def store(passes: int = 1) -> Run:
        given = tiny_build.scores.read_array("item_scores", mmap=False)
        noise = np.random.default_rng(0).normal(0, 0.3, (passes, *given.shape))
        values = np.clip(np.nan_to_num(given, nan=5.0) + noise, 0, 10).round(1).astype(np.float32)
        values[:, 4] = np.nan
        schema = tiny_build.scores.read_json("attributes")
        config = {
            "attributes": schema,
            "scoring": {"model": "toy-model", "server": "localhost:8000", "passes": passes},
            "item_scores": {"sha256": "0" * 64},
            "user_scores": None,
        }
        with RunStore(tiny_home).create("scores", config=config, inputs={"data": tiny_build.data}) as writer:
            writer.write_json("attributes", schema)
            writer.write_array("item_scores", np.median(values, axis=0))
            if passes > 1:
                writer.write_array("item_passes", values)
                writer.write_array("item_positions", np.ones(values.shape[:2], dtype=np.float32))
            faults = {"kind": ["item"], "id": ["item-04"], "reason": ["refused: <b>no</b>"]}
            writer.write_table("faults", pd.DataFrame(faults, dtype="str"))
            writer.write_json("notices", [])
            writer.summary.update(
                tiny_build.scores.summary, scored=39, missing=3, failed=1, requests=4, tokens=1200, cost=0.02,
                model="toy-model", stopped="",
            )  # fmt: skip
        return writer.run

    return store
