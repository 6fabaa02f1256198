"""The audit log: a chain of keyed hashes that covers every device, licence and revocation.

Entry ``n`` carries the registry key's hash over ``[number, time, event, subject, previous]`` as
JSON, where ``previous`` is the hash of entry ``n - 1``. So whoever lacks the key can change, insert
or remove no entry. The subject of an entry holds every column of the row that it is about, with
BLAKE2b-256 in place of long ones; so rows cannot be changed, added or removed either. Only a cut
end, with the rows that belong to it, needs a hash that was noted elsewhere.

Only :func:`verify` reads the whole log; everything else takes the same time however long it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session, lazyload

from rbnn.errors import ExitCode
from rbnn.keys.errors import RegistryError
from rbnn.keys.records import AuditEntry, Base, Device, IssuedLicence, Revocation
from rbnn.keys.registry_key import RegistryKey

GENESIS = "0" * 64
ENROL, NAME, PIN, ISSUE, MIGRATE = "enroll", "name", "pin", "issue", "migrate"
REVOKE, TRANSFER = "revoke", "transfer"
ADOPT_DEVICE, ADOPT_LICENCE = "adopt-device", "adopt-licence"
"""A row that version 1 wrote, as it was when the registry was migrated."""
_KINDS = {
    **dict.fromkeys((ENROL, NAME, PIN, ADOPT_DEVICE), "device"),
    **dict.fromkeys((ISSUE, ADOPT_LICENCE), "licence"),
    **dict.fromkeys((REVOKE, TRANSFER), "revocation"),
}
_NAMES = {"device": "device", "licence": "licence", "revocation": "licence"}
"""What names a row of each kind in a subject."""
_STREAMED = {"yield_per": 1000}
_MEMBERS = ("number", "time", "event", "subject", "previous")
_AUDIT = Base.metadata.tables[AuditEntry.__tablename__]
# Written once: SQLAlchemy takes longer to write a query than the database to answer it.
_ADD = insert(_AUDIT)
_NEWEST = select(_AUDIT.c.number, _AUDIT.c.hash).order_by(_AUDIT.c.number.desc()).limit(1)
_LAST_WORDS = {
    kind: select(_AUDIT)
    .where(_AUDIT.c.about == bindparam("name"))
    .where(_AUDIT.c.event.in_([event for event, meant in _KINDS.items() if meant == kind]))
    .order_by(_AUDIT.c.number.desc())
    .limit(1)
    for kind in _NAMES
}


def now() -> str:
    """The time, as the registry has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def members(entry: Any) -> list[int | str]:
    """What the hash of an entry, or of a row of its table, covers."""
    return [entry.number, entry.time, entry.event, entry.subject, entry.previous]


def append(session: Session, key: RegistryKey, event: str, subject: Mapping[str, Any]) -> None:
    """Add an entry to the log."""
    session.flush()
    last = session.execute(_NEWEST).first()
    number, previous = (1, GENESIS) if last is None else (last.number + 1, last.hash)
    listed: list[int | str] = [number, now(), event, written(subject), previous]
    values = dict(zip(_MEMBERS, listed, strict=True))
    values |= {"hash": key.link(listed), "about": _about(event, subject)}
    session.execute(_ADD, values)


def written(subject: Mapping[str, Any]) -> str:
    """A subject as the log has it."""
    return json.dumps(subject, sort_keys=True)


def _about(event: str, subject: Mapping[str, Any]) -> str:
    kind = _KINDS.get(event)
    return "" if kind is None else str(subject[_NAMES[kind]])


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def _without_none(subject: dict[str, Any]) -> dict[str, Any]:
    """Columns that an earlier version did not have are left out while they are empty, so that its
    entries stay true."""
    return {name: value for name, value in subject.items() if value is not None}


def device_subject(device: Device) -> dict[str, Any]:
    """What the log says of a device."""
    return _without_none(
        {
            "device": device.public,
            "sign": device.sign_public,
            "board": device.board,
            "helper": _digest(device.helper_record),
            "enrolled_at": device.enrolled_at,
            "name": device.name,
            "pin": device.sign_pin,
        }
    )


def licence_subject(issued: IssuedLicence) -> dict[str, Any]:
    """What the log says of a licence."""
    return _without_none(
        {
            "licence": issued.licence_id,
            "device": issued.device,
            "sequence": issued.sequence,
            "model": issued.model_id,
            "model_digest": issued.model_digest,
            "task_number": issued.task_number,
            "task": issued.task_name,
            "user": issued.user,
            "inference_limit": issued.inference_limit,
            "hash": _digest(issued.data),
            "issued_at": issued.issued_at,
            "provider": issued.provider,
        }
    )


def revocation_subject(revocation: Revocation) -> dict[str, Any]:
    """What the log says of a revocation."""
    receipt = revocation.receipt
    return _without_none(
        {
            "licence": revocation.licence_id,
            "number": revocation.number,
            "revoked_at": revocation.revoked_at,
            "reason": revocation.reason,
            "successor": revocation.successor,
            "receipt": None if receipt is None else _digest(receipt),
        }
    )


def verify(
    session: Session, where: str, key: RegistryKey, noted: str | None = None
) -> tuple[int, str]:
    """Check every link of the log, and every row against it.

    Args:
        session: on the registry, in one transaction.
        where: the registry, for messages.
        key: the registry's.
        noted: a last hash that was noted earlier; it must be in the log.

    Returns:
        Number of entries, and the last one's hash.

    Raises:
        RegistryError: names the first entry or the row that was changed, added or removed.
    """
    previous, count, is_found = GENESIS, 0, noted is None or noted.lower() == GENESIS
    logged: dict[str, dict[str, bytes]] = {kind: {} for kind in _NAMES}
    log = select(AuditEntry).order_by(AuditEntry.number)
    for count, entry in enumerate(session.scalars(log, execution_options=_STREAMED), start=1):
        linked = entry.number == count and entry.previous == previous
        if not linked or entry.hash != key.link(members(entry)):
            raise _tampered(where, f"The audit log of {where} was tampered with at entry {count}.")
        previous = entry.hash
        subject = json.loads(entry.subject)
        if entry.about != _about(entry.event, subject):
            raise _tampered(where, f"The index of {where} was tampered with at entry {count}.")
        if noted is not None:
            is_found = is_found or noted.lower() in (previous, subject.get("head"))
        if kind := _KINDS.get(entry.event):  # its last word on the row
            logged[kind][entry.about] = _short(entry.subject)
    if not is_found:
        raise _tampered(
            where,
            f"No entry of the audit log of {where} has the hash {noted}: its end was cut off.",
        )
    for kind, rows in _rows(session).items():
        _compare(where, kind, logged[kind], rows)
    return count, previous


def _rows(session: Session) -> dict[str, Iterable[dict[str, Any]]]:
    """What the log must say of the rows of each kind."""
    devices = session.scalars(select(Device), execution_options=_STREAMED)
    query = select(IssuedLicence).options(lazyload(IssuedLicence.revocation))
    licences = session.scalars(query, execution_options=_STREAMED)
    revocations = session.scalars(select(Revocation), execution_options=_STREAMED)
    return {
        "device": map(device_subject, devices),
        "licence": map(licence_subject, licences),
        "revocation": map(revocation_subject, revocations),
    }


def _short(subject: str) -> bytes:
    """What :func:`verify` keeps of each subject, so that a million fit in memory."""
    return hashlib.blake2b(subject.encode(), digest_size=32).digest()


def check_device(session: Session, where: str, key: RegistryKey, device: Device) -> None:
    """Check one device against the log's last word on it; reads no other entry.

    Raises:
        RegistryError: it was changed or added by somebody without the registry's key.
    """
    _check(session, where, key, "device", device.public, device_subject(device))


def check_licence(session: Session, where: str, key: RegistryKey, issued: IssuedLicence) -> None:
    """Like :func:`check_device`, for a licence and what was said of its revocation."""
    name, revocation = issued.licence_id, issued.revocation
    _check(session, where, key, "licence", name, licence_subject(issued))
    found = None if revocation is None else revocation_subject(revocation)
    _check(session, where, key, "revocation", name, found)


def _check(
    session: Session, where: str, key: RegistryKey, kind: str, name: str, row: dict[str, Any] | None
) -> None:
    entry = session.execute(_LAST_WORDS[kind], {"name": name}).first()
    logged = {}
    if entry is not None:
        is_sound = entry.hash == key.link(members(entry))
        logged = {name: _short(entry.subject) if is_sound else b""}
    _compare(where, kind, logged, [] if row is None else [row])


def _compare(
    where: str, kind: str, logged: dict[str, bytes], rows: Iterable[dict[str, Any]]
) -> None:
    """Compare rows with what was logged of them, which is used up."""
    for row in rows:
        name = row[_NAMES[kind]]
        said = logged.pop(name, None)
        if said != _short(written(row)):
            raise _behind(where, kind, name, "added" if said is None else "changed")
    if logged:
        raise _behind(where, kind, min(logged), "removed")


def _behind(where: str, kind: str, name: str, what: str) -> RegistryError:
    what = f"The {kind} {name[:16]}… in {where} was {what} behind the audit log's back."
    return _tampered(where, what)


def _tampered(where: str, what: str) -> RegistryError:
    return RegistryError(
        what,
        f"Compare {where} with a backup; the log's entries before the damage are sound.",
        exit_code=ExitCode.CHECK_FAILED,
    )
