"""What holds for every test: a home of its own, one thread, and no network beyond this machine."""

import ipaddress
import os
import shutil
import socket
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guidedrec_core.runs.store import RunStore
    from guidedrec_core.stages import Build

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when NumPy and torch are first imported, here and in children


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep runs and jobs of a test out of the checkout and away from other tests."""
    home = tmp_path / "guidedrec-home"
    monkeypatch.setenv("GUIDEDREC_HOME", str(home))
    monkeypatch.delenv("GUIDEDREC_DATABASE_URL", raising=False)
    return home


@pytest.fixture(scope="session")
def postgres_server() -> "Iterator[str | None]":
    """Return the address of a PostgreSQL server that tests may fill; None where there is none."""
    import postgres

    with postgres.server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_home(request: pytest.FixtureRequest, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Path]":
    """Return a home with its database in an SQLite file, then one with it on a server, in a schema of its own."""
    if request.param == "sqlite":
        yield own_home
        return
    address = request.getfixturevalue("postgres_server")
    if address is None:
        pytest.skip(
            "no PostgreSQL: install the package postgresql, or set GUIDEDREC_TEST_POSTGRES to a server's address"
        )
    import sqlalchemy as sa

    schema = f"test_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(address.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
    monkeypatch.setenv("GUIDEDREC_DATABASE_URL", f"{address}?options=-csearch_path%3D{schema}")
    try:
        yield own_home
    finally:
        from guidedrec_core.database.engine import engine_of

        engine_of.cache_clear()
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave this machine, by address and by name."""

    def guarded(real: Any) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and not _is_local(address[0]):
                raise RuntimeError(f"a test tried to connect to {address[0]!r}; tests must not use the network")
            return real(self, address)

        return connect

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host and not _is_local(host):
            raise RuntimeError(f"a test tried to look up {host!r}; tests must not use the network")
        return real_resolve(host, *rest, **more)

    real_resolve = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Undo what a training in an earlier test set; importing torch is left to the tests that need it."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_build(tmp_path_factory: pytest.TempPathFactory) -> "Build":
    """Build the tiny shop with every stage, once for all tests: data set ``tiny``. Leave it as it is."""
    import tiny

    from guidedrec_core import stages
    from guidedrec_core.data.importing import import_dataset
    from guidedrec_core.runs.store import RunStore

    folder = tmp_path_factory.mktemp("tiny")
    files = tiny.write_shop(folder)
    store = RunStore(folder / "home")
    stages.store_dataset(store, import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue))
    return stages.build(store, "tiny", tiny.CONFIG, files.scores)


@pytest.fixture
def tiny_home(tiny_build: "Build", own_home: Path) -> Path:
    """Give a test a home of its own that holds the tiny build; it may delete from it."""
    shutil.copytree(tiny_build.data.path.parents[1], own_home)
    return own_home


@pytest.fixture
def shipped_tiny(tiny_build: "Build", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "RunStore":
    """Let the tiny build ship with the package, as the only bundled data set."""
    from guidedrec_core.runs import library, shipped
    from guidedrec_core.runs.store import RunStore

    source = RunStore(tmp_path / "sample_data" / "tiny" / "runs")
    source.copy_missing(RunStore(tiny_build.data.path.parents[1]))
    monkeypatch.setattr(shipped, "sample_data", lambda: tmp_path / "sample_data")
    for module in (library, shipped):
        monkeypatch.setattr(module, "BUNDLED", ("tiny",))
    return source


@pytest.fixture
def nothing_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no built data set ship with the package."""
    from guidedrec_core.runs import shipped

    monkeypatch.setattr(shipped, "shipped_runs", lambda name: None)


def _is_local(host: Any) -> bool:
    """Tell whether a host is this machine."""
    text = host.decode() if isinstance(host, bytes) else str(host)
    if text in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
