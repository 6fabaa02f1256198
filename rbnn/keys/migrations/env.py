"""What Alembic runs: all revisions, in the transaction that is open already."""

from __future__ import annotations

from alembic import context

from rbnn.keys import migrations

context.configure(
    connection=migrations.current().connection, version_table=migrations.VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
