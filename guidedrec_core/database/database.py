"""Open the database; read it; write to it with author, time, version and history."""

import contextlib
import math
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import filelock
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from guidedrec_core.database.engine import (
    engine_of,
    may_write,
    memory_copy,
    named_database_errors,
    server_url,
    transaction,
)
from guidedrec_core.database.place import database_file, database_url
from guidedrec_core.database.tables import REVISION, Action, Base, Change, Record, new_id
from guidedrec_core.errors import ConflictError, InputError, NotFoundError, StorageError
from guidedrec_core.files import named_storage_errors

R = TypeVar("R", bound=Record)
_LOCK_SECONDS = 60.0
_ready: set[tuple[int, str, int]] = set()
"""Process, address and file of the databases whose tables are known to be up to date."""


class Database:
    """The database of a home. Any number of processes may read and write at once; writers take turns.

    The file and its tables are made by the first write, and tables of an earlier version are brought up to date.

    Parameters
    ----------
    home : pathlib.Path
        The run store's folder.

    Raises
    ------
    ConfigError
        ``GUIDEDREC_DATABASE_URL`` is set to something else than an address of PostgreSQL or SQLite.

    Examples
    --------
    >>> import tempfile
    >>> from guidedrec_core.database.tables import Study
    >>> database = Database(Path(tempfile.mkdtemp()))
    >>> with database.write("Ann") as write:
    ...     study = write.add(Study(name="winter", note=""))
    >>> with database.write("Bob") as write:
    ...     write.change(Study, study.id, {"note": "snow"}, version=study.version).version
    2
    >>> [(one.who, one.action) for one in database.history(record_id=study.id)]
    [('Ann', 'created'), ('Bob', 'changed')]
    """

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().absolute()
        address = database_url()
        self.url = (
            URL.create("sqlite+pysqlite", database=str(database_file(self.home)))
            if address is None
            else server_url(address)
        )

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a server."""
        return Path(str(self.url.database)) if self.url.get_backend_name() == "sqlite" else None

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading: all it reads is of one moment. Nothing is made where there is no database yet.

        Raises
        ------
        StorageError
            The database cannot be reached or read.
        """
        with named_database_errors(self.url):
            engine = self._engine_for_reading()
            with (
                transaction(engine, writes=False) as connection,
                Session(connection, expire_on_commit=False) as session,
            ):
                yield session

    @contextlib.contextmanager
    def write(self, who: str) -> Iterator["Write"]:
        """Open a session for writing: all of it is written at the end of the block, or nothing.

        Parameters
        ----------
        who : str
            The author of the changes.

        Raises
        ------
        InputError
            The author is blank, or a name is taken.
        ConflictError
            Somebody else has changed the record meanwhile.
        StorageError
            The database cannot be reached or written.
        """
        author = one_line(who)
        if not author:
            raise InputError("enter your name; nothing was given")
        with named_database_errors(self.url):
            engine = self._engine_for_writing()
            with transaction(engine, writes=True) as connection, Session(connection, expire_on_commit=False) as session:
                write = Write(session, author)
                yield write
                write.flush()
                session.commit()

    def history(
        self, *, record: type[Record] | None = None, record_id: str | None = None, scope: str | None = None
    ) -> tuple[Change, ...]:
        """Return changes, oldest first.

        Parameters
        ----------
        record : type, optional
            Only of this table.
        record_id : str, optional
            Only of this record.
        scope : str, optional
            Only of what belongs to this; see `Record.scope`.
        """
        query = select(Change).order_by(Change.number)
        if record is not None:
            query = query.where(Change.record == record.__tablename__)
        if record_id is not None:
            query = query.where(Change.record_id == plain(record_id))
        if scope is not None:
            query = query.where(Change.scope == plain(scope))
        with self.read() as session:
            return tuple(session.scalars(query))

    def check(self) -> dict[str, int]:
        """Return the number of rows of every table, after looking for damage.

        Raises
        ------
        StorageError
            The database is damaged or cannot be reached.
        """
        with self.read() as session:
            if self.file is not None:
                found = [str(row[0]) for row in session.execute(text("PRAGMA integrity_check"))]
                if found != ["ok"]:
                    raise StorageError(f"the database {self.file} is damaged: {found[0]}; restore it from a backup")
            tables = Base.metadata.sorted_tables
            return {table.name: len(session.execute(select(*table.primary_key)).all()) for table in tables}

    def _engine_for_writing(self) -> Engine:
        file = self.file
        if file is None:
            engine = engine_of(self.url, os.getpid())
            self._upgraded(engine)
            return engine
        with named_storage_errors(file.parent):
            file.parent.mkdir(parents=True, exist_ok=True)
        if not may_write(file):
            raise StorageError(
                f"cannot write to the database {file}: the disk is read-only, or this user may not write there; mend "
                "that, or choose another folder with --home"
            )
        engine = engine_of(self.url, os.getpid())
        if self._key() not in _ready:
            # Switching to WAL mode fails, instead of waiting, while another process does the same.
            with named_storage_errors(file.parent), filelock.FileLock(f"{file}.lock", timeout=_LOCK_SECONDS):
                self._upgraded(engine)
        return engine

    def _engine_for_reading(self) -> Engine:
        file = self.file
        if file is None or (file.exists() and may_write(file)):
            return self._engine_for_writing()
        engine = memory_copy(file if file.exists() else None)
        if file.exists():
            self._upgraded(engine, remember=False)
        else:
            Base.metadata.create_all(engine)
        return engine

    def _upgraded(self, engine: Engine, remember: bool = True) -> None:
        """Bring the tables up to date."""
        if remember and self._key() in _ready:
            return
        with transaction(engine, writes=False) as connection:
            made = inspect(connection).has_table("alembic_version")
            current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if made else None
        if current != REVISION:
            from guidedrec_core.database.migrations.upgrade import upgrade  # brings Alembic

            with transaction(engine, writes=True) as connection:
                upgrade(connection)
        if remember:
            _ready.add(self._key())

    def _key(self) -> tuple[int, str, int]:
        file = self.file
        try:
            inode = 0 if file is None else file.stat().st_ino
        except FileNotFoundError:
            inode = -1
        return os.getpid(), self.url.render_as_string(hide_password=False), inode


class Write:
    """What can be done in a session for writing.

    Attributes
    ----------
    session : sqlalchemy.orm.Session
        For reading what is to be changed; records are written by the methods, which keep their history.
    who : str
        The author.
    """

    def __init__(self, session: Session, who: str) -> None:
        self.session = session
        self.who = who

    def add(self, record: R, why: str = "", who: str | None = None, at: datetime | None = None) -> R:
        """Add a record.

        Parameters
        ----------
        record : Record
            Without id, authors, times and version, which are filled in here.
        why : str
            The reason, for the history.
        who, at : optional
            The author and the time of what was written elsewhere before; default this session's, and now.

        Raises
        ------
        InputError
            There is one of this name.
        """
        self._clean(record)
        record.id = record.id or new_id()
        record.created_by = record.changed_by = one_line(who or "") or self.who
        record.created_at = record.changed_at = at or datetime.now(UTC)
        record.version = 1
        self.session.add(record)
        self.flush(f"{record.called} already exists; choose another name, or change the old one")
        self._note(record, "created", why, None, record.facts())
        return record

    def change(
        self,
        kind: type[R],
        record_id: str,
        values: Mapping[str, Any],
        version: int | None,
        why: str = "",
        who: str | None = None,
        at: datetime | None = None,
    ) -> R:
        """Change a record.

        Parameters
        ----------
        kind : type
            Its table.
        record_id : str
            Its id.
        values : mapping
            Column to new value.
        version : int or None
            The version that the author has seen; None changes whatever is there.
        why, who, at
            As `add`.

        Raises
        ------
        ConflictError
            It has another version now, or was deleted: nothing is changed.
        NotFoundError
            It never existed.
        """
        record = self.seen(kind, record_id, version)
        before = record.facts()
        for name, value in values.items():
            setattr(record, name, value)
        self._clean(record)
        record.changed_by, record.changed_at = one_line(who or "") or self.who, at or datetime.now(UTC)
        record.version = before["version"] + 1
        self.flush(f"{record.called} already exists; choose another name")
        self._note(record, "changed", why, before, record.facts())
        return record

    def remove(self, kind: type[R], record_id: str, version: int | None, why: str = "") -> R:
        """Delete a record; its history stays. Parameters and errors as `change`."""
        record = self.seen(kind, record_id, version)
        before = record.facts()
        self.session.delete(record)
        self.flush(f"{record.called} is in use")
        self._note(record, "deleted", why, before, None)
        return record

    def seen(self, kind: type[R], record_id: str, version: int | None) -> R:
        """Return a record, if it still has the version that the author has seen; errors as `change`."""
        record = self.session.get(kind, plain(record_id), populate_existing=True)
        if record is None:
            raise self._gone(kind, record_id)
        if version is not None and record.version != version:
            raise ConflictError(
                f"{record.changed_by} changed {record.called} on {_moment(record.changed_at)}, after you opened it; "
                "nothing was overwritten. Load it again, then make your change"
            )
        return record

    def find(self, kind: type[R], columns: Mapping[str, Any]) -> R | None:
        """Return the record with these values, of which there is at most one."""
        query = select(kind).where(*(getattr(kind, name) == plain(value) for name, value in columns.items()))
        return self.session.scalars(query.execution_options(populate_existing=True)).one_or_none()

    def flush(self, taken: str = "it already exists; choose another name") -> None:
        """Send what was done to the database.

        Raises
        ------
        InputError
            It contradicts what is there, e.g. a name that is taken.
        """
        try:
            self.session.flush()
        except IntegrityError as error:
            raise InputError(taken) from error

    def _gone(self, kind: type[Record], record_id: str) -> InputError:
        query = select(Change).where(Change.record == kind.__tablename__, Change.record_id == plain(record_id))
        last = self.session.scalars(query.order_by(Change.number.desc()).limit(1)).first()
        if last is None:
            return NotFoundError(f"there is no {kind.__name__} with the id {record_id!r}")
        return ConflictError(f"{last.who} deleted it on {_moment(last.at)}; nothing was saved")

    def _note(self, record: Record, action: Action, why: str, before: Any, after: Any) -> None:
        deleted = after is None
        self.session.add(
            Change(
                record=record.__tablename__,
                record_id=record.id,
                scope=record.scope,
                action=action,
                who=self.who if deleted else record.changed_by,
                at=datetime.now(UTC) if deleted else record.changed_at,
                why=plain(why),
                before=before,
                after=after,
            )
        )
        self.session.flush()  # one by one, so that changes are numbered in the order in which they were made

    @staticmethod
    def _clean(record: Record) -> None:
        for column in record.__table__.columns:
            value = getattr(record, column.key)
            if (clean := plain(value)) != value:
                setattr(record, column.key, clean)


def plain(value: Any) -> Any:
    r"""Return a value that every database and file can hold: no NUL, no half characters.

    Raises
    ------
    InputError
        It holds a number that is not finite.

    Examples
    --------
    >>> plain({"note": "a\0b", "pull": 1.5})
    {'note': 'ab', 'pull': 1.5}
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"expected a finite number, got {value}")
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def one_line(said: str) -> str:
    """Return a text in one line, as names and reasons are kept."""
    return " ".join(str(plain(said)).split())


def _moment(at: datetime) -> str:
    return f"{at:%d %b %Y at %H:%M} UTC"
