"""A PostgreSQL server for tests: started from Debian's binaries, in a temporary folder, on a free
port of this machine."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

START_SECONDS = 60
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "50",
}


def binaries() -> Path | None:
    """The newest server's folder, of Debian's packages or of PATH."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda file: int(file.parts[-3])).parent
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


def as_user() -> list[str]:
    """The start of a command that does not run as root: PostgreSQL refuses to."""
    if os.getuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
            return ["setpriv", *ids]
    pytest.skip("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")


class PostgresServer:
    """A running server; every database of it is new."""

    def __init__(self, folder: Path, programs: Path) -> None:
        user, data = as_user(), folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        made = [*user, str(programs / "initdb"), "-D", str(data), "-U", "rbnn", "-A", "trust", "-N"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder)
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [*user, str(programs / "postgres"), "-D", str(data), "-p", str(self._port)]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen([*command, *settings], cwd=folder, stderr=log)
        self._count = 0
        self._wait(folder / "log")

    def _wait(self, log: Path) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OperationalError):
                return self._run("SELECT 1")
            assert self._process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.1)

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://rbnn@127.0.0.1:{self._port}/{database}"

    def _run(self, statement: str) -> None:
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    def database(self) -> str:
        """The URL of a new, empty database."""
        self._count += 1
        name = f"registry{self._count}"
        self._run(f"CREATE DATABASE {name}")
        return self._url(name)

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(timeout=START_SECONDS)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for all tests of a session; skips where there is none."""
    programs = binaries()
    if programs is None:
        pytest.skip("needs PostgreSQL's server: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="needs psycopg: pip install rbnn[postgresql]")
    folder = Path(tempfile.mkdtemp(prefix="rbnn-postgres-"))
    if user := as_user():
        owner = user[1].removeprefix("--reuid="), user[2].removeprefix("--regid=")
        os.chown(folder, int(owner[0]), int(owner[1]))
    server = None
    try:
        server = PostgresServer(folder, programs)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a new registry may be, on each kind of database; its key is in ``tmp_path``."""
    if request.param == "sqlite":
        return str(tmp_path / "deep" / "registry.sqlite")
    monkeypatch.setenv("RBNN_REGISTRY_KEY", str(tmp_path / "registry.key"))
    server = request.getfixturevalue("postgres")
    assert isinstance(server, PostgresServer)
    return server.database()
