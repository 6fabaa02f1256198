"""The log's entry of a migration, from version 3 on."""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy import Connection, insert, select

from rbnn.keys.chain import now
from rbnn.keys.migrations import current
from rbnn.keys.registry_key import read_key

_AUDIT = sa.table(
    "audit", *map(sa.column, ("number", "time", "event", "subject", "previous", "hash", "about"))
)


def note(connection: Connection, version: int) -> None:
    """Log that the registry was migrated.

    Args:
        connection: in the transaction of the migration.
        version: the one that it had.
    """
    migration = current()
    last = connection.execute(select(_AUDIT).order_by(_AUDIT.c.number.desc()).limit(1)).first()
    number, previous = (1, "0" * 64) if last is None else (last.number + 1, last.hash)
    entry: list[int | str] = [number, now(), "migrate", json.dumps({"from": version}), previous]
    link = read_key(migration.key_file, migration.where).link(entry)
    values = dict(zip(("number", "time", "event", "subject", "previous"), entry, strict=True))
    connection.execute(insert(_AUDIT).values({**values, "hash": link, "about": ""}))
