"""Version 4: which provider issued a licence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import update

from rbnn.keys.migrations import current
from rbnn.keys.migrations.log import note

revision = "0004"
down_revision = "0003"

_META = sa.table("meta", sa.column("name"), sa.column("value"))


def upgrade() -> None:
    """Add the column. It stays empty in what is there: those licences do not name their issuer."""
    connection = op.get_bind()
    op.add_column("licences", sa.Column("provider", sa.String(64)))
    if not current().is_new:
        note(connection, 3)
    connection.execute(update(_META).where(_META.c.name == "version").values(value="4"))
