"""The run store: whole or not at all, checked on opening, traceable to its inputs."""

import errno
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guidedrec_core.errors import InputError, NotFoundError, RunCorruptError, StorageError
from guidedrec_core.runs.store import Run, RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "home")


def make(store: RunStore, stage: str = "data", inputs: dict[str, Run] | None = None, **config: object) -> Run:
    with store.create(stage, config=config, inputs=inputs, seed=7) as writer:
        writer.write_json("facts", {"stage": stage})
        writer.summary["stage"] = stage
    return writer.run


def everything(store: RunStore) -> list[str]:
    return sorted(path.name for path in store.home.glob("*/*"))


def test_a_run_is_opened_as_it_was_made(store: RunStore) -> None:
    data = make(store, name="tiny")
    base = make(store, "base", inputs={"data": data}, width=8, sizes=(1, 2))
    opened = store.open(base.id)
    assert opened == base
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", opened.id)
    assert opened.path == store.home / "base" / base.id
    assert (opened.stage, opened.seed, opened.config) == ("base", 7, {"width": 8, "sizes": [1, 2]})
    assert opened.inputs == {"data": data.id}
    assert opened.summary == {"stage": "base"}
    assert opened.created.utcoffset() is not None
    assert everything(store) == sorted([data.id, base.id])


def test_default_home_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIDEDREC_HOME", str(tmp_path))
    assert RunStore.default().home == tmp_path
    monkeypatch.delenv("GUIDEDREC_HOME")
    monkeypatch.chdir(tmp_path)
    assert RunStore.default().home == tmp_path / "runs"


def test_an_exception_leaves_nothing(store: RunStore) -> None:
    def stopped_by_the_user() -> None:
        with store.create("data", config={}) as writer:
            writer.write_json("facts", 1)
            assert len(everything(store)) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_by_the_user()
    assert everything(store) == []


def test_config_must_be_json_and_stage_known(store: RunStore) -> None:
    with pytest.raises(InputError, match="config"), store.create("data", config={"x": float("nan")}):
        pass
    with pytest.raises(InputError, match=r"stage out of data, .+; got 'tea'"), store.create("tea", config={}):
        pass
    with pytest.raises(InputError, match="stage"):
        store.list("tea")


@pytest.mark.parametrize("run_id", ["../../etc", "", ".", "20261120-141503-3fa9c1/..", "٢٠261120-141503-3fa9c1"])
def test_an_id_that_is_none_is_not_looked_up(store: RunStore, run_id: str) -> None:
    make(store)
    for call in (store.open, store.delete):
        with pytest.raises(NotFoundError, match="expected a run id like"):
            call(run_id)


def test_missing_run_and_wrong_stage_say_what_to_do(store: RunStore) -> None:
    with pytest.raises(NotFoundError, match="guidedrec runs list"):
        store.open("20261120-141503-3fa9c1")
    run = make(store)
    with pytest.raises(NotFoundError, match=f"stage base, but {run.id} is of stage data"):
        store.open(run.id, stage="base")


def test_one_changed_byte_is_found(store: RunStore) -> None:
    run = make(store)
    file = run.path / "facts.json"
    content = bytearray(file.read_bytes())
    content[3] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunCorruptError, match=rf"{run.id}.*facts\.json.*checksum"):
        store.open(run.id)
    assert store.open(run.id, verify=False).id == run.id
    assert store.find("data") is None


@pytest.mark.parametrize("damage", ["short", "gone"])
def test_a_missing_or_cut_file_is_found_without_reading_it(store: RunStore, damage: str) -> None:
    run = make(store)
    file = run.path / "facts.json"
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(RunCorruptError, match=r"facts\.json"):
        store.open(run.id, verify=False)
    assert "facts.json" in str(store.list()[0].problem)


def edit_manifest(run: Run, **changes: object) -> None:
    path = run.path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 1}, "format version 1; this guidedrec reads 3"),
        ({"surprise": 1}, "damaged .1 wrong fields"),
        ({"run_id": "20200101-000000-000000"}, "must not be renamed"),
        ({"files": {"../../secret.json": {"sha256": "0", "bytes": 1}}}, "secret.json is missing"),
        ({"inputs": {"data": {"run_id": "../x", "stage": "data", "checksum": ""}}}, r"input '\.\./x'"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_and_listed(
    store: RunStore, changes: dict[str, object], message: str
) -> None:
    sound, run = make(store), make(store, "base")
    edit_manifest(run, **changes)
    with pytest.raises(RunCorruptError, match=message):
        store.open(run.id)
    problems = {info.id: info.problem for info in store.list()}
    assert problems[sound.id] is None
    assert re.search(message, str(problems[run.id]))


def test_listing_survives_any_damage_and_deletes_it(store: RunStore) -> None:
    runs = [make(store) for _ in range(4)]
    (runs[0].path / "manifest.json").write_bytes(b"\xff\x00")
    (runs[1].path / "manifest.json").unlink()
    (runs[2].path / "manifest.json").write_text("[1, 2]")
    (store.home / "data" / "20269999-999999-ffffff").mkdir()
    (store.home / "data" / ".DS_Store").touch()
    (store.home / "data" / f".tmp-20261120-141503-3fa9c1-{os.getpid()}").mkdir()
    infos = store.list("data")
    assert [info.id for info in infos if info.problem is None] == [runs[3].id]
    assert len(infos) == 5
    for info in infos:
        store.delete(info.id)
    assert store.list() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, "nested more than 64 levels deep"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "nested more than 64 levels deep"),
        (b'{"format_version": 3, "summary": {"n": NaN}}', "NaN, which is no JSON"),
        (b'{"format_version": 3, "summary": {"n": 1e999}}', "a number that is too large"),
        (b'{"format_version": 3, "summary": {"n": "\\ud800"}}', "UnicodeEncodeError"),
        (b'{"format_version": 3, "seed": ' + b"9" * 5000 + b"}", "ValueError"),
        (b" " * (16 << 20) + b"{}", "it has more than 16,777,216 bytes"),
        ("pipe", "it is a pipe, socket or device"),
        ("device", "it is a pipe, socket or device"),
        ("folder", "it is a folder"),
        ("loop", "symbolic links"),
    ],
)
def test_no_manifest_stops_the_listing_or_is_read_for_ever(store: RunStore, content: bytes | str, message: str) -> None:
    sound, run = make(store), make(store)
    user = make(store, "base", {"data": run})
    manifest = run.path / "manifest.json"
    manifest.unlink()
    if content == "pipe":
        os.mkfifo(manifest)
    elif content == "device":
        manifest.symlink_to("/dev/zero")
    elif content == "folder":
        manifest.mkdir()
    elif content == "loop":
        manifest.symlink_to(manifest)
    else:
        assert isinstance(content, bytes)
        manifest.write_bytes(content)
    problems = {info.id: info.problem for info in store.list()}
    assert problems[sound.id] is None
    assert message in str(problems[run.id])
    assert len(str(problems[run.id])) < 500
    with pytest.raises(RunCorruptError, match="is damaged"):
        store.open(run.id)
    with pytest.raises(RunCorruptError, match=r"missing in|changed since"):
        store.open(user.id)
    assert store.delete(run.id, cascade=True) == (user.id, run.id)


def test_list_is_newest_first(store: RunStore) -> None:
    made = [make(store, stage).id for stage in ("base", "data", "base")]
    assert [info.id for info in store.list()] == made[::-1]
    assert [info.id for info in store.list("base")] == [made[2], made[0]]
    assert store.list("scores") == []


def test_find_takes_the_newest_that_matches(store: RunStore) -> None:
    data, other = make(store, name="a"), make(store, name="b")
    make(store, "base", inputs={"data": data}, width=8)
    second = make(store, "base", inputs={"data": data}, width=8)
    make(store, "base", inputs={"data": other}, width=8)
    make(store, "base", inputs={"data": data}, width=16)
    assert store.find("base", config={"width": 8}, inputs={"data": data.id}) == second
    assert store.find("base", config={"width": 8}, inputs={"data": data.id}, seed=8) is None
    assert store.find("base", config={"width": 9}) is None
    assert store.find("data", config={"name": "a"}, seed=7) == data
    assert store.find("scores") is None


def test_find_passes_over_damaged_runs(store: RunStore) -> None:
    first, second = make(store), make(store)
    (second.path / "facts.json").write_text('{"stage": "DATA"}')
    assert store.find("data") == first


def test_a_changed_or_missing_input_is_an_error_naming_both(store: RunStore) -> None:
    data = make(store)
    base = make(store, "base", inputs={"data": data})
    edit_manifest(data, summary={"users": 4})
    with pytest.raises(RunCorruptError, match=rf"{base.id}.*{data.id}.*changed"):
        store.open(base.id)
    (data.path / "manifest.json").unlink()
    with pytest.raises(RunCorruptError, match=rf"{base.id}.*{data.id}.*missing"):
        store.open(base.id)


def test_an_input_deleted_while_writing_stops_the_new_run(store: RunStore) -> None:
    data = make(store)
    with (
        pytest.raises(NotFoundError, match=f"made from run {data.id}"),
        store.create("base", config={}, inputs={"data": data}),
    ):
        store.delete(data.id)
    assert everything(store) == []


def test_delete_refuses_while_in_use_and_cascades(store: RunStore) -> None:
    data, apart = make(store), make(store)
    base = make(store, "base", inputs={"data": data})
    refined = make(store, "refined", inputs={"base": base, "data": data})
    with pytest.raises(InputError, match=rf"{refined.id} \(stage refined\), {base.id} \(stage base\)"):
        store.delete(data.id)
    assert store.open(refined.id) == refined
    assert store.delete(data.id, cascade=True) == (refined.id, base.id, data.id)
    assert everything(store) == [apart.id]
    with pytest.raises(NotFoundError):
        store.delete(data.id)


def test_reading_a_deleted_run_says_so(store: RunStore) -> None:
    run = make(store)
    store.delete(run.id)
    with pytest.raises(NotFoundError, match="was deleted"):
        run.read_json("facts")
    with pytest.raises(NotFoundError, match="was deleted"), store.create("base", config={}, inputs={"data": run}):
        pass


WRITER = """
import sys, time
from pathlib import Path
from guidedrec_core.runs.store import RunStore
with RunStore(Path(sys.argv[1])).create("base", config={}) as writer:
    writer.write_json("facts", list(range(1000)))
    print("written", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_no_run_and_is_swept(store: RunStore) -> None:
    make(store)
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(store.home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    assert store.sweep() == 0, "the owner is alive"
    process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while not store.sweep():  # works before the parent has collected the dead child, too
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.communicate()
    assert [info.stage for info in store.list()] == ["data"]
    assert list(store.home.glob("*/.tmp-*")) == []


def test_a_temporary_folder_whose_owner_number_was_given_anew_is_swept(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store.home / "data" / f".tmp-20261120-141503-3fa9c1-{os.getpid()}"
    folder.mkdir(parents=True)
    assert store.sweep() == 0
    monkeypatch.setattr("guidedrec_core.runs.store.start_time", lambda pid: time.time() + 3600)
    assert store.sweep() == 1


def _create_many(home: Path, count: int) -> None:
    for number in range(count):
        make(RunStore(home), number=number)


def test_processes_create_at_once(store: RunStore) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_create_many, args=(store.home, 20)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    infos = store.list()
    assert len(infos) == 40
    assert all(store.open(info.id).read_json("facts") == {"stage": "data"} for info in infos)


def test_runs_made_before_a_moment_are_not_found_again(store: RunStore) -> None:
    before = make(store, name="tiny")
    late = RunStore(store.home, reuse_since=datetime.now(UTC))
    assert store.find("data", config={"name": "tiny"}) == before
    assert late.find("data", config={"name": "tiny"}) is None
    after = make(late, name="tiny")
    assert late.find("data", config={"name": "tiny"}) == after
    assert len(late.list()) == 2


@pytest.fixture
def source(tmp_path: Path) -> RunStore:
    """Another store: a data set and two runs made from it, one from the other."""
    source = RunStore(tmp_path / "source")
    data = make(source, name="tiny")
    make(source, "refined", inputs={"base": make(source, "base", inputs={"data": data}), "data": data})
    return source


class TestCopyMissing:
    def test_runs_are_copied_as_they_are_and_once(self, store: RunStore, source: RunStore) -> None:
        own = make(store, name="own")
        copied = store.copy_missing(source)
        ids = {info.stage: info.id for info in source.list()}
        assert copied == (ids["refined"], ids["base"], ids["data"])  # none before what is made from it
        for run_id in copied:
            assert store.open(run_id).manifest == source.open(run_id).manifest
        assert {info.id for info in store.list()} == {own.id, *copied}
        assert store.copy_missing(source) == ()

    def test_only_what_is_missing_is_copied(self, store: RunStore, source: RunStore) -> None:
        store.copy_missing(source)
        gone = store.delete(next(info.id for info in store.list("base")), cascade=True)
        assert len(gone) == 2
        assert set(store.copy_missing(source)) == set(gone)

    def test_a_damaged_source_copies_nothing(self, store: RunStore, source: RunStore) -> None:
        facts = source.list("base")[0]
        (source.home / "base" / facts.id / "facts.json").write_text('{"stage": "BASE"}')
        with pytest.raises(RunCorruptError, match="checksum"):
            store.copy_missing(source)
        assert everything(store) == []

    @pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "is read-only")])
    def test_a_disk_that_is_full_or_read_only_leaves_nothing(
        self, store: RunStore, source: RunStore, monkeypatch: pytest.MonkeyPatch, number: int, said: str
    ) -> None:
        real = shutil.copyfile

        def full(origin: Path, copy: Path) -> None:
            if origin.parent.parent.name == "data":
                copy.write_bytes(b"ha")
                raise OSError(number, os.strerror(number))
            real(origin, copy)

        monkeypatch.setattr(shutil, "copyfile", full)
        with pytest.raises(StorageError, match=said):
            store.copy_missing(source)
        assert everything(store) == []

    def test_what_a_killed_process_left_half_copied_is_copied_anew(self, store: RunStore, source: RunStore) -> None:
        run_id = source.list("data")[0].id
        half = store.home / "data" / f".tmp-{run_id}-{os.getpid()}"
        half.mkdir(parents=True)
        (half / "facts.json").write_text("{")
        store.copy_missing(source)
        assert store.open(run_id).read_json("facts") == {"stage": "data"}

    def test_first_visitors_at_once(self, store: RunStore, source: RunStore) -> None:
        context = multiprocessing.get_context("fork")
        copied = context.Queue()
        processes = [
            context.Process(target=lambda: copied.put(RunStore(store.home).copy_missing(source))) for _ in range(4)
        ]
        for process in processes:
            process.start()
        counts = sorted(len(copied.get(timeout=30)) for _ in processes)
        for process in processes:
            process.join(30)
            assert process.exitcode == 0
        assert counts == [0, 0, 0, 3]
        assert len(store.list()) == 3
