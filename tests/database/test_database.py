"""The database: two people never overwrite each other, nothing is lost, and the history says who did what."""

import multiprocessing
import os
import signal
import sqlite3
import stat
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from guidedrec_core.database import database as module
from guidedrec_core.database.database import Database, plain
from guidedrec_core.database.engine import transaction
from guidedrec_core.database.migrations.upgrade import scripts
from guidedrec_core.database.tables import REVISION, Base, Judgement, Note, Study
from guidedrec_core.errors import ConfigError, ConflictError, InputError, NotFoundError, StorageError

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def database(database_home: Path) -> Database:
    return Database(database_home)


def add(database: Database, name: str = "winter", who: str = "Ann") -> Study:
    with database.write(who) as write:
        return write.add(Study(name=name, note=""))


def change(database: Database, study: Study, note: str, who: str, version: int | None = None) -> Study:
    with database.write(who) as write:
        return write.change(Study, study.id, {"note": note}, study.version if version is None else version)


def names(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(sa.select(Study.name)))


def test_every_row_has_author_time_and_version_and_every_change_is_kept(database: Database) -> None:
    study = add(database)
    assert (study.created_by, study.changed_by, study.version) == ("Ann", "Ann", 1)
    assert study.created_at.utcoffset() is not None
    changed = change(database, study, "snow", "Bob")
    assert (changed.created_by, changed.changed_by, changed.version) == ("Ann", "Bob", 2)
    assert changed.created_at == study.created_at < changed.changed_at
    with database.write("Cid") as write:
        write.remove(Study, study.id, 2, why="a double")
    history = database.history(record=Study, record_id=study.id)
    assert [(one.action, one.who, one.why) for one in history] == [
        ("created", "Ann", ""),
        ("changed", "Bob", ""),
        ("deleted", "Cid", "a double"),
    ]
    assert [(one.before or {}).get("note") for one in history] == [None, "", "snow"]
    assert [(one.after or {}).get("note") for one in history] == ["", "snow", None]
    assert history[0].after is not None
    assert history[0].after["created_by"] == "Ann"
    assert [one.number for one in database.history(scope=study.id)] == [one.number for one in history]


def test_of_two_who_edit_the_same_the_second_is_told_who_and_when_and_nothing_is_overwritten(
    database: Database,
) -> None:
    study = add(database)
    seen = study.version
    mine = change(database, study, "by Ann", "Ann", seen)
    with pytest.raises(ConflictError, match=rf"Ann changed study 'winter' on {mine.changed_at:%d %b %Y at %H:%M} UTC"):
        change(database, study, "by Bob", "Bob", seen)
    with database.read() as session:
        stored = session.get_one(Study, study.id)
        assert (stored.note, stored.version) == ("by Ann", 2)
    with database.write("Cid") as write:
        write.remove(Study, study.id, 2)
    with pytest.raises(ConflictError, match=r"Cid deleted it on .* nothing was saved"):
        change(database, study, "by Bob", "Bob", 2)
    with database.write("Bob") as write, pytest.raises(NotFoundError, match="no Study with the id 'nothing'"):
        write.change(Study, "nothing", {}, 1)


def test_a_name_is_taken_once_and_an_author_is_needed(database: Database) -> None:
    add(database)
    with pytest.raises(InputError, match="study 'winter' already exists; choose another name"):
        add(database)
    with pytest.raises(InputError, match="enter your name"):
        add(database, "summer", "  \n")
    assert names(database) == ["winter"]
    assert len(database.history()) == 1


def test_after_an_error_nothing_of_a_block_is_written(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write("Ann") as write:  # noqa: PT012
        write.add(Study(name="half", note=""))
        raise RuntimeError
    assert names(database) == []
    assert database.history() == ()


def test_the_history_only_grows(database: Database) -> None:
    add(database)
    for statement in ("UPDATE changes SET who = 'Eve'", "DELETE FROM changes"):
        with pytest.raises(StorageError, match="the history only grows"), database.write("Eve") as write:
            write.session.execute(sa.text(statement))
    assert [one.who for one in database.history()] == ["Ann"]


def test_any_text_is_kept_and_numbers_are_finite(database: Database) -> None:
    text = 'a\0b "quoted" \udcff \u2028 Zoë 名前 {"x": 1}'
    with database.write("Zoë\n\0 A.") as write:
        note = write.add(Note(about="item", about_id="tent", dataset=None, text=text))
        case = {"pull": 1.5, "items": ["x\0y"], "deep": {"\0": None}}
        judged = write.add(
            Judgement(
                kind="prediction", experiment="e", dataset="d", runs={}, case=case, arm="placebo", answer="left",
                probability=0.7, correct=True,
            )
        )  # fmt: skip
    with database.read() as session:
        assert session.get_one(Note, note.id).text == 'ab "quoted" ? \u2028 Zoë 名前 {"x": 1}'
        assert session.get_one(Note, note.id).created_by == "Zoë A."
        stored = session.get_one(Judgement, judged.id)
        assert stored.case == {"pull": 1.5, "items": ["xy"], "deep": {"": None}}
        assert (stored.probability, stored.correct) == (0.7, True)
    with pytest.raises(InputError, match="finite"):
        plain([float("nan")])
    with pytest.raises(InputError), database.write("Ann") as write:
        write.add(
            Judgement(kind="guess", experiment="e", dataset="d", runs={}, case={}, arm="", answer="", probability=None,
                      correct=None)
        )  # fmt: skip


def test_models_and_migrations_agree(database: Database) -> None:
    add(database)
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == REVISION == scripts().get_current_head()


def test_a_database_of_a_newer_version_is_left_alone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add(database)
    with database.write("Ann") as write:
        write.session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    monkeypatch.setattr(module, "_ready", set())
    with pytest.raises(InputError, match=r"of this version of guidedrec or an earlier one.*9999.*update guidedrec"):
        database.history()
    with pytest.raises(InputError, match="update guidedrec"):
        add(database, "summer")


def write_many(home: Path, who: str, count: int, said: Any) -> None:
    for number in range(count):
        database = Database(home)
        with database.write(who) as write:
            counter = write.session.scalars(sa.select(Study).where(Study.name == "shared")).one()
            write.change(Study, counter.id, {"note": str(int(counter.note) + 1)}, counter.version)
            write.add(Study(name=f"{who} {number}", note=""))
        said.value = number + 1


def start(home: Path, who: str, count: int) -> tuple[Any, Any]:
    said = FORK.Value("i", 0, lock=False)
    process = FORK.Process(target=write_many, args=(home, who, count, said))
    process.start()
    return process, said


def test_writers_in_processes_at_once_lose_nothing(database: Database) -> None:
    with database.write("Ann") as write:
        shared = write.add(Study(name="shared", note="0"))
    people = ("Ann", "Bob", "Cid", "Dee")
    processes = [start(database.home, who, 15)[0] for who in people]
    for process in processes:
        process.join(100)
        assert process.exitcode == 0
    with database.read() as session:
        stored = session.get_one(Study, shared.id)
        assert (stored.note, stored.version) == ("60", 61)
    assert names(database) == sorted(["shared", *(f"{who} {n}" for who in people for n in range(15))])
    notes = [one.after["note"] for one in database.history(record_id=shared.id) if one.after]
    assert notes == [str(n) for n in range(61)]


def create_first(home: Path, who: str, begin: Any) -> None:
    begin.wait(30)
    add(Database(home), who, who)


def test_of_processes_that_all_make_the_database_none_fails(database: Database) -> None:
    begin = FORK.Event()
    processes = [FORK.Process(target=create_first, args=(database.home, f"P{n}", begin)) for n in range(6)]
    for process in processes:
        process.start()
    begin.set()
    for process in processes:
        process.join(100)
        assert process.exitcode == 0
    assert names(database) == [f"P{n}" for n in range(6)]


def test_a_killed_writer_leaves_all_it_said_and_nothing_half(database: Database) -> None:
    with database.write("Ann") as write:
        write.add(Study(name="shared", note="0"))
    told = 0
    for attempt in range(6):
        process, said = start(database.home, f"writer {attempt}", 10**6)
        deadline = time.monotonic() + 60
        while said.value < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.0023 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        process.join(10)
        told += said.value
        found = len(names(database)) - 1
        assert told <= found <= told + 1, "at most the one under way besides"
        with database.read() as session:
            assert session.scalars(sa.select(Study.note).where(Study.name == "shared")).one() == str(found)
        told = found


def test_reading_makes_nothing(own_home: Path) -> None:
    assert Database(own_home).history() == ()
    assert set(Database(own_home).check().values()) == {0}
    assert not own_home.exists()


def test_the_file_is_in_wal_mode_and_readers_see_one_moment_while_somebody_writes(own_home: Path) -> None:
    database = Database(own_home)
    add(database)
    with database.read() as session:
        assert session.scalars(sa.select(Study.name)).all() == ["winter"]
        add(database, "summer")
        assert session.scalars(sa.select(Study.name)).all() == ["winter"]
        assert session.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
    assert names(database) == ["summer", "winter"]


def test_a_home_that_may_only_be_read_is_read_and_an_error_comes_with_the_first_write(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(own_home)
    add(database)
    monkeypatch.setattr("guidedrec_core.database.engine.os.access", lambda *_: False)
    before = (own_home / "guidedrec.db").read_bytes()
    assert names(database) == ["winter"]
    with pytest.raises(
        StorageError, match=r"cannot write to the database .*guidedrec\.db: the disk is read-only.*--home"
    ):
        add(database, "summer")
    assert (own_home / "guidedrec.db").read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_another_user_without_rights_reads_too(own_home: Path) -> None:
    database = Database(own_home)
    add(database)
    for path in (own_home, *own_home.parents):
        if path.stat().st_uid == 0 and path != Path("/"):
            path.chmod(path.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)

    def look(said: Any) -> None:
        os.setgid(65534)
        os.setuid(65534)
        said.value = len(names(Database(own_home)))
        with pytest.raises(StorageError, match="may not write"):
            add(Database(own_home), "summer")
        said.value += 10

    said = FORK.Value("i", 0, lock=False)
    process = FORK.Process(target=look, args=(said,))
    process.start()
    process.join(60)
    assert (process.exitcode, said.value) == (0, 11)


def test_a_damaged_file_is_named(own_home: Path) -> None:
    own_home.mkdir()
    (own_home / "guidedrec.db").write_bytes(b"garbage" * 1000)
    for step in (lambda: add(Database(own_home)), lambda: Database(own_home).history()):
        with pytest.raises(StorageError, match=r"guidedrec\.db: file is not a database; restore it from a backup"):
            step()


def test_a_file_held_by_another_program_is_waited_for(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(own_home)
    add(database)
    monkeypatch.setattr("guidedrec_core.database.engine._BUSY_SECONDS", 0.2)
    module.engine_of.cache_clear()
    other = sqlite3.connect(database.file or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another program has held it"):
        add(database, "summer")
    other.execute("ROLLBACK")
    other.close()
    add(database, "summer")
    module.engine_of.cache_clear()


@pytest.mark.parametrize("address", ["mysql://user:secret@host/name", "nonsense secret", "postgresql+nothing"])
def test_an_address_of_something_else_is_refused_without_its_password(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("GUIDEDREC_DATABASE_URL", address)
    with pytest.raises(ConfigError, match="expected GUIDEDREC_DATABASE_URL like postgresql://") as caught:
        Database(own_home)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_its_password(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv("GUIDEDREC_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/none")
    with pytest.raises(StorageError, match="check that the server runs, and GUIDEDREC_DATABASE_URL") as caught:
        Database(own_home).history()
    assert "secret" not in str(caught.value)


def test_a_migration_that_is_interrupted_leaves_the_tables_as_they_were(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("alembic.op.execute", fail)  # the last step, after all tables
    with pytest.raises(KeyboardInterrupt):
        add(database)
    with transaction(module.engine_of(database.url, os.getpid()), writes=False) as connection:
        assert sa.inspect(connection).get_table_names() == []
    monkeypatch.undo()
    add(Database(database.home) if database.file else database)


def test_numbers_of_changes_are_never_used_again(database: Database) -> None:
    study = add(database)
    last = database.history()[-1].number
    with database.write("Ann") as write:
        write.remove(Study, study.id, None)
    add(database)
    assert [one.number for one in database.history()] == [last, last + 1, last + 2]


def test_answers_of_the_first_version_stay_when_tables_are_added(own_home: Path) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    database, directory = Database(own_home), scripts()
    engine = module.engine_of(database.url, os.getpid())
    own_home.mkdir()
    with transaction(engine, writes=True) as connection:
        steps = directory._upgrade_revs("0001", ())  # type: ignore[arg-type]
        with EnvironmentContext(Config(), directory, fn=lambda *_: steps) as environment:
            environment.configure(connection=connection, target_metadata=Base.metadata)
            environment.run_migrations()
        connection.execute(
            sa.text(
                "INSERT INTO judgements VALUES ('prediction', 'e', 'd', '{}', '{}', 'none', 'x', 0.7, 1, 'id1', 'Ann', "
                "'2026-01-01', 'Ann', '2026-01-01', 1)"
            )
        )
    with database.read() as session:
        row = session.get_one(Judgement, "id1")
        assert (row.arm, row.probability, row.judge_id, row.position) == ("none", 0.7, None, None)
    add(database)
    assert names(database) == ["winter"]
