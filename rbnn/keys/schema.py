"""The registry's tables in the database: made, or brought to this version, in one transaction.

Version 1 had no key: its log was chained by plain hashes, covered no rows, and named users by a
hash with which passphrases could be tried. Version 2 is keyed (:mod:`rbnn.keys.registry_key`).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select, text, update
from sqlalchemy.orm import Session

from rbnn.errors import ExitCode
from rbnn.keys import chain, licence
from rbnn.keys.errors import LicenceError, RegistryError
from rbnn.keys.records import TRIGGERS, AuditEntry, Base, Device, IssuedLicence, Meta
from rbnn.keys.registry_key import RegistryKey, create_key, read_key

VERSION = 2
WRITES = "rbnn_writes"
"""Execution option of a transaction that writes."""
_FIRST_TABLES = {"devices", "licences", "audit"}
_OLD_TRIGGERS = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS audit_keep_changes",
        "DROP TRIGGER IF EXISTS audit_keep_removals",
    ),
    "postgresql": ("DROP TRIGGER IF EXISTS audit_keep ON audit",),
}


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
        state = _state(connection)
    if state.get("version") != str(VERSION):
        with engine.connect() as connection:
            connection = connection.execution_options(**{WRITES: True})
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(1919053422)"))
                state = _state(connection)  # another process may have been faster
                if state.get("version") != str(VERSION):
                    _bring_up(connection, where, key_file, state.get("version"))
                    state = _state(connection)
    return read_key(key_file, where, state["key"])


def _state(connection: Connection) -> dict[str, str]:
    """Rows of the table ``meta``; ``version`` is 1 if only the first version's tables exist."""
    tables = set(inspect(connection).get_table_names())
    if "meta" in tables:
        return {row.name: row.value for row in connection.execute(select(Meta.__table__))}
    return {"version": "1"} if tables >= _FIRST_TABLES else {}


def _bring_up(connection: Connection, where: str, key_file: Path, version: str | None) -> None:
    if version not in (None, "1"):
        raise RegistryError(
            f"The registry {where} has version {version}; this version of rbnn reads {VERSION}.",
            "Use the version of rbnn that wrote it.",
        )
    if version == "1" and key_file.exists():
        raise RegistryError(
            f"The registry {where} was written by an earlier version, but has a key: {key_file}.",
            "Restore the registry from a backup. If you put an old one in its place yourself, or "
            "its migration was interrupted, move the key file away.",
            exit_code=ExitCode.CHECK_FAILED,
        )
    head = chain.GENESIS
    if version == "1":
        head = _check_first_version(connection, where)
        _check_first_rows(connection, where)
    Base.metadata.create_all(connection)
    key = read_key(key_file, where) if key_file.exists() else create_key(key_file)
    if version == "1":
        for statement in _OLD_TRIGGERS.get(connection.dialect.name, ()):
            connection.execute(text(statement))
        _migrate(connection, key, head)
    for statement in TRIGGERS.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)
    values = {"version": str(VERSION), "key": key.check}
    rows = [{"name": name, "value": value} for name, value in values.items()]
    connection.execute(insert(Meta), rows)


def _check_first_version(connection: Connection, where: str) -> str:
    """The last hash of an unkeyed log.

    Raises:
        RegistryError: it was tampered with.
    """
    previous = chain.GENESIS
    rows = connection.execute(select(AuditEntry.__table__).order_by(AuditEntry.number))
    for count, row in enumerate(rows, start=1):
        listed = [row.number, row.time, row.event, row.subject, row.previous]
        hashed = hashlib.blake2b(json.dumps(listed).encode(), digest_size=32).hexdigest()
        if (row.number, row.previous, row.hash) != (count, previous, hashed):
            raise RegistryError(
                f"The audit log of {where} was tampered with at entry {count}.",
                "Restore it from a backup; entries before that one are sound.",
                exit_code=ExitCode.CHECK_FAILED,
            )
        previous = hashed
    return previous


def _check_first_rows(connection: Connection, where: str) -> None:
    """Compare devices and licences with what the first version logged of them, and licences with
    their own bytes.

    Raises:
        RegistryError: names one that was changed, added or removed.
    """
    devices, licences = chain.logged(connection.execute(select(AuditEntry.__table__)).all())
    with Session(connection) as session:
        found = {one.public: chain.device_subject(one) for one in session.scalars(select(Device))}
        issued = {one.licence_id: one for one in session.scalars(select(IssuedLicence))}
        rows = {name: chain.licence_subject(one) for name, one in issued.items()}
        whole = {name: _agrees(one) for name, one in issued.items()}
    for kind, logged, present in (("device", devices, found), ("licence", licences, rows)):
        for name in sorted({*logged, *present}):
            said, row = logged.get(name), present.get(name)
            agrees = said is not None and row is not None and said.items() <= row.items()
            if not agrees or not whole.get(name, True):
                raise RegistryError(
                    f"The {kind} {name[:16]}… in {where} is not as the audit log has it.",
                    "Restore the registry from a backup.",
                    exit_code=ExitCode.CHECK_FAILED,
                )


def _agrees(issued: IssuedLicence) -> bool:
    """Whether a row says of its licence what the licence says itself."""
    try:
        one = licence.parse(issued.data)
    except LicenceError:
        return False
    return (
        (one.licence_id.hex(), one.model_id.hex(), one.model_digest.hex())
        == (issued.licence_id, issued.model_id, issued.model_digest)
    ) and (one.task_number, one.sequence, one.inference_limit) == (
        issued.task_number,
        issued.sequence,
        issued.inference_limit,
    )


def _migrate(connection: Connection, key: RegistryKey, head: str) -> None:
    """Key the log and the users' names; then log that, and every row as it is now."""
    audit = AuditEntry.__table__
    for user in connection.scalars(select(IssuedLicence.user).distinct()).all():
        rename = update(IssuedLicence).where(IssuedLicence.user == user)
        connection.execute(rename.values(user=key.user(user)))
    previous = chain.GENESIS
    for row in connection.execute(select(audit).order_by(AuditEntry.number)).all():
        subject = json.loads(row.subject)
        if "user" in subject:
            subject["user"] = key.user(subject["user"])
        written = json.dumps(subject, sort_keys=True)
        link = key.link([row.number, row.time, row.event, written, previous])
        changed = update(AuditEntry).where(AuditEntry.number == row.number)
        connection.execute(changed.values(subject=written, previous=previous, hash=link))
        previous = link
    with Session(connection) as session:
        chain.append(session, key, chain.MIGRATE, {"from": 1, "head": head})
        for device in session.scalars(select(Device).order_by(Device.public)).all():
            chain.append(session, key, chain.ADOPT_DEVICE, chain.device_subject(device))
        order = (IssuedLicence.device, IssuedLicence.sequence)
        for issued in session.scalars(select(IssuedLicence).order_by(*order)).all():
            chain.append(session, key, chain.ADOPT_LICENCE, chain.licence_subject(issued))
        session.flush()
