"""Connections: SQLite in WAL mode, or PostgreSQL; and their errors in plain words."""

import contextlib
import functools
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, StaticPool, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from guidedrec_core.database.place import DATABASE_URL
from guidedrec_core.database.snapshot import open_read_only
from guidedrec_core.errors import ConfigError, StorageError

_BUSY_SECONDS = 60.0
_WRITES = "guidedrec_writes"
_LOCK_NUMBER = 4_820_650_411
"""Of PostgreSQL's advisory lock, which lets one writer in at a time."""


def server_url(text_: str) -> URL:
    """Return the address of a database as SQLAlchemy wants it.

    Raises
    ------
    ConfigError
        It is no address, or not one of PostgreSQL or SQLite.
    """
    try:
        url = make_url(text_)
    except ArgumentError:
        url = None
    kind = "" if url is None else url.get_backend_name()
    if url is None or kind not in ("postgresql", "postgres", "sqlite"):
        raise ConfigError(
            f"expected {DATABASE_URL} like postgresql://user:password@host/name, got "
            f"{'something else' if url is None else url.render_as_string(hide_password=True)!r}; mend or unset it"
        )
    return url.set(drivername="sqlite+pysqlite" if kind == "sqlite" else "postgresql+psycopg")


@functools.lru_cache(maxsize=16)
def engine_of(url: URL, process: int) -> Engine:
    """Return the engine of a database, one for each process: connections must not be shared with a forked child.

    Raises
    ------
    ConfigError
        The driver of PostgreSQL is missing.
    """
    if url.get_backend_name() == "sqlite":
        return _watched(create_engine(url, poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS}))
    try:
        return _watched(create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10}))
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"expected the package psycopg, which {DATABASE_URL} needs; pip install 'guidedrec[postgres]'"
        ) from error


def memory_copy(file: Path | None) -> Engine:
    """Return an engine of a database in memory, with the content of a file that may not be written."""
    target = sqlite3.connect(":memory:", check_same_thread=False)
    if file is not None:
        with contextlib.closing(open_read_only(file)) as source:
            source.backup(target)
    return _watched(create_engine("sqlite://", creator=lambda: target, poolclass=StaticPool))


def _watched(engine: Engine) -> Engine:
    """Let transactions begin as we say, because SQLite's driver would begin them late, and not for new tables."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could not be retried when another one has written in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES):
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})


@contextlib.contextmanager
def transaction(engine: Engine, writes: bool) -> Iterator[Connection]:
    """Open a connection in a transaction; writers take turns."""
    with engine.connect() as connection:
        connection = connection.execution_options(**{_WRITES: writes})
        with connection.begin():
            yield connection


@contextlib.contextmanager
def named_database_errors(url: URL) -> Iterator[None]:
    """Turn errors of the database into a `StorageError` of one line."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        reason = " ".join(str(cause).split()) or type(cause).__name__
        raise StorageError(f"cannot use the database {_shown(url)}: {reason}; {_advice(url, error)}") from error
    except sqlite3.Error as error:
        raise StorageError(f"cannot use the database {_shown(url)}: {error}; {_advice(url, error)}") from error


def _shown(url: URL) -> str:
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def _advice(url: URL, error: Exception) -> str:
    reason = str(error)
    if url.get_backend_name() != "sqlite":
        return f"check that the server runs, and {DATABASE_URL}"
    if "readonly" in reason or "unable to open" in reason:
        return "mend the folder's rights, or choose another one with --home"
    if "full" in reason:
        return "free some space, or choose another folder with --home"
    if "locked" in reason:
        return f"another program has held it for {_BUSY_SECONDS:g} seconds; try again"
    return "restore it from a backup, or move it away"


def may_write(file: Path) -> bool:
    """Tell whether a SQLite file, which need not exist yet, and its folder can be written."""
    folder = file.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK) and (not file.exists() or os.access(file, os.W_OK))
