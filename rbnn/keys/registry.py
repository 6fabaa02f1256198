"""The registry: enrolled devices, issued licences, and an audit log chained by hashes.

One SQLite file by default; any database that SQLAlchemy opens by URL (PostgreSQL) runs the same
code. Nothing secret is stored: helper records and licences are of no use without their keys.

Entry ``n`` of the log carries ``BLAKE2b-256(number || time || event || subject || previous)`` as
canonical JSON, where ``previous`` is the hash of entry ``n - 1``. So any change, insertion or
removal inside the log is detected. Cutting off its end is detected only by a hash noted elsewhere
(``rbnn devices audit`` prints it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from rbnn.errors import ExitCode
from rbnn.keys.database import WRITES, open_database
from rbnn.keys.errors import RegistryError
from rbnn.keys.licence import Licence
from rbnn.keys.records import AuditEntry, Device, IssuedLicence

DEFAULT_FILE = Path("registry.sqlite")
GENESIS = "0" * 64


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _link_hash(entry: AuditEntry) -> str:
    members = [entry.number, entry.time, entry.event, entry.subject, entry.previous]
    return hashlib.blake2b(json.dumps(members).encode(), digest_size=32).hexdigest()


class Issuing:
    """The licences of one device that are being issued, in one transaction."""

    def __init__(
        self, session: Session, device: str, log: Callable[[Session, str, dict[str, Any]], None]
    ) -> None:
        self._session = session
        self._device = device
        self._log = log

    def next_sequence(self) -> int:
        """Number of this device's next licence, from 1."""
        last = self._session.scalar(
            select(func.max(IssuedLicence.sequence)).where(IssuedLicence.device == self._device)
        )
        return (last or 0) + 1

    def add(self, licence: Licence, task_name: str, user_fingerprint: str) -> None:
        """Add a licence.

        Args:
            licence: as issued with :meth:`next_sequence`.
            task_name: for people to read.
            user_fingerprint: ``UserKey.fingerprint``.
        """
        issued = IssuedLicence(
            licence_id=licence.licence_id.hex(),
            device=self._device,
            sequence=licence.sequence,
            model_id=licence.model_id.hex(),
            model_digest=licence.model_digest.hex(),
            task_number=licence.task_number,
            task_name=task_name,
            user=user_fingerprint,
            inference_limit=licence.inference_limit,
            data=licence.data,
            issued_at=_now(),
        )
        self._session.add(issued)
        subject = {
            "device": self._device,
            "licence": issued.licence_id,
            "model": issued.model_id,
            "sequence": issued.sequence,
            "task": task_name,
            "user": user_fingerprint,
        }
        self._log(self._session, "issue", subject)
        self._session.flush()


class Registry:
    """An open registry; close it, or use it as a context manager."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
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
        engine, where = open_database(str(url_or_path), create=create)
        return cls(engine, where)

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

    @staticmethod
    def _log(session: Session, what: str, subject: dict[str, Any]) -> None:
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
        entry = AuditEntry(
            number=1 if last is None else last.number + 1,
            time=_now(),
            event=what,
            subject=json.dumps(subject, sort_keys=True),
            previous=GENESIS if last is None else last.hash,
        )
        entry.hash = _link_hash(entry)
        session.add(entry)

    def add_device(
        self, public: bytes, sign_public: bytes, board: str, helper_record: bytes
    ) -> Device:
        """Add an enrolled device; a known device gets the new helper record.

        Args:
            public: X25519 public key, 32 bytes.
            sign_public: public key of its receipts, 32 bytes.
            board: the board's name.
            helper_record: 1,349 bytes.
        """
        with self._transaction(writes=True) as session:
            device = Device(
                public=public.hex(),
                sign_public=sign_public.hex(),
                board=board,
                helper_record=helper_record,
                enrolled_at=_now(),
            )
            device = session.merge(device)
            digest = hashlib.blake2b(helper_record, digest_size=32).hexdigest()
            self._log(session, "enroll", {"device": public.hex(), "board": board, "helper": digest})
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
            RegistryError: unknown device, or the database refuses.
        """
        self.device(device)
        with self._transaction(writes=True) as session:
            yield Issuing(session, device.hex(), self._log)

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

    def verify_chain(self) -> tuple[int, str]:
        """Check every link of the log.

        Returns:
            Number of entries, and the last one's hash; note it elsewhere to detect a cut end.

        Raises:
            RegistryError: names the first entry that was changed, inserted or removed.
        """
        previous, count = GENESIS, 0
        for count, entry in enumerate(self.audit(), start=1):
            if (
                entry.number != count
                or entry.previous != previous
                or entry.hash != _link_hash(entry)
            ):
                raise RegistryError(
                    f"The audit log of {self._where} was tampered with at entry {count}.",
                    "Compare it with a backup; entries before that one are sound.",
                    exit_code=ExitCode.CHECK_FAILED,
                )
            previous = entry.hash
        return count, previous
