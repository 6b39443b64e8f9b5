"""Jobs: work in another process, seen through one file, whatever happens to the process."""

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from job_tasks import TASKS

import guidedrec_core
from guidedrec_core.errors import InputError, JobCancelledError, NotFoundError
from guidedrec_core.jobs import worker as job_worker
from guidedrec_core.jobs.record import Job, lock, read_record, write_record
from guidedrec_core.jobs.store import JobStore
from guidedrec_core.jobs.worker import Reporter
from guidedrec_core.progress import Progress
from guidedrec_core.runs.processes import start_time

SEARCH_PATH = os.pathsep.join(
    [str(Path(__file__).parents[1] / "helpers"), str(Path(guidedrec_core.__file__).parents[1])]
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStore]:
    monkeypatch.setenv("PYTHONPATH", SEARCH_PATH)
    store = JobStore(tmp_path / "home", tasks=TASKS, worker="job_tasks")
    yield store
    for job in store.list():
        if job.active and job.pid != os.getpid():
            store.cancel(job.id)


def wait(store: JobStore, job: Job, until: Callable[[Job], bool]) -> Job:
    deadline = time.monotonic() + 20
    while not until(job):
        assert time.monotonic() < deadline, f"{job}\n{store.log_tail(job.id)}"
        time.sleep(0.02)
        job = store.get(job.id)
    return job


def ended(job: Job) -> bool:
    return not job.active


def at_work(job: Job) -> bool:
    return job.step > 0


@pytest.mark.parametrize(("given", "policy"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_the_threads_of_a_job_sleep_while_they_wait(
    given: str | None, policy: str, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if given is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    job = wait(store, store.start("threads", {}), ended)
    assert job.run_id == f"{policy}, torch loaded: False"


def test_a_job_does_its_task_and_says_so(store: JobStore) -> None:
    before = datetime.now(UTC)
    job = store.start("work", {"name": "tiny"})
    assert job.status == "queued"
    assert job.active
    done = wait(store, job, ended)
    assert (done.status, done.run_id, done.error) == ("done", "home-tiny", "")
    assert (done.stage, done.step, done.total, done.message) == ("evaluate", 4, 9, "users")
    assert done.finished is not None
    assert done.heartbeat is not None
    assert before <= done.created <= done.heartbeat <= datetime.now(UTC)
    assert "hello from the task" in store.log_tail(job.id).splitlines()
    assert store.list() == [done]
    assert json.loads((store.home / "jobs" / job.id / "job.json").read_text())["status"] == "done"


@pytest.mark.parametrize(
    ("task", "error", "log"),
    [
        ("refuse", "expected a data set, got none; import one", "InputError"),
        ("crash", "Unexpected ZeroDivisionError: a bug (details in the job's log)", "Traceback"),
        ("absent", "Unexpected ModuleNotFoundError", "no_such_module"),
    ],
)
def test_a_failure_is_told_in_words_and_logged(store: JobStore, task: str, error: str, log: str) -> None:
    job = wait(store, store.start(task, {}), ended)
    assert job.status == "failed"
    assert job.error.startswith(error)
    assert log in store.log_tail(job.id)
    assert job.run_id is None


def test_the_same_request_gives_the_same_job_while_it_is_active(store: JobStore) -> None:
    """Two threads and two processes ask at once, and wait for each other; one job comes of it."""
    ask = (
        "import sys; from pathlib import Path; from job_tasks import TASKS; "
        "from guidedrec_core.jobs.store import JobStore;"
        "print(JobStore(Path(sys.argv[1]), TASKS, 'job_tasks').start('hang', {'a': (1, 2)}).id)"
    )
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(store.start("hang", {"a": [1, 2]}).id)) for _ in range(2)]
    with lock(store.home):  # all are ready before the first may go on
        processes = [
            subprocess.Popen([sys.executable, "-c", ask, str(store.home)], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        with pytest.raises(subprocess.TimeoutExpired):
            processes[0].wait(timeout=1.5)
        assert ids == []
    for thread in threads:
        thread.join()
    ids += [process.communicate(timeout=20)[0].strip() for process in processes]
    assert len(set(ids)) == 1
    assert len(store.list()) == 1
    wait(store, store.get(ids[0]), at_work)
    (store.home / "go").touch()
    wait(store, store.get(ids[0]), ended)
    assert store.start("hang", {"a": [1, 2]}).id != ids[0]


def test_a_killed_job_is_interrupted_and_resumes_as_a_new_one(store: JobStore) -> None:
    job = wait(store, store.start("hang", {"name": "tiny"}), at_work)
    assert (job.status, job.step, job.message) == ("running", 3, "epoch 3")
    assert job.pid is not None
    psutil.Process(job.pid).kill()
    killed = wait(store, job, ended)
    assert killed.status == "interrupted"
    assert "Resume" in killed.error
    assert killed.step == 3
    psutil.Process(int((store.home / "helper").read_text())).kill()
    assert store.cancel(job.id) == killed, "nothing to cancel any more"

    resumed = store.resume(job.id)
    assert resumed.id != job.id
    assert resumed.arguments == {"name": "tiny"}
    (store.home / "go").touch()
    assert wait(store, resumed, ended).status == "done"
    assert [each.id for each in store.list()] == [resumed.id, job.id]


def test_cancel_ends_the_whole_process_tree(store: JobStore) -> None:
    job = wait(store, store.start("hang", {}), at_work)
    helper = int((store.home / "helper").read_text())
    assert start_time(helper) is not None
    cancelled = store.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert cancelled.error == ""
    assert cancelled.finished is not None
    assert job.pid is not None
    assert start_time(job.pid) is None
    assert start_time(helper) is None
    assert store.cancel(job.id) == cancelled


def test_cancel_at_once_and_a_task_that_swallows_errors(store: JobStore) -> None:
    early = store.start("hang", {})
    assert store.cancel(early.id).status == "cancelled"
    job = wait(store, store.start("stubborn", {}), at_work)
    assert store.cancel(job.id).status == "cancelled"
    assert "swallowed JobCancelledError" in store.log_tail(job.id)


def test_a_terminated_worker_calls_itself_cancelled(store: JobStore) -> None:
    job = wait(store, store.start("hang", {}), at_work)
    assert job.pid is not None
    psutil.Process(job.pid).terminate()
    assert wait(store, job, ended).status == "cancelled"
    psutil.Process(int((store.home / "helper").read_text())).kill()


def stored(store: JobStore, **fields: object) -> Job:
    """Put a job on disk as another process would have left it."""
    now = datetime.now(UTC)
    job = Job(id=f"{now:%Y%m%d-%H%M%S}-3fa9c1", status="running", task="work", arguments={}, created=now)
    job = dataclasses.replace(job, **fields)  # type: ignore[arg-type]
    folder = store.home / "jobs" / job.id
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder, job)
    return job


def test_another_process_with_the_same_number_is_not_the_job(store: JobStore) -> None:
    mine = start_time(os.getpid())
    assert mine is not None
    job = stored(store, pid=os.getpid(), process_started=mine, heartbeat=datetime.now(UTC))
    assert store.get(job.id).status == "running"
    stored(store, id=job.id, pid=os.getpid(), process_started=mine - 100, heartbeat=datetime.now(UTC))
    assert store.get(job.id).status == "interrupted"
    assert store.cancel(job.id).status == "interrupted", "and this process is not ended"


def test_a_starter_that_died_before_the_process_began(store: JobStore) -> None:
    assert store.get(stored(store, status="queued").id).status == "queued"
    old = stored(store, status="queued", created=datetime.now(UTC) - timedelta(minutes=5))
    assert store.get(old.id).status == "interrupted"


def test_a_damaged_file_is_a_failed_job(store: JobStore) -> None:
    job = stored(store, status="done")
    path = store.home / "jobs" / job.id / "job.json"
    path.write_bytes(path.read_bytes()[:20])
    assert store.list()[0].status == "failed"
    assert "damaged" in store.get(job.id).error
    with pytest.raises(InputError, match="expected a task"):
        store.resume(job.id)


@pytest.mark.parametrize("job_id", ["../home", "", "20261120-141503-3fa9c1", "20261120-141503-3fa9c1/../x"])
def test_unknown_job(store: JobStore, job_id: str) -> None:
    for call in (store.get, store.cancel, store.resume, store.log_tail):
        with pytest.raises(NotFoundError, match="guidedrec jobs list"):
            call(job_id)


def test_unknown_task_and_arguments_that_are_not_json(store: JobStore) -> None:
    with pytest.raises(InputError, match=r"import, build, refine, [a-z, ]*score; got 'os:system'"):
        JobStore(store.home).start("os:system", {})
    with pytest.raises(InputError, match="arguments"):
        store.start("work", {"path": Path("x")})
    assert store.list() == []


def test_the_worker_runs_no_code_named_in_a_file(store: JobStore) -> None:
    """Through the module's own command line, with a job file somebody has edited."""
    job = stored(store, status="queued", task="job_tasks:work", arguments={"name": "x"})
    command = [sys.executable, "-m", "guidedrec_core.jobs.worker", str(store.home / "jobs" / job.id)]
    assert subprocess.run(command, capture_output=True, timeout=20).returncode == 1
    assert store.get(job.id).status == "failed"
    assert "expected a task out of import, build" in store.get(job.id).error
    # A job that has ended is not done a second time.
    assert subprocess.run(command, capture_output=True, timeout=20).returncode == 1


def test_log_tail(store: JobStore) -> None:
    job = stored(store, status="done")
    assert store.log_tail(job.id) == ""
    (store.home / "jobs" / job.id / "log.txt").write_bytes(b"one\ntwo\n\xff three\n")
    assert store.log_tail(job.id, 2) == "two\n\N{REPLACEMENT CHARACTER} three"
    assert store.log_tail(job.id, 0) == ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def running(folder: Path) -> Job:
    return Job(id=folder.name, status="running", task="work", arguments={}, created=datetime.now(UTC))


def on_disk(folder: Path) -> Job:
    job = read_record(folder)
    assert job is not None
    return job


def test_events_are_written_at_once_or_soon_but_not_each(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []

    def counted(folder: Path, job: Job) -> None:
        writes.append(job.step)
        write_record(folder, job)

    monkeypatch.setattr(job_worker, "write_record", counted)
    reporter = Reporter(folder, running(folder))
    with reporter:
        reporter.listen(Progress("train base", 1, 5000))
        assert on_disk(folder).step == 1, "the first of a stage"
        for step in range(2, 5001):
            reporter.listen(Progress("train base", step, 5000))
        assert on_disk(folder).step == 5000, "the last of a stage"
        assert len(writes) < 20
        reporter.listen(Progress("evaluate", 1, 3))
        reporter.listen(Progress("evaluate", 2, 3))
        deadline = time.monotonic() + 5
        while on_disk(folder).step != 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        reporter.listen(Progress("evaluate", 2, 3, "nearly"))
    reporter.finish(status="done", run_id="x")
    assert (on_disk(folder).message, on_disk(folder).status) == ("nearly", "done")


def test_a_cancelled_listener_stops_the_task(folder: Path) -> None:
    reporter = Reporter(folder, running(folder))
    reporter.cancelled = True
    with pytest.raises(JobCancelledError):
        reporter.listen(Progress("train base"))
