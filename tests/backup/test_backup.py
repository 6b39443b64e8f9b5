"""Backups: whole, of one moment while others write, checked on the way back; and nothing else is taken for one."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from guidedrec_core.backup.archive import INDEX
from guidedrec_core.backup.backup import back_up
from guidedrec_core.backup.restore import restore
from guidedrec_core.cli.main import main
from guidedrec_core.database.database import Database
from guidedrec_core.database.tables import Study
from guidedrec_core.errors import DataError, InputError, NotFoundError, StorageError
from guidedrec_core.progress import Progress
from guidedrec_core.runs.store import Run, RunStore


@pytest.fixture
def home(own_home: Path) -> Path:
    """Return a home with two runs, a study, a job's record, an upload, and what no backup holds."""
    store = RunStore(own_home)
    base = made(store, "data")
    made(store, "base", data=base)
    with Database(own_home).write("Ann") as write:
        write.add(Study(name="winter", note=""))
    for name in ("jobs/20261120-141503-3fa9c1/job.json", "uploads/ab/sales.csv", "images/shop/ü 1.png", "note.txt"):
        put(own_home / name, name)
    for name in ("checkpoints/base-1.tmp", "downloads/a.zip", "data/.tmp-20261120-141503-3fa9c1-9/x.json", ".lock"):
        put(own_home / name, name)
    return own_home


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def made(store: RunStore, stage: str, **inputs: Run) -> Run:
    with store.create(stage, {"of": stage}, inputs) as writer:
        writer.write_json("facts", {"stage": stage})
    return writer.run


def files(home: Path) -> dict[str, bytes]:
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def studies(home: Path) -> list[str]:
    with Database(home).read() as session:
        return sorted(session.scalars(select(Study.name)))


def test_what_is_restored_is_what_was_there(home: Path, tmp_path: Path) -> None:
    report = back_up(home, tmp_path / "backups" / "one.zip")
    assert (report.runs, report.damaged) == (2, ())
    assert report.notes == ("not in this backup: checkpoints/ and downloads/, which can be made again",)
    assert [path.name for path in report.path.parent.iterdir()] == ["one.zip"]
    if os.name == "posix":
        assert stat.S_IMODE(report.path.stat().st_mode) == 0o600

    back = restore(report.path, tmp_path / "new")
    assert (back.runs, back.files, back.unreadable, back.notes) == (2, report.files, (), ())
    before, after = files(home), files(tmp_path / "new")
    assert set(before) - set(after) == {
        *("checkpoints/base-1.tmp", "downloads/a.zip", "data/.tmp-20261120-141503-3fa9c1-9/x.json", ".lock"),
        *(name for name in before if name.startswith("guidedrec.db.") or name.startswith("guidedrec.db-")),
    }
    assert {name: after[name] for name in after if name != "guidedrec.db"} == {
        name: before[name] for name in after if name != "guidedrec.db"
    }
    assert studies(tmp_path / "new") == ["winter"]
    for info in RunStore(tmp_path / "new").list():
        assert RunStore(tmp_path / "new").open(info.id).read_json("facts") == {"stage": info.stage}


def test_what_is_still_in_the_log_of_a_database_is_in_the_backup(home: Path, tmp_path: Path) -> None:
    """SQLite keeps new rows in a file of its own while a program has the database open; a plain copy lacks them."""
    with closing(sqlite3.connect(home / "guidedrec.db")) as held:
        held.execute("SELECT * FROM studies").fetchall()
        with Database(home).write("Bob") as write:
            write.add(Study(name="summer", note=""))
        shutil.copyfile(home / "guidedrec.db", tmp_path / "plain.db")
        with closing(sqlite3.connect(tmp_path / "plain.db")) as plain:
            assert len(plain.execute("SELECT * FROM studies").fetchall()) == 1
        restore(back_up(home, tmp_path / "b.zip").path, tmp_path / "new")
    assert studies(tmp_path / "new") == ["summer", "winter"]


def test_a_database_is_copied_as_of_one_moment_while_others_write(home: Path, tmp_path: Path) -> None:
    path, stop, written = home / "replies.sqlite", threading.Event(), threading.Event()
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE pairs (number INTEGER, filler TEXT)")
        base.commit()

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=30)) as base:
            number = 0
            while not stop.is_set():
                with base:
                    for _ in range(2):
                        base.execute("INSERT INTO pairs VALUES (?, ?)", (number, "x" * 5_000))
                number += 1
                if number == 20:
                    written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(30)
        for count in range(3):
            restore(back_up(home, tmp_path / f"{count}.zip").path, tmp_path / f"new{count}")
    finally:
        stop.set()
        writer.join()
    sizes = []
    for count in range(3):
        with closing(sqlite3.connect(tmp_path / f"new{count}" / "replies.sqlite")) as base:
            assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            numbers = [row[0] for row in base.execute("SELECT number FROM pairs ORDER BY rowid")]
        assert numbers == sorted([*range(len(numbers) // 2)] * 2)
        sizes.append(len(numbers))
    assert sizes[0] >= 40
    assert sizes == sorted(sizes)


def test_runs_that_appear_or_are_deleted_meanwhile_leave_no_half(home: Path, tmp_path: Path) -> None:
    store = RunStore(home)
    [base] = store.list("base")

    def meanwhile(event: Progress) -> None:
        if event.step == 1 and len(store.list()) == 2:
            store.delete(base.id)
            made(store, "base", data=store.open(base.inputs["data"]))

    report = back_up(home, tmp_path / "b.zip", meanwhile)
    assert (report.runs, report.damaged) == (1, ())
    back = restore(report.path, tmp_path / "new")
    assert (back.runs, back.unreadable) == (1, ())
    assert not any(".tmp" in name for name in files(tmp_path / "new"))


def test_a_run_may_be_made_from_one_of_any_stage(home: Path, tmp_path: Path) -> None:
    store = RunStore(home)
    made(store, "scores", proposal=made(store, "audit", data=store.open(store.list("data")[0].id)))
    report = back_up(home, tmp_path / "b.zip")
    assert (report.runs, report.damaged) == (4, ())


def test_a_damaged_run_and_what_was_made_from_it_are_left_out_and_named(home: Path, tmp_path: Path) -> None:
    [data], [base] = RunStore(home).list("data"), RunStore(home).list("base")
    (home / "data" / data.id / "facts.json").write_text('{"stage": "dada"}')
    result = CliRunner().invoke(main, ["backup", "--out", str(tmp_path / "b.zip"), "--json"])
    assert result.exit_code == 1, result.output
    report = json.loads(result.stdout)
    assert report["runs"] == 0
    assert [data.id in report["damaged"][0], base.id in report["damaged"][1]] == [True, True]
    assert "checksum differs" in report["damaged"][0]
    assert restore(tmp_path / "b.zip", tmp_path / "new").runs == 0
    assert studies(tmp_path / "new") == ["winter"]


def test_a_damaged_database_ends_it_and_nothing_is_left(home: Path, tmp_path: Path) -> None:
    put(home / "replies.sqlite", "no database" * 1_000)
    with pytest.raises(StorageError, match=r"replies\.sqlite.*restore it from a backup"):
        back_up(home, tmp_path / "b" / "one.zip")
    assert list((tmp_path / "b").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="pipes and links of POSIX")
def test_pipes_and_links_to_folders_are_named_and_not_followed(home: Path, tmp_path: Path) -> None:
    os.mkfifo(home / "uploads" / "pipe")
    (home / "images" / "elsewhere").symlink_to("/etc")
    report = back_up(home, tmp_path / "b.zip")
    assert any("uploads/pipe" in note and "pipe, socket or device" in note for note in report.notes), report.notes
    assert any("images/elsewhere, a link" in note for note in report.notes), report.notes


def test_a_database_on_a_server_is_said_to_be_missing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUIDEDREC_DATABASE_URL", "postgresql://ann:secret@db.example/guidedrec")
    report = back_up(home, tmp_path / "b.zip")
    assert any("pg_dump" in note for note in report.notes)
    [note] = restore(report.path, tmp_path / "new").notes
    assert "guidedrec.db is not used" in note
    assert "secret" not in f"{report.notes}{note}"


def test_nothing_is_overwritten(home: Path, tmp_path: Path) -> None:
    path = back_up(home, tmp_path / "b.zip").path
    for wrong in (path, home / "in.zip"):
        with pytest.raises(InputError, match=r"exists; choose|keep backups elsewhere"):
            back_up(home, wrong)
    with pytest.raises(NotFoundError, match="there is no folder"):
        back_up(tmp_path / "none", tmp_path / "c.zip")
    put(tmp_path / "used" / "a.txt", "mine")
    with pytest.raises(InputError, match="expected a new or empty folder"):
        restore(path, tmp_path / "used")
    assert files(tmp_path / "used") == {"a.txt": b"mine"}
    (tmp_path / "disk" / "lost+found").mkdir(parents=True)
    assert restore(path, tmp_path / "disk").runs == 2


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    change(content)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def renamed(to: str) -> Callable[[dict[str, bytes]], None]:
    def change(content: dict[str, bytes]) -> None:
        index = json.loads(content[INDEX])
        index["files"][to] = index["files"].pop("note.txt")
        content[to] = content.pop("note.txt")
        content[INDEX] = json.dumps(index).encode()

    return change


FORGED: dict[str, Callable[[dict[str, bytes]], None]] = {
    "no index": lambda content: content.pop(INDEX) and None,
    "another file": lambda content: content.update({"more.txt": b""}),
    "a file less": lambda content: content.pop("note.txt") and None,
    "another content": lambda content: content.update({"note.txt": b"n0te.txt"}),
    "a file that unpacks to more": lambda content: content.update({"note.txt": b"0" * 50_000_000}),
    "a name above": renamed("../out.txt"),
    "a name above, within": renamed("a/../../out.txt"),
    "a name from the root": renamed("/tmp/guidedrec-out.txt"),
    "a hidden name": renamed(".streamlit/config.toml"),
    "a name of Windows": renamed("..\\out.txt"),
    "another format": lambda content: content.update({INDEX: content[INDEX].replace(b'version": 1', b'version": 2')}),
    "an index that is no JSON": lambda content: content.update({INDEX: b"[" * 100_000}),
    "an index of another kind": lambda content: content.update({INDEX: b'{"format_version": 1}'}),
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_what_is_no_backup_is_refused_and_nothing_appears(
    home: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    path = back_up(home, tmp_path / "b.zip").path
    rewritten(path, change)
    with pytest.raises(DataError, match=r"b\.zip: expected a backup of `guidedrec backup`, got "):
        restore(path, tmp_path / "new")
    assert files(tmp_path).keys() == {"b.zip", *(f"guidedrec-home/{name}" for name in files(home))}


def test_a_damaged_file_is_refused_wherever_the_damage_is(home: Path, tmp_path: Path) -> None:
    path = back_up(home, tmp_path / "b.zip").path
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        [at] = [about.header_offset for about in archive.infolist() if about.filename == "uploads/ab/sales.csv"]
    for damaged in (
        whole[: len(whole) // 2],
        b"",
        b"PK" + os.urandom(1_000),
        *(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] for place in range(at + 30, at + 80, 7)),
    ):
        path.write_bytes(damaged)
        new = tmp_path / "new"
        try:
            restore(path, new)
        except DataError:
            assert not new.exists() or files(new) == {}
        else:  # the damage was in what ZIP keeps beside the content
            assert files(new)["uploads/ab/sales.csv"] == files(home)["uploads/ab/sales.csv"]
            shutil.rmtree(new)


def test_a_full_disk_is_named_and_leaves_nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = back_up(home, tmp_path / "b.zip").path
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(StorageError, match="free space"):
        restore(path, tmp_path / "new")
    assert files(tmp_path / "new") == {}


def test_a_backup_that_is_killed_leaves_no_file_of_its_name(home: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom guidedrec_core.backup.backup import back_up\n"
        "back_up(Path(sys.argv[1]), Path(sys.argv[2]), lambda event: os._exit(9))"
    )
    done = subprocess.run([sys.executable, "-c", code, home, tmp_path / "b" / "one.zip"], timeout=60, check=False)
    assert done.returncode == 9
    assert not (tmp_path / "b" / "one.zip").exists()


def test_the_commands_say_what_they_did(home: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    first = run(main, ["backup", "--out", str(tmp_path / "b.zip")])
    assert (first.exit_code, "runs                   2" in first.stdout) == (0, True), first.output
    assert run(main, ["backup", "--out", str(tmp_path / "b.zip")]).exit_code == 2
    new = tmp_path / "new"
    second = run(main, ["restore", str(tmp_path / "b.zip"), "--home", str(new)])
    assert (second.exit_code, "runs         2, 0 of them" in second.stdout) == (0, True), second.output
    assert run(main, ["restore", str(tmp_path / "b.zip"), "--home", str(new)]).exit_code == 2
    missing = run(main, ["restore", str(tmp_path / "none.zip"), "--home", str(tmp_path / "other")])
    assert missing.exit_code == 1
    assert "none.zip: No such file" in missing.stderr
