"""Version 2: the registry has a key; its log covers every column of every row.

Version 1 named users by a hash with which passphrases could be tried, and its log's plain hashes
could be computed again by whoever changed an entry.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection, insert, select, update

from rbnn.errors import ExitCode
from rbnn.keys import licence
from rbnn.keys.chain import now
from rbnn.keys.errors import LicenceError, RegistryError
from rbnn.keys.migrations import current
from rbnn.keys.migrations.triggers import AUDIT, LICENCES, keep, release
from rbnn.keys.registry_key import RegistryKey, create_key, read_key

revision = "0002"
down_revision = "0001"

_GENESIS = "0" * 64
_DEVICES = sa.table(
    "devices", *map(sa.column, ("public", "sign_public", "board", "helper_record", "enrolled_at"))
)
_LICENCES = sa.table(
    "licences",
    *map(sa.column, ("licence_id", "device", "sequence", "model_id", "model_digest")),
    *map(sa.column, ("task_number", "task_name", "user_fingerprint", "inference_limit")),
    *map(sa.column, ("data", "issued_at")),
)
_AUDIT = sa.table(
    "audit", *map(sa.column, ("number", "time", "event", "subject", "previous", "hash"))
)


def upgrade() -> None:
    """Check what version 1 left, give the registry a key, and log every row under it.

    Raises:
        RegistryError: the log or a row was tampered with.
    """
    migration, connection = current(), op.get_bind()
    head = _GENESIS
    if not migration.is_new:
        head = _check_log(connection, migration.where)
        _check_rows(connection, migration.where)
    meta = op.create_table(
        "meta",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("value", sa.String(64), nullable=False),
    )
    file = migration.key_file
    key = read_key(file, migration.where) if file.exists() else create_key(file)
    if not migration.is_new:
        release(connection, "audit")
        _key_the_log(connection, key, head)
    keep(connection, *AUDIT)
    keep(connection, *LICENCES)
    rows = [{"name": "version", "value": "2"}, {"name": "key", "value": key.check}]
    connection.execute(insert(meta), rows)


def _check_log(connection: Connection, where: str) -> str:
    """The last hash of an unkeyed log.

    Raises:
        RegistryError: it was tampered with.
    """
    previous = _GENESIS
    rows = connection.execute(select(_AUDIT).order_by(_AUDIT.c.number))
    for count, row in enumerate(rows, start=1):
        listed = [row.number, row.time, row.event, row.subject, row.previous]
        hashed = _digest(json.dumps(listed).encode())
        if (row.number, row.previous, row.hash) != (count, previous, hashed):
            raise RegistryError(
                f"The audit log of {where} was tampered with at entry {count}.",
                "Restore it from a backup; entries before that one are sound.",
                exit_code=ExitCode.CHECK_FAILED,
            )
        previous = hashed
    return previous


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def _device(row: Any) -> dict[str, Any]:
    return {
        "device": row.public,
        "sign": row.sign_public,
        "board": row.board,
        "helper": _digest(row.helper_record),
        "enrolled_at": row.enrolled_at,
    }


def _licence(row: Any) -> dict[str, Any]:
    return {
        "licence": row.licence_id,
        "device": row.device,
        "sequence": row.sequence,
        "model": row.model_id,
        "model_digest": row.model_digest,
        "task_number": row.task_number,
        "task": row.task_name,
        "user": row.user_fingerprint,
        "inference_limit": row.inference_limit,
        "hash": _digest(row.data),
        "issued_at": row.issued_at,
    }


def _check_rows(connection: Connection, where: str) -> None:
    """Compare devices and licences with what the first version logged of them, and licences with
    their own bytes.

    Raises:
        RegistryError: names one that was changed, added or removed.
    """
    logged: dict[str, dict[str, Any]] = {"enroll": {}, "issue": {}}
    for event, subject in connection.execute(select(_AUDIT.c.event, _AUDIT.c.subject)):
        said = json.loads(subject)
        logged[event][said["licence" if event == "issue" else "device"]] = said
    devices = {row.public: _device(row) for row in connection.execute(select(_DEVICES))}
    issued = {row.licence_id: row for row in connection.execute(select(_LICENCES))}
    licences = {name: _licence(row) for name, row in issued.items()}
    for kind, known, found in (
        ("device", logged["enroll"], devices),
        ("licence", logged["issue"], licences),
    ):
        for name in sorted({*known, *found}):
            entry, row = known.get(name), found.get(name)
            agrees = entry is not None and row is not None and entry.items() <= row.items()
            if not agrees or (kind == "licence" and not _is_whole(issued[name])):
                raise RegistryError(
                    f"The {kind} {name[:16]}… in {where} is not as the audit log has it.",
                    "Restore the registry from a backup.",
                    exit_code=ExitCode.CHECK_FAILED,
                )


def _is_whole(row: Any) -> bool:
    """Whether a row says of its licence what the licence says itself."""
    try:
        one = licence.parse(row.data)
    except LicenceError:
        return False
    names = (one.licence_id.hex(), one.model_id.hex(), one.model_digest.hex())
    numbers = (one.task_number, one.sequence, one.inference_limit)
    return names == (row.licence_id, row.model_id, row.model_digest) and numbers == (
        row.task_number,
        row.sequence,
        row.inference_limit,
    )


def _key_the_log(connection: Connection, key: RegistryKey, head: str) -> None:
    """Key the log and the users' names; then log that, and every row as it is now."""
    user = _LICENCES.c.user_fingerprint
    for name in connection.scalars(select(user).distinct()).all():
        rename = update(_LICENCES).where(user == name)
        connection.execute(rename.values(user_fingerprint=key.user(name)))
    previous, number = _GENESIS, 0
    for row in connection.execute(select(_AUDIT).order_by(_AUDIT.c.number)).all():
        subject = json.loads(row.subject)
        if "user" in subject:
            subject["user"] = key.user(subject["user"])
        written = json.dumps(subject, sort_keys=True)
        link = key.link([row.number, row.time, row.event, written, previous])
        changed = update(_AUDIT).where(_AUDIT.c.number == row.number)
        connection.execute(changed.values(subject=written, previous=previous, hash=link))
        previous, number = link, row.number
    time = now()
    order = (_LICENCES.c.device, _LICENCES.c.sequence)
    added = [("migrate", {"from": 1, "head": head})]
    rows = connection.execute(select(_DEVICES).order_by(_DEVICES.c.public))
    added += [("adopt-device", _device(row)) for row in rows]
    rows = connection.execute(select(_LICENCES).order_by(*order))
    added += [("adopt-licence", _licence(row)) for row in rows]
    for event, subject in added:
        number += 1
        entry: list[int | str] = [
            number,
            time,
            event,
            json.dumps(subject, sort_keys=True),
            previous,
        ]
        previous = key.link(entry)
        names = ("number", "time", "event", "subject", "previous")
        values = {**dict(zip(names, entry, strict=True)), "hash": previous}
        connection.execute(insert(_AUDIT).values(values))
