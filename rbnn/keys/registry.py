"""The registry: enrolled devices, issued and revoked licences, and an audit log chained by hashes.

One SQLite file by default; any database that SQLAlchemy opens by URL (PostgreSQL) runs the same
code. Nothing secret is stored: helper records and licences are of no use without their keys.

:mod:`rbnn.keys.chain` says what the log detects, :mod:`rbnn.keys.registry_key` with which key,
:mod:`rbnn.keys.migrations` how an earlier version's tables become this one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from rbnn.keys import chain, issuing, queries
from rbnn.keys.database import open_database
from rbnn.keys.errors import RegistryError
from rbnn.keys.issuing import Issuing
from rbnn.keys.queries import LicenceFilter
from rbnn.keys.records import AuditEntry, Device, IssuedLicence, Revocation
from rbnn.keys.registry_key import RegistryKey
from rbnn.keys.schema import WRITES
from rbnn.keys.user_key import UserKey

DEFAULT_FILE = Path("registry.sqlite")


class Registry:
    """An open registry; close it, or use it as a context manager."""

    def __init__(self, engine: Engine, where: str, key: RegistryKey) -> None:
        self._engine = engine
        self._key = key
        self._where = where

    @classmethod
    def open(cls, url_or_path: str | Path = DEFAULT_FILE, *, create: bool = True) -> Registry:
        """Open a registry.

        Args:
            url_or_path: a file for SQLite, taken literally, or an SQLAlchemy URL
                (``postgresql+psycopg://user@host/name``).
            create: make what is missing; otherwise, a registry that is not there is refused.

        Raises:
            RegistryError: it cannot be opened, or there is none.
        """
        return cls(*open_database(str(url_or_path), create=create))

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Session]:
        """All or nothing; writers take turns, so that numbers and chain have no gaps, and readers
        see one state of all tables."""
        is_postgresql = self._engine.dialect.name == "postgresql"
        options: dict[str, Any] = {WRITES: writes}
        if is_postgresql and not writes:
            options["isolation_level"] = "REPEATABLE READ"
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                session.connection(execution_options=options)
                if is_postgresql and writes:
                    session.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
                yield session
        except SQLAlchemyError as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise RegistryError(
                f"The registry {self._where} refused: {reason}.",
                "Free some space, or check its permissions and whether another program uses it; "
                "then run the command again.",
            ) from None

    def add_device(
        self,
        public: bytes,
        sign_public: bytes,
        board: str,
        helper_record: bytes,
        name: str | None = None,
    ) -> Device:
        """Add an enrolled device, and pin the key of its receipts; a known device gets the new
        helper record.

        Args:
            public: X25519 public key, 32 bytes.
            sign_public: EdDSA public key of its receipts, 32 bytes.
            board: the board's name.
            helper_record: 3,117 bytes.
            name: what people call it; None keeps the one that it has.

        Raises:
            RegistryError: another key was pinned for it.
        """
        with self._transaction(writes=True) as session:
            known = session.get(Device, public.hex())
            if known is not None:
                chain.check_device(session, self._where, self._key, known)
                issuing.refuse_another_pin(self._where, known, sign_public)
            device = Device(
                public=public.hex(),
                sign_public=sign_public.hex(),
                board=board,
                helper_record=helper_record,
                enrolled_at=chain.now(),
                name=name or (known.name if known is not None else None),
                sign_pin=sign_public.hex(),
            )
            device = session.merge(device)
            chain.append(session, self._key, chain.ENROL, chain.device_subject(device))
            return device

    def pin(self, device: bytes, sign_public: bytes) -> Device:
        """Pin the key of a device's receipts, once and for all; for devices that were enrolled
        before keys were pinned.

        Args:
            device: X25519 public key, 32 bytes.
            sign_public: EdDSA public key of its receipts, 32 bytes.

        Raises:
            RegistryError: unknown device, or another key was pinned for it or named at enrolment.
        """
        with self._transaction(writes=True) as session:
            found = self._sound(session, device)
            issuing.refuse_another_pin(self._where, found, sign_public)
            if found.sign_pin is None:
                found.sign_pin = sign_public.hex()
                session.flush()
                chain.append(session, self._key, chain.PIN, chain.device_subject(found))
            return found

    def name_device(self, device: bytes, name: str) -> Device:
        """Give a device its name. Raises :class:`RegistryError` if it is unknown, or has another
        one: then it is another board than the one that is meant."""
        with self._transaction(writes=True) as session:
            found = self._sound(session, device)
            issuing.refuse_another_name(self._where, found, name)
            if found.name is None:
                found.name = name
                session.flush()
                chain.append(session, self._key, chain.NAME, chain.device_subject(found))
            return found

    def device(self, public: bytes) -> Device:
        """The device with this X25519 public key. Raises :class:`RegistryError` if it was never
        enrolled here."""
        with self._transaction(writes=False) as session:
            return self._known(session, public)

    def _known(self, session: Session, public: bytes) -> Device:
        found = session.get(Device, public.hex())
        if found is None:
            raise RegistryError(
                f"The registry {self._where} has no device {public.hex()[:16]}….",
                "Enrol it: rbnn enroll; `rbnn devices` lists the known ones.",
            )
        return found

    def _sound(self, session: Session, public: bytes) -> Device:
        """A device that is as the log has it."""
        found = self._known(session, public)
        chain.check_device(session, self._where, self._key, found)
        return found

    def find_device(self, start: str | None) -> Device:
        """The device of this name, or whose public key starts with these hex digits; None for the
        only one. Raises :class:`RegistryError` if none or several match."""
        with self._transaction(writes=False) as session:
            return queries.find_device(session, self._where, start)

    def devices(self) -> Sequence[Device]:
        """All devices, in order of enrolment, without their helper records."""
        with self._transaction(writes=False) as session:
            return queries.devices(session)

    @contextmanager
    def issuing(self, device: bytes) -> Iterator[Issuing]:
        """Issue licences for one device: all of them, or none if anything in the block raises.

        One transaction that other writers wait for, so that no two of them get the same number.

        Args:
            device: X25519 public key of an enrolled device, 32 bytes.

        Raises:
            RegistryError: unknown device, one that the log does not have as it is, or the database
                refuses.
        """
        with self._transaction(writes=True) as session:
            self._sound(session, device)
            yield Issuing(session, device.hex(), self._key)

    def find_licence(self, start: str) -> IssuedLicence:
        """The licence whose number (``licence_id``) starts with these hex digits. Raises
        :class:`RegistryError` if none or several match, or it is not as the log has it."""
        with self._transaction(writes=False) as session:
            found = queries.find_licence(session, self._where, start)
            chain.check_licence(session, self._where, self._key, found)
            return found

    def licences(
        self, device: bytes | None = None, wanted: LicenceFilter | None = None
    ) -> Sequence[IssuedLicence]:
        """Issued licences, of one device or of all, in order of issue; revoked ones too, unless
        ``wanted`` leaves them out."""
        wanted = wanted or LicenceFilter()
        if device is not None:
            wanted = replace(wanted, device=device.hex())
        with self._transaction(writes=False) as session:
            return session.scalars(wanted.query()).all()

    def revoke(self, licence_id: bytes, reason: str) -> Revocation:
        """Revoke a licence; one that is revoked already stays as it is.

        Args:
            licence_id: 16 bytes.
            reason: for people to read, at most 200 characters.

        Raises:
            RegistryError: no such licence, or one that the log does not have as it is.
        """
        with self._transaction(writes=True) as session:
            found = self._licence(session, licence_id)
            return found.revocation or issuing.close(session, self._key, found, reason)

    def is_revoked(self, licence_id: bytes) -> bool:
        """Whether a licence was revoked or transferred. Raises :class:`RegistryError` if it is
        unknown, or not as the log has it."""
        with self._transaction(writes=False) as session:
            return self._licence(session, licence_id).revocation is not None

    def revocations(self, device: bytes | None = None) -> Sequence[Revocation]:
        """Revocations, of one device's licences or of all, in their order."""
        with self._transaction(writes=False) as session:
            return queries.revocations(session, None if device is None else device.hex())

    @contextmanager
    def transferring(
        self, licence_id: bytes, to: bytes, receipt: bytes, reason: str = "transferred"
    ) -> Iterator[Issuing]:
        """Close a licence and issue its successor for another device: both or, if anything in the
        block raises, neither. The block adds one licence, of the same model and task.

        Args:
            licence_id: of the licence to close, 16 bytes.
            to: X25519 public key of the device that gets the successor, 32 bytes.
            receipt: what the old device signed when it gave the licence up. The caller has checked
                it with the ``sign_pin`` of that device.
            reason: for people to read.

        Raises:
            RegistryError: the licence is unknown or closed already, its device has no pinned key,
                or see :meth:`issuing`.
        """
        with self._transaction(writes=True) as session:
            old = self._licence(session, licence_id)
            issuing.check_transfer(session, self._where, self._key, old)
            self._sound(session, to)
            desk = Issuing(session, to.hex(), self._key)
            yield desk
            successor = issuing.the_successor(old, desk.added)
            issuing.close(session, self._key, old, reason, successor, receipt)

    def _licence(self, session: Session, licence_id: bytes) -> IssuedLicence:
        return issuing.licence(session, self._where, self._key, licence_id)

    def audit(self, last: int | None = None) -> Sequence[AuditEntry]:
        """The log, or its last entries, oldest first."""
        query = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(last)
        with self._transaction(writes=False) as session:
            return session.scalars(query).all()[::-1]

    def user(self, key: UserKey) -> str:
        """What this registry calls the owner of a key; without the registry's key, it says
        nothing about it."""
        return self._key.user(key.fingerprint)

    def verify_chain(self, noted: str | None = None) -> tuple[int, str]:
        """Check every link of the log, and every device and licence against it.

        Args:
            noted: a last hash that was noted earlier.

        Returns:
            Number of entries, and the last one's hash; note it elsewhere to detect a cut end.

        Raises:
            RegistryError: names what was changed, added or removed.
        """
        with self._transaction(writes=False) as session:
            return chain.verify(session, self._where, self._key, noted)
