"""The registry's tables in the database: made, or brought to this version, in one transaction.

:mod:`rbnn.keys.migrations` has the versions; here is what may be migrated at all. Version 1 had no
key, so whoever can write the database can forge one. It is adopted only where no key exists yet.
From version 2 on, the log is keyed, and all of it is checked before a migration is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, column, inspect, select, table, text
from sqlalchemy.orm import Session

from rbnn.errors import ExitCode
from rbnn.keys import chain, migrations
from rbnn.keys.errors import RegistryError
from rbnn.keys.migrations import Migration
from rbnn.keys.records import Meta
from rbnn.keys.registry_key import RegistryKey, read_key
from rbnn.numbers import whole_number

VERSION = 4
WRITES = "rbnn_writes"
"""Execution option of a transaction that writes."""
_FIRST_TABLES = {"devices", "licences", "audit"}
_TURN = text("SELECT pg_advisory_xact_lock(1919053422)")


@dataclass(frozen=True)
class _State:
    """What is in the database.

    Args:
        version: of the tables; None if there is no registry.
        is_noted: whether Alembic has noted the version.
        check: :attr:`RegistryKey.check` of the registry's key; None before version 2.
    """

    version: int | None
    is_noted: bool = False
    check: str | None = None


def exists(engine: Engine) -> bool:
    """Whether the database holds a registry, of any version."""
    return set(inspect(engine).get_table_names()) >= _FIRST_TABLES


def prepare(engine: Engine, where: str, key_file: Path) -> RegistryKey:
    """Make what is missing, or migrate what an earlier version wrote.

    Args:
        engine: the database.
        where: its name, for messages.
        key_file: the registry's key; made with a new registry.

    Raises:
        RegistryError: key and registry do not belong together, an earlier version's log was
            tampered with, or a later version wrote the registry.
    """
    with engine.connect() as connection:
        state = _state(connection, where)
    if state.version != VERSION:
        with engine.connect() as connection:
            connection = connection.execution_options(**{WRITES: True})
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(_TURN)
                state = _state(connection, where)  # another process may have been faster
                if state.version != VERSION:
                    _bring_up(connection, where, key_file, state)
                    state = _state(connection, where)
    return read_key(key_file, where, state.check)


def _state(connection: Connection, where: str) -> _State:
    """What is in the database.

    Raises:
        RegistryError: a later version wrote it, or it lost the check of its key.
    """
    tables = set(inspect(connection).get_table_names())
    meta: dict[str, str] = {}
    if "meta" in tables:
        meta = {row.name: row.value for row in connection.execute(select(Meta.__table__))}
    said = meta.get("version", "1") if tables >= _FIRST_TABLES else None
    is_noted = migrations.VERSION_TABLE in tables
    if is_noted:
        query = select(table(migrations.VERSION_TABLE, column("version_num")))
        said = connection.scalar(query) or "missing"
    version = None if said is None else whole_number(said)
    if said is not None and (version is None or version > VERSION):
        raise RegistryError(
            f"The registry {where} has version {version or said}; this version of rbnn reads "
            f"{VERSION}.",
            "Use the version of rbnn that wrote it.",
        )
    if version is not None and version > 1 and "key" not in meta:
        raise RegistryError(
            f"The registry {where} does not say which key it has.",
            "Restore it from a backup: somebody removed that behind the audit log's back.",
            exit_code=ExitCode.CHECK_FAILED,
        )
    return _State(version, is_noted, meta.get("key"))


def _bring_up(connection: Connection, where: str, key_file: Path, state: _State) -> None:
    if state.version == 1 and key_file.exists():
        raise RegistryError(
            f"The registry {where} was written by an earlier version, but has a key: {key_file}.",
            "Restore the registry from a backup. If you put an old one in its place yourself, or "
            "its migration was interrupted, move the key file away.",
            exit_code=ExitCode.CHECK_FAILED,
        )
    if state.version is not None and state.version > 1:
        read_key(key_file, where, state.check)  # the right one, before anything is done
    migration = Migration(connection, where, key_file, is_new=state.version is None)
    migrations.migrate(migration, None if state.is_noted else state.version)
    if state.version is not None:
        key = read_key(key_file, where)
        with Session(connection) as session:
            chain.verify(session, where, key)
