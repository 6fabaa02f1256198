"""Tables of the registry, and the rule that its log and its licences only grow.

The rule is enforced twice: in the session, and in the database by triggers (SQLite and
PostgreSQL), so that it holds for other programs too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, ORMExecuteState, Session, mapped_column

from rbnn.keys.errors import RegistryError


class Base(DeclarativeBase):
    """Root of the registry's tables."""


class Device(Base):
    """An enrolled device; ``public`` is its X25519 public key in hex."""

    __tablename__ = "devices"

    public: Mapped[str] = mapped_column(String(64), primary_key=True)
    sign_public: Mapped[str] = mapped_column(String(64))
    board: Mapped[str] = mapped_column(String(64))
    helper_record: Mapped[bytes] = mapped_column(LargeBinary)
    enrolled_at: Mapped[str] = mapped_column(String(32))


class IssuedLicence(Base):
    """An issued licence; ``data`` is the licence itself, which is not secret."""

    __tablename__ = "licences"
    __table_args__ = (UniqueConstraint("device", "sequence"),)

    licence_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    device: Mapped[str] = mapped_column(ForeignKey("devices.public"))
    sequence: Mapped[int]
    model_id: Mapped[str] = mapped_column(String(32))
    model_digest: Mapped[str] = mapped_column(String(64))
    task_number: Mapped[int]
    task_name: Mapped[str] = mapped_column(String(64))
    user: Mapped[str] = mapped_column("user_fingerprint", String(16))  # RegistryKey.user
    inference_limit: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at: Mapped[str] = mapped_column(String(32))


class Meta(Base):
    """What the registry says of itself: ``version``, and ``key``, the check of its key."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))


class AuditEntry(Base):
    """One link of the audit chain; ``hash`` covers all other members and the previous link."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


def _refuse() -> RegistryError:
    return RegistryError("The audit log only grows: entries are never changed or removed.")


@event.listens_for(Session, "before_flush")
def _refuse_changes(session: Session, *_: Any) -> None:
    if any(isinstance(item, AuditEntry) for item in (*session.dirty, *session.deleted)):
        raise _refuse()


@event.listens_for(Session, "do_orm_execute")
def _refuse_bulk_changes(state: ORMExecuteState) -> None:
    if (state.is_update or state.is_delete) and any(
        mapper.class_ is AuditEntry for mapper in state.all_mappers
    ):
        raise _refuse()


_NO_CHANGE = (
    "CREATE TRIGGER {0}_keep_{1} BEFORE {2} ON {0} BEGIN SELECT RAISE(ABORT, '{3} only grows'); END"
)
_NEXT_ONLY = (  # INSERT OR REPLACE removes a row without a trigger for removals
    "CREATE TRIGGER audit_keep_order BEFORE INSERT ON audit "
    "WHEN NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM audit) "
    "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
)
_NEW_ONLY = (
    "CREATE TRIGGER licences_keep_order BEFORE INSERT ON licences "
    "WHEN EXISTS (SELECT 1 FROM licences WHERE licence_id = NEW.licence_id "
    "OR (device = NEW.device AND sequence = NEW.sequence)) "
    "BEGIN SELECT RAISE(ABORT, 'the list of licences only grows'); END"
)
_POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_keep() RETURNS trigger AS $$ "
    "BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$ LANGUAGE plpgsql"
)
_POSTGRESQL_TRIGGER = (
    "CREATE TRIGGER {0}_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {0} "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_keep()"
)
_TABLES = {"audit": "the audit log", "licences": "the list of licences"}
TRIGGERS = {
    "sqlite": (
        *(
            _NO_CHANGE.format(table, event, statement, name)
            for table, name in _TABLES.items()
            for event, statement in (("changes", "UPDATE"), ("removals", "DELETE"))
        ),
        _NEXT_ONLY,
        _NEW_ONLY,
    ),
    "postgresql": (
        _POSTGRESQL_FUNCTION,
        *(_POSTGRESQL_TRIGGER.format(table) for table in _TABLES),
    ),
}
"""Statements that make the triggers, by kind of database."""
