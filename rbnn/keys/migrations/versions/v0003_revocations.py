"""Version 3: revocations; names and pinned keys of devices; an index of what the log is about."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection, bindparam, select, update

from rbnn.keys.migrations import current
from rbnn.keys.migrations.log import note
from rbnn.keys.migrations.triggers import AUDIT, REVOCATIONS, keep, release

revision = "0003"
down_revision = "0002"

_BATCH = 10_000
_META = sa.table("meta", sa.column("name"), sa.column("value"))
_AUDIT = sa.table("audit", *map(sa.column, ("number", "subject", "about")))


def upgrade() -> None:
    """Add the columns, tables and indexes. No entry of the log and no row changes."""
    connection = op.get_bind()
    op.add_column("devices", sa.Column("name", sa.String(64)))
    op.add_column("devices", sa.Column("sign_pin", sa.String(64)))
    op.create_index("ix_devices_name", "devices", ["name"])
    op.create_index("ix_licences_user_fingerprint", "licences", ["user_fingerprint"])
    op.create_table(
        "revocations",
        sa.Column(
            "licence_id", sa.String(32), sa.ForeignKey("licences.licence_id"), primary_key=True
        ),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("revoked_at", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("successor", sa.String(32), sa.ForeignKey("licences.licence_id")),
        sa.Column("receipt", sa.LargeBinary),
        sa.UniqueConstraint("number"),
    )
    keep(connection, *REVOCATIONS)
    release(connection, "audit")
    op.add_column("audit", sa.Column("about", sa.String(64), nullable=False, server_default=""))
    if not current().is_new:
        _fill_about(connection)
        note(connection, 2)
    op.create_index("ix_audit_about", "audit", ["about", "number"])
    keep(connection, *AUDIT)
    connection.execute(update(_META).where(_META.c.name == "version").values(value="3"))


def _fill_about(connection: Connection) -> None:
    fill = (
        update(_AUDIT).where(_AUDIT.c.number == bindparam("entry")).values(about=bindparam("named"))
    )
    last = 0
    while True:
        query = select(_AUDIT.c.number, _AUDIT.c.subject).where(_AUDIT.c.number > last)
        rows = connection.execute(query.order_by(_AUDIT.c.number).limit(_BATCH)).all()
        if not rows:
            return
        values = []
        for number, subject in rows:
            said = json.loads(subject)
            named = said.get("licence", said.get("device", ""))
            values.append({"entry": number, "named": named})
        connection.execute(fill, values)
        last = rows[-1].number
