"""The registry: enrolled devices, issued licences, and an audit log chained by hashes.

One SQLite file by default; any database that SQLAlchemy opens by URL (PostgreSQL) runs the same
code. Nothing secret is stored: helper records and licences are of no use without their keys.

:mod:`rbnn.keys.chain` says what the log detects, and :mod:`rbnn.keys.registry_key` with which key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from rbnn.keys import chain
from rbnn.keys.database import open_database
from rbnn.keys.errors import RegistryError
from rbnn.keys.licence import Licence
from rbnn.keys.records import AuditEntry, Device, IssuedLicence
from rbnn.keys.registry_key import RegistryKey
from rbnn.keys.schema import WRITES
from rbnn.keys.user_key import UserKey

DEFAULT_FILE = Path("registry.sqlite")


class Issuing:
    """The licences of one device that are being issued, in one transaction."""

    def __init__(self, session: Session, device: str, key: RegistryKey) -> None:
        self._session = session
        self._device = device
        self._key = key

    def next_sequence(self) -> int:
        """Number of this device's next licence, from 1."""
        last = self._session.scalar(
            select(func.max(IssuedLicence.sequence)).where(IssuedLicence.device == self._device)
        )
        return (last or 0) + 1

    def add(self, licence: Licence, task_name: str, user: UserKey) -> None:
        """Add a licence.

        Args:
            licence: as issued with :meth:`next_sequence`.
            task_name: for people to read.
            user: the key that opens it.
        """
        issued = IssuedLicence(
            licence_id=licence.licence_id.hex(),
            device=self._device,
            sequence=licence.sequence,
            model_id=licence.model_id.hex(),
            model_digest=licence.model_digest.hex(),
            task_number=licence.task_number,
            task_name=task_name,
            user=self._key.user(user.fingerprint),
            inference_limit=licence.inference_limit,
            data=licence.data,
            issued_at=chain.now(),
        )
        self._session.add(issued)
        self._session.flush()
        chain.append(self._session, self._key, chain.ISSUE, chain.licence_subject(issued))

    def note(self, event: str, subject: Mapping[str, Any]) -> None:
        """Add an entry about this device to the log.

        Args:
            event: its kind.
            subject: what it says; JSON.
        """
        chain.append(self._session, self._key, event, {"device": self._device, **subject})


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
        """All or nothing; writers take turns, so that numbers and chain have no gaps."""
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                session.connection(execution_options={WRITES: writes})
                if writes and self._engine.dialect.name == "postgresql":
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
        self, public: bytes, sign_public: bytes, board: str, helper_record: bytes
    ) -> Device:
        """Add an enrolled device; a known device gets the new helper record.

        Args:
            public: X25519 public key, 32 bytes.
            sign_public: public key of its receipts, 32 bytes.
            board: the board's name.
            helper_record: 3,117 bytes.
        """
        with self._transaction(writes=True) as session:
            device = Device(
                public=public.hex(),
                sign_public=sign_public.hex(),
                board=board,
                helper_record=helper_record,
                enrolled_at=chain.now(),
            )
            device = session.merge(device)
            chain.append(session, self._key, chain.ENROL, chain.device_subject(device))
            return device

    def device(self, public: bytes) -> Device:
        """The device with this X25519 public key.

        Raises:
            RegistryError: it was never enrolled here.
        """
        with self._transaction(writes=False) as session:
            found = session.get(Device, public.hex())
        if found is None:
            raise RegistryError(
                f"The registry {self._where} has no device {public.hex()[:16]}….",
                "Enrol it: rbnn enroll; `rbnn devices` lists the known ones.",
            )
        return found

    def find_device(self, start: str | None) -> Device:
        """The device whose public key starts with these hex digits.

        Args:
            start: hex digits; None for the only device in the registry.

        Raises:
            RegistryError: none or several devices match.
        """
        known = self.devices()
        found = [device for device in known if device.public.startswith((start or "").lower())]
        if len(found) == 1:
            return found[0]
        if not known:
            raise RegistryError(f"The registry {self._where} is empty.", "Enrol: rbnn enroll")
        raise RegistryError(
            f"{len(found)} devices of {self._where} "
            + (f"match {start}." if start else "could be meant: none was named."),
            "Name one by the first digits of its public key; `rbnn devices` lists them.",
        )

    def devices(self) -> Sequence[Device]:
        """All devices, in order of enrolment."""
        with self._transaction(writes=False) as session:
            return session.scalars(select(Device).order_by(Device.enrolled_at, Device.public)).all()

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
        self.device(device)
        with self._transaction(writes=True) as session:
            found = session.get_one(Device, device.hex())
            chain.check_device(session, self._where, self._key, found)
            yield Issuing(session, device.hex(), self._key)

    def licences(self, device: bytes | None = None) -> Sequence[IssuedLicence]:
        """Issued licences, of one device or of all, in order of issue."""
        query = select(IssuedLicence).order_by(IssuedLicence.device, IssuedLicence.sequence)
        if device is not None:
            query = query.where(IssuedLicence.device == device.hex())
        with self._transaction(writes=False) as session:
            return session.scalars(query).all()

    def audit(self) -> Sequence[AuditEntry]:
        """The log, oldest entry first."""
        with self._transaction(writes=False) as session:
            return session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()

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
