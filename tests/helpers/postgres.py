"""A PostgreSQL server for tests: the one that CI has started, or one of our own where its programs are installed."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

SERVER = "GUIDEDREC_TEST_POSTGRES"
"""Environment variable with the address of a server whose database tests may fill; `.ci/run` sets it."""


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl; Debian keeps it off the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return servers[0].parent if servers else None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start a server on a free port with its data in a folder, and stop it at the end; yield its address."""
    where = programs()
    assert where is not None
    account = None
    if os.geteuid() == 0:  # the server refuses to run as root
        account = next(name for name in ("postgres", "nobody") if name in {p.pw_name for p in pwd.getpwall()})
        shutil.chown(folder, account)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(*command: object) -> None:
        subprocess.run(
            [str(part) for part in command], check=True, user=account, cwd=folder, timeout=120,
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, extra_groups=[] if account else None,
        )  # fmt: skip

    data = folder / "data"
    call(where / "initdb", "-D", data, "-U", "test", "--auth=trust", "--encoding=UTF8", "--no-sync", "--locale=C")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    call(where / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql://test@127.0.0.1:{port}/postgres"
    finally:
        call(where / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@contextlib.contextmanager
def server() -> Iterator[str | None]:
    """Yield the address of a server for tests; None where there is none."""
    given = os.environ.get(SERVER)
    if given:
        yield given
    elif programs() is None:
        yield None
    else:
        folder = Path(tempfile.mkdtemp(prefix="guidedrec-postgres-"))  # pytest's folders are closed to other users
        try:
            with running(folder) as address:
                yield address
        finally:
            shutil.rmtree(folder, ignore_errors=True)
