"""``guidedrec runs``, ``jobs`` and ``doctor``: what is stored, what runs, and whether all is well."""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.jobs.record import Job, write_record
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.stages import Build


def test_runs_are_listed_newest_first_with_their_data_set(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    runs = document("runs", "list")["runs"]
    assert runs[0]["run_id"] == tiny_build.projection.id
    assert {run["dataset"] for run in runs} == {"tiny"}
    assert {*runs[0]} == {*("run_id", "stage", "dataset", "created", "seed", "inputs", "config", "summary", "problem")}
    assert len(call("runs", "list").stdout.splitlines()) == 1 + len(runs)
    base = document("runs", "list", "--stage", "base")["runs"]
    assert [run["run_id"] for run in base] == [tiny_build.base.id]


def test_an_empty_home_says_how_to_begin(call: Callable[..., Any], document: Callable[..., Any]) -> None:
    assert "`guidedrec build fernway` makes the first" in call("runs", "list").stdout
    assert document("runs", "list") == {"runs": []}


def test_a_run_is_shown(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    shown = document("runs", "show", tiny_build.refined.id)
    manifest = json.loads((tiny_home / "refined" / tiny_build.refined.id / "manifest.json").read_text())
    assert {key: shown[key] for key in manifest} == manifest
    text = call("runs", "show", tiny_build.refined.id).stdout
    assert ["made", "from", "base", tiny_build.base.id] in [line.split() for line in text.splitlines()]
    assert "refinement.decay 0.85" in text


def test_a_damaged_run_is_an_error_that_says_so(call: Callable[..., Any], tiny_home: Path, tiny_build: Build) -> None:
    weights = tiny_home / "base" / tiny_build.base.id / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    error = call("runs", "show", tiny_build.base.id, code=1).stderr
    assert "weights.safetensors is not as it was written" in error
    (tiny_home / "base" / tiny_build.base.id / "manifest.json").write_text("{")
    assert "DAMAGED: run" in call("runs", "list").stdout


def test_one_bad_manifest_stops_no_command(
    call: Callable[..., Any], document: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    deep = tiny_home / "refined" / "20990101-000000-000000"
    deep.mkdir()
    (deep / "manifest.json").write_text("[" * 100_000)
    pipe = tiny_home / "data" / "20990101-000000-000001"
    pipe.mkdir()
    os.mkfifo(pipe / "manifest.json")
    names = [deep.name, pipe.name]
    for stage, build in (("refined", tiny_build.refined), ("base", tiny_build.base), ("data", tiny_build.data)):
        for changes in ({"config": {}}, {"config": {"refinement": 3, "split": [], "name": {}, "source": 1}}):
            manifest = json.loads((build.path / "manifest.json").read_text()) | changes | {"files": {}}
            folder = tiny_home / stage / f"20990101-000000-{len(names):06d}"
            names.append(folder.name)
            # The last one names itself as what it was made from.
            made_of = {role: {**record, "stage": stage} for role, record in manifest["inputs"].items()}
            for record in made_of.values():
                record["run_id"] = folder.name
            folder.mkdir()
            (folder / "manifest.json").write_text(json.dumps({**manifest, "run_id": folder.name, "inputs": made_of}))
    listed = call("runs", "list").stdout
    assert all(name in listed for name in names)
    assert listed.count("DAMAGED") == 2
    assert "tiny" in {run["dataset"] for run in document("runs", "list")["runs"]}
    assert document("recommend", "tiny", "--user", "user-03")["run_id"] == tiny_build.refined.id
    explained = document("recommend", "tiny", "--user", "user-03")["items"][0]["item_id"]
    assert document("explain", "tiny", "--user", "user-03", "--item", explained)["run_id"] == tiny_build.refined.id
    assert [entry["name"] for entry in document("data", "list")["datasets"]].count("tiny") == 1
    found = [check["name"] for check in document("doctor", code=1)["checks"] if not check["ok"]]
    assert {f"run {deep.name}", f"run {pipe.name}"} <= set(found)


def test_a_run_that_others_need_is_deleted_only_with_them(
    document: Callable[..., Any], refused: Callable[..., str], tiny_home: Path, tiny_build: Build
) -> None:
    assert "--cascade" in refused("runs", "delete", tiny_build.base.id, "--yes")
    assert document("runs", "delete", tiny_build.projection.id, "--yes") == {"deleted": [tiny_build.projection.id]}
    deleted = document("runs", "delete", tiny_build.base.id, "--yes", "--cascade")["deleted"]
    assert deleted[-1] == tiny_build.base.id
    assert {run["stage"] for run in document("runs", "list")["runs"]} == {"data", "scores"}


@pytest.fixture
def job(own_home: Path) -> Job:
    folder = own_home / "jobs" / "20261120-141503-3fa9c1"
    folder.mkdir(parents=True)
    job = Job(
        id=folder.name,
        status="failed",
        task="build",
        arguments={"dataset": "tiny"},
        created=datetime.now(UTC),
        stage="train base",
        error="the loss is not finite",
    )
    write_record(folder, job)
    (folder / "log.txt").write_text("".join(f"line {n}\n" for n in range(30)))
    return job


def test_jobs_are_listed_and_shown(document: Callable[..., Any], call: Callable[..., Any], job: Job) -> None:
    listed = document("jobs", "list")["jobs"]
    assert [entry["job_id"] for entry in listed] == [job.id]
    expected = {field.name for field in dataclasses.fields(Job)} - {"id"} | {"job_id"}
    assert set(listed[0]) == expected
    shown = document("jobs", "show", job.id)
    assert shown["error"] == "the loss is not finite"
    assert shown["log"].splitlines()[-1] == "line 29"
    assert "the loss is not finite" in call("jobs", "list").stdout
    assert call("jobs", "show", job.id).stdout.splitlines()[-1] == "line 29"


def test_cancelling_a_job_that_has_ended_changes_nothing(call: Callable[..., Any], job: Job) -> None:
    assert call("jobs", "cancel", job.id).stdout == f"Job {job.id} is failed\n"


def test_no_jobs(call: Callable[..., Any], document: Callable[..., Any]) -> None:
    assert "No jobs" in call("jobs", "list").stdout
    assert document("jobs", "list") == {"jobs": []}


def test_the_doctor_finds_nothing_wrong(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path
) -> None:
    report = document("doctor")
    assert report["ok"]
    assert report["home"] == str(tiny_home)
    assert report["packages"]["torch"]
    assert {check["name"] for check in report["checks"]} == {
        *("packages", "torch", "home", "leftovers", "folders", "runs", "jobs", "replies", "database", "overrides"),
        *("bundled shop", "bundled scores", "bundled runs"),
    }
    assert all(set(check) == {"name", "ok", "detail", "advice"} for check in report["checks"])
    torch = next(check["detail"] for check in report["checks"] if check["name"] == "torch")
    assert re.search(r"trains on (cpu|cuda) in (float32|bfloat16) with 1 thread$", torch)
    assert "WRONG" not in call("doctor").stdout


def test_the_doctor_finds_damage_and_says_what_to_do(
    document: Callable[..., Any], tiny_home: Path, tiny_build: Build
) -> None:
    weights = tiny_home / "base" / tiny_build.base.id / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    leftover = tiny_home / "base" / ".tmp-20261120-141503-3fa9c1-4194305"
    leftover.mkdir()
    report = document("doctor", code=1)
    assert not report["ok"]
    wrong = [check for check in report["checks"] if not check["ok"]]
    assert [check["name"] for check in wrong] == [f"run {tiny_build.base.id}"]
    assert f"guidedrec runs delete {tiny_build.base.id} --cascade" in wrong[0]["advice"]
    assert not leftover.exists()


def _damage_job(home: Path, what: str) -> None:
    """Damage the record of a job."""
    job = home / "jobs" / "20260101-000000-abcdef"
    job.mkdir(parents=True)
    write_record(job, Job(id=job.name, status="done", task="build", arguments={}, created=datetime.now(UTC)))
    record = job / "job.json"
    text = record.read_text()
    texts = {
        "nested": "[" * 100_000,
        "cut": text[:40],
        "without a zone": re.sub(r"(created.*)Z", r"\1", text),
        "of another": text.replace(job.name, "20260101-000000-000000"),
    }
    if what in texts:
        record.write_text(texts[what])
        return
    record.unlink()
    if what == "folder":
        record.mkdir()
    elif what == "pipe":
        os.mkfifo(record)


def _damage_replies(home: Path, what: str) -> None:
    """Damage the kept replies."""
    replies = home / "replies.sqlite"
    if what == "folder":
        replies.mkdir()
        return
    with ReplyCache(replies):
        pass
    content = replies.read_bytes()
    if what == "garbage":
        replies.write_bytes(b"garbage" * 1000)
    elif what == "overwritten":
        replies.write_bytes(content[:4096] + b"\xff" * 8192 + content[12288:])
    else:
        with contextlib.closing(sqlite3.connect(replies)) as base:
            base.execute("DROP TABLE scores")
            base.commit()


def _damage_other(home: Path, what: str) -> None:
    """Damage overrides, or put a file where a folder belongs."""
    if what == "file for a folder":
        shutil.rmtree(home / "projection")
        (home / "projection").write_text("")
        return
    if what == "database":
        (home / "guidedrec.db").write_bytes(b"garbage" * 1000)
        return
    (home / "overrides").mkdir()
    place = home / "overrides" / "tiny.jsonl"
    place.mkdir() if what == "folder" else place.write_text("{}\n")


@pytest.mark.parametrize(
    ("damage", "what", "name", "detail"),
    [
        (_damage_job, "nested", "jobs", "is damaged"),
        (_damage_job, "cut", "jobs", "is damaged"),
        (_damage_job, "without a zone", "jobs", "a time lacks its zone"),
        (_damage_job, "of another", "jobs", "it is that of job 20260101-000000-000000"),
        (_damage_job, "missing", "jobs", "has no job.json"),
        (_damage_job, "folder", "jobs", "it is a folder"),
        (_damage_job, "pipe", "jobs", "it is a pipe"),
        (_damage_replies, "garbage", "replies", "file is not a database"),
        (_damage_replies, "folder", "replies", "unable to open database file"),
        (_damage_replies, "without a table", "replies", "tables or columns are missing"),
        (_damage_replies, "overwritten", "replies", "btreeInitPage"),
        (_damage_other, "database", "database", "file is not a database"),
        (_damage_other, "garbage", "overrides", "line 1"),
        (_damage_other, "folder", "overrides", "it is a folder"),
        (_damage_other, "file for a folder", "folders", "projection is no folder"),
    ],
)
def test_the_doctor_finds_what_is_wrong_beside_the_runs(
    document: Callable[..., Any],
    call: Callable[..., Any],
    tiny_home: Path,
    damage: Callable[[Path, str], None],
    what: str,
    name: str,
    detail: str,
) -> None:
    damage(tiny_home, what)
    wrong = [check for check in document("doctor", code=1)["checks"] if not check["ok"]]
    assert [check["name"] for check in wrong] == [name]
    assert detail in wrong[0]["detail"]
    assert wrong[0]["advice"]
    for listing in ("runs", "jobs"):  # what is not damaged is listed as before
        call(listing, "list")


def test_the_doctor_finds_a_home_that_is_a_file(call: Callable[..., Any], own_home: Path) -> None:
    own_home.write_text("")
    report = call("doctor", "--json", code=1)
    home = next(check for check in json.loads(report.stdout)["checks"] if check["name"] == "home")
    assert "cannot be written" in home["detail"]
