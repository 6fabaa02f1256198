"""Triggers that keep a table's rows as they are, whatever program writes to the database."""

from __future__ import annotations

from sqlalchemy import Connection

_NO_CHANGE = (
    "CREATE TRIGGER {0}_keep_{1} BEFORE {2} ON {0} BEGIN SELECT RAISE(ABORT, '{3} only grows'); END"
)
_NEW_ONLY = (  # INSERT OR REPLACE removes a row without a trigger for removals
    "CREATE TRIGGER {0}_keep_order BEFORE INSERT ON {0} "
    "WHEN {1} BEGIN SELECT RAISE(ABORT, '{2} only grows'); END"
)
_CHANGES = {"changes": "UPDATE", "removals": "DELETE"}
_POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_keep() RETURNS trigger AS $$ "
    "BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$ LANGUAGE plpgsql"
)
_POSTGRESQL_TRIGGER = (
    "CREATE TRIGGER {0}_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {0} "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_keep()"
)
AUDIT = ("audit", "the audit log", "NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM audit)")
LICENCES = (
    "licences",
    "the list of licences",
    "EXISTS (SELECT 1 FROM licences WHERE licence_id = NEW.licence_id "
    "OR (device = NEW.device AND sequence = NEW.sequence))",
)
REVOCATIONS = (
    "revocations",
    "the list of revocations",
    "EXISTS (SELECT 1 FROM revocations WHERE licence_id = NEW.licence_id OR number = NEW.number)",
)


def keep(connection: Connection, table: str, name: str, occupied: str) -> None:
    """Let a table only grow.

    Args:
        connection: to the database.
        table: its name.
        name: what it is, for messages.
        occupied: when a new row would take another one's place (SQLite).
    """
    if connection.dialect.name == "sqlite":
        for change, statement in _CHANGES.items():
            connection.exec_driver_sql(_NO_CHANGE.format(table, change, statement, name))
        connection.exec_driver_sql(_NEW_ONLY.format(table, occupied, name))
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_POSTGRESQL_FUNCTION)
        connection.exec_driver_sql(_POSTGRESQL_TRIGGER.format(table))


def release(connection: Connection, table: str) -> None:
    """Remove a table's triggers, to change it in a migration."""
    if connection.dialect.name == "sqlite":
        for change in (*_CHANGES, "order"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_keep_{change}")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_keep ON {table}")
