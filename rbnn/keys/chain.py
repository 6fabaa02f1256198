"""The audit log: a chain of keyed hashes that covers every device and every licence.

Entry ``n`` carries the registry key's hash over ``[number, time, event, subject, previous]`` as
JSON, where ``previous`` is the hash of entry ``n - 1``. So whoever lacks the key can change, insert
or remove no entry. The subject of an entry holds every column of the row that it is about, with
BLAKE2b-256 in place of long ones; so rows cannot be changed, added or removed either. Only a cut
end, with the rows that belong to it, needs a hash that was noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rbnn.errors import ExitCode
from rbnn.keys.errors import RegistryError
from rbnn.keys.records import AuditEntry, Device, IssuedLicence
from rbnn.keys.registry_key import RegistryKey

GENESIS = "0" * 64
ENROL, ISSUE, MIGRATE = "enroll", "issue", "migrate"
ADOPT_DEVICE, ADOPT_LICENCE = "adopt-device", "adopt-licence"
"""A row that an earlier version wrote, as it was when the registry was migrated."""


def now() -> str:
    """The time, as the registry has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def members(entry: AuditEntry) -> list[int | str]:
    """What an entry's hash covers."""
    return [entry.number, entry.time, entry.event, entry.subject, entry.previous]


def append(session: Session, key: RegistryKey, event: str, subject: Mapping[str, Any]) -> None:
    """Add an entry to the log."""
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
    entry = AuditEntry(
        number=1 if last is None else last.number + 1,
        time=now(),
        event=event,
        subject=json.dumps(subject, sort_keys=True),
        previous=GENESIS if last is None else last.hash,
    )
    entry.hash = key.link(members(entry))
    session.add(entry)
    session.flush()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def device_subject(device: Device) -> dict[str, Any]:
    """What the log says of a device."""
    return {
        "device": device.public,
        "sign": device.sign_public,
        "board": device.board,
        "helper": _digest(device.helper_record),
        "enrolled_at": device.enrolled_at,
    }


def licence_subject(issued: IssuedLicence) -> dict[str, Any]:
    """What the log says of a licence."""
    return {
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
    }


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
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
    previous, count, heads = GENESIS, 0, {GENESIS}
    for count, entry in enumerate(entries, start=1):
        linked = entry.number == count and entry.previous == previous
        if not linked or entry.hash != key.link(members(entry)):
            raise _tampered(where, f"The audit log of {where} was tampered with at entry {count}.")
        previous = entry.hash
        heads.add(previous)
        if entry.event == MIGRATE:
            heads.add(json.loads(entry.subject)["head"])
    if noted is not None and noted.lower() not in heads:
        raise _tampered(
            where,
            f"No entry of the audit log of {where} has the hash {noted}: its end was cut off.",
        )
    devices, licences = logged(entries)
    _compare(
        where, "device", devices, [device_subject(one) for one in session.scalars(select(Device))]
    )
    rows = [licence_subject(one) for one in session.scalars(select(IssuedLicence))]
    _compare(where, "licence", licences, rows)
    return count, previous


def check_device(session: Session, where: str, key: RegistryKey, device: Device) -> None:
    """Check one device against the log's last word on it; needs no other entry.

    Raises:
        RegistryError: it was changed or added by somebody without the registry's key.
    """
    about = (
        AuditEntry.event.in_((ENROL, ADOPT_DEVICE)),
        AuditEntry.subject.contains(device.public),
    )
    query = select(AuditEntry).where(*about).order_by(AuditEntry.number.desc())
    entry = session.scalars(query).first()
    sound = entry is not None and entry.hash == key.link(members(entry))
    logged = {device.public: json.loads(entry.subject)} if entry is not None and sound else {}
    _compare(where, "device", logged, [device_subject(device)])


def logged(
    entries: Sequence[Any],
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """The last word of the log on each device and each licence.

    Args:
        entries: of the log, oldest first, or rows of its table.
    """
    devices, licences = {}, {}
    for entry in entries:
        if entry.event in (ENROL, ADOPT_DEVICE):
            subject = json.loads(entry.subject)
            devices[subject["device"]] = subject
        elif entry.event in (ISSUE, ADOPT_LICENCE):
            subject = json.loads(entry.subject)
            licences[subject["licence"]] = subject
    return devices, licences


def _compare(
    where: str, kind: str, logged: Mapping[str, dict[str, Any]], rows: Sequence[dict[str, Any]]
) -> None:
    found = {row[kind]: row for row in rows}
    for name in sorted({*logged, *found}):
        if logged.get(name) != found.get(name):
            what = "changed" if name in logged else "added"
            what = what if name in found else "removed"
            raise _tampered(
                where, f"The {kind} {name[:16]}… in {where} was {what} behind the audit log's back."
            )


def _tampered(where: str, what: str) -> RegistryError:
    return RegistryError(
        what,
        f"Compare {where} with a backup; the log's entries before the damage are sound.",
        exit_code=ExitCode.CHECK_FAILED,
    )
