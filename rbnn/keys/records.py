"""Tables of the registry, and the rule that its log only grows.

The rule is enforced twice: in the session, and in the database by triggers (SQLite and PostgreSQL,
:mod:`rbnn.keys.migrations.triggers`), so that it holds for other programs too. How an earlier
version's tables become these is in :mod:`rbnn.keys.migrations`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, event
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    mapped_column,
    relationship,
)

from rbnn.keys.errors import RegistryError

MOST_NAME = 64
"""Characters of a device's name."""


def is_device_name(name: str) -> bool:
    """Whether a device may have this name: 1 to 64 printable characters, not only blanks."""
    return bool(name.strip()) and len(name) <= MOST_NAME and name.isprintable()


def check_device_name(name: str) -> None:
    """Raises :class:`RegistryError` if no device may have this name."""
    if not is_device_name(name):
        raise RegistryError(
            f"A device cannot be called {name[:MOST_NAME]!r}.",
            f"A name has 1 to {MOST_NAME} printable characters.",
        )


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
    name: Mapped[str | None] = mapped_column(String(MOST_NAME), index=True)
    sign_pin: Mapped[str | None] = mapped_column(String(64))
    """The only key whose receipts count; None for a device that version 2 enrolled."""


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
    user: Mapped[str] = mapped_column("user_fingerprint", String(16), index=True)
    """``RegistryKey.user``"""
    inference_limit: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at: Mapped[str] = mapped_column(String(32))
    provider: Mapped[str | None] = mapped_column(String(64))
    """X25519 public key of who issued it; None if version 3 or an earlier one kept it."""
    revocation: Mapped[Revocation | None] = relationship(
        lazy="joined", viewonly=True, foreign_keys="Revocation.licence_id"
    )


class Revocation(Base):
    """A licence that counts no more; ``number`` counts the registry's revocations, from 1."""

    __tablename__ = "revocations"
    __table_args__ = (UniqueConstraint("number"),)

    licence_id: Mapped[str] = mapped_column(ForeignKey("licences.licence_id"), primary_key=True)
    number: Mapped[int]
    revoked_at: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(200))
    successor: Mapped[str | None] = mapped_column(ForeignKey("licences.licence_id"))
    """The licence that it was transferred to."""
    receipt: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What its device signed when it gave the licence up for the successor."""


class Meta(Base):
    """What the registry says of itself: ``version``, and ``key``, the check of its key."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))


class AuditEntry(Base):
    """One link of the audit chain; ``hash`` covers all other members and the previous link.

    ``about`` is the licence or device that ``subject`` names, for an index to find its entries.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_about", "about", "number"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    about: Mapped[str] = mapped_column(String(64))


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
