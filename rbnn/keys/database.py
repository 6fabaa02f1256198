"""Opening the registry's database: a file for SQLite, or whatever SQLAlchemy opens by URL."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import stat
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from rbnn.keys import schema
from rbnn.keys.errors import RegistryError
from rbnn.keys.registry_key import RegistryKey, key_file
from rbnn.keys.schema import WRITES

TURN_SECONDS = 120
"""How long a writer of SQLite waits for its turn."""
_CHECKPOINT_PAGES = 4000
"""How long SQLite's log grows before its pages go to the file: 16 MB, hundreds of licences."""
_POSTGRESQL = (
    "For PostgreSQL, install rbnn[postgresql] and use postgresql+psycopg://user@host/name."
)
_SHOWN = {"host", "port", "user", "dbname", "sslmode", "mode", "uri", "cache"}
"""Parameters of a URL that messages keep."""


def is_url(place: str) -> bool:
    """Whether a registry's place is a URL; everything else is a path, ``./a://b`` too."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*(_[A-Za-z0-9]+)*://", place) is not None


def is_there(place: str) -> bool:
    """Whether there may be a registry: a URL's is only known when it is opened."""
    return is_url(place) or Path(place).is_file()


def open_database(place: str, *, create: bool) -> tuple[Engine, str, RegistryKey]:
    """Open a registry's database.

    Args:
        place: a file for SQLite, taken literally, or an SQLAlchemy URL.
        create: make what is missing.

    Returns:
        The database, its name for messages, without a password, and the registry's key.

    Raises:
        RegistryError: it cannot be opened, or is missing and shall not be made.
    """
    where = _scheme(place) if is_url(place) else place
    try:
        url = make_url(place) if is_url(place) else URL.create("sqlite", database=_file(place))
        where = _shown(url) if is_url(place) else place
        file = _sqlite_file(url)
        if file is not None and create:
            file.parent.mkdir(parents=True, exist_ok=True)
        if file is not None and not create and not file.exists():
            raise _missing(where)
        if file is not None:
            _make_private(file)
        is_sqlite = url.get_backend_name() == "sqlite"
        engine = create_engine(url, connect_args={"timeout": TURN_SECONDS} if is_sqlite else {})
        if is_sqlite:
            _prepare_sqlite(engine)
        if not create and not schema.exists(engine):
            raise _missing(where)
        key = schema.prepare(engine, where, key_file(file, url.database))
        if is_sqlite:
            _write_ahead(engine)
    except (ImportError, NoSuchModuleError) as error:
        raise RegistryError(f"Cannot open a registry of this kind: {error}.", _POSTGRESQL) from None
    except (ArgumentError, ValueError, TypeError):
        if not is_url(place):
            raise
        # What they say may hold the password.
        raise RegistryError(
            f"Cannot open the registry {where}: its URL is not understood.",
            f"{_POSTGRESQL} Write special characters of a password as %XX.",
        ) from None
    except (DBAPIError, OSError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise RegistryError(
            f"Cannot open the registry {where}: {reason}.",
            "Check the path, or the database's address and permissions.",
        ) from None
    return engine, where, key


def _scheme(place: str) -> str:
    return f"{place.partition('://')[0]}://…"


def _shown(url: URL) -> str:
    """A URL for messages: without passwords, wherever they are in it."""
    hidden = [name for name in url.query if name not in _SHOWN]
    return url.difference_update_query(hidden).render_as_string(hide_password=True)


def _file(place: str) -> str:
    """The absolute path: SQLite gives names such as ``:memory:`` a meaning of their own."""
    return str(Path(place).absolute())


def _sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database; None for another database or one in memory."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if is_file else None


def _make_private(file: Path) -> None:
    """Make a missing file, and close it and its journals to others: they name users and devices."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    for name in (file.name, *(file.name + end for end in ("-journal", "-wal", "-shm"))):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # another owner's
            path = file.with_name(name)
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077 and path.is_file():
                path.chmod(mode & 0o700)


def _missing(where: str) -> RegistryError:
    return RegistryError(
        f"There is no registry {where}.",
        "Name the right one with --registry; `rbnn flash` and `rbnn enroll` make a new one.",
    )


def _prepare_sqlite(engine: Engine) -> None:
    """Let SQLAlchemy start transactions itself, so that a writer locks before it reads."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA recursive_triggers = ON")  # REPLACE counts as a removal
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA synchronous = FULL")  # what was committed survives a power cut
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _write_ahead(engine: Engine) -> None:
    """Let SQLite wait for the disk once a transaction instead of three times; the file remembers
    it. Where it cannot (a network's disk, or another program reads just now), all works as before.
    """
    raw = engine.raw_connection()
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            raw.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()
