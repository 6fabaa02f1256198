"""Issuing and closing licences, inside the registry's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from rbnn.keys import chain
from rbnn.keys.errors import RegistryError
from rbnn.keys.licence import Licence
from rbnn.keys.records import Device, IssuedLicence, Revocation
from rbnn.keys.registry_key import RegistryKey
from rbnn.keys.user_key import UserKey

_LAST_SEQUENCE = select(func.max(IssuedLicence.sequence)).where(
    IssuedLicence.device == bindparam("name")
)
_LAST_REVOCATION = select(func.max(Revocation.number))


class Issuing:
    """The licences of one device that are being issued, in one transaction."""

    def __init__(self, session: Session, device: str, key: RegistryKey) -> None:
        self._session = session
        self._device = device
        self._key = key
        self.added: list[Licence] = []

    def next_sequence(self) -> int:
        """Number of this device's next licence, from 1."""
        last = self._session.scalar(_LAST_SEQUENCE, {"name": self._device})
        return (last or 0) + 1

    def add(
        self, licence: Licence, task_name: str, user: UserKey, provider: bytes | None = None
    ) -> None:
        """Add a licence.

        Args:
            licence: as issued with :meth:`next_sequence`.
            task_name: for people to read.
            user: the key that opens it.
            provider: X25519 public key of who issued it, 32 bytes; None if that is not known.
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
            provider=None if provider is None else provider.hex(),
        )
        self._session.add(issued)
        self._session.flush()
        chain.append(self._session, self._key, chain.ISSUE, chain.licence_subject(issued))
        self.added.append(licence)

    def revoke_task(self, model_id: bytes, task_number: int, reason: str) -> int:
        """Revoke every licence of a task that the device was issued so far.

        Args:
            model_id: 16 bytes.
            task_number: position in the model's task table.
            reason: for people to read, at most 200 characters.

        Returns:
            The first number (sequence) that still counts: that of the device's next licence.
        """
        first = self.next_sequence()
        query = select(IssuedLicence).where(
            IssuedLicence.device == self._device,
            IssuedLicence.model_id == model_id.hex(),
            IssuedLicence.task_number == task_number,
        )
        for one in self._session.scalars(query.order_by(IssuedLicence.sequence)).all():
            if one.revocation is None:
                close(self._session, self._key, one, reason)
        return first

    def note(self, event: str, subject: Mapping[str, Any]) -> None:
        """Add an entry about this device to the log, such as a notice that was made for it.

        Args:
            event: its kind, none of those in :mod:`rbnn.keys.chain`.
            subject: what it says; JSON.
        """
        chain.append(self._session, self._key, event, {"device": self._device, **subject})


def licence(session: Session, where: str, key: RegistryKey, licence_id: bytes) -> IssuedLicence:
    """An issued licence, and what was said of its revocation.

    Args:
        session: on the registry.
        where: the registry, for messages.
        key: the registry's.
        licence_id: 16 bytes.

    Raises:
        RegistryError: no such licence, or one that the log does not have as it is.
    """
    found = session.get(IssuedLicence, licence_id.hex())
    if found is None:
        raise RegistryError(
            f"The registry {where} has no licence {licence_id.hex()[:16]}….",
            "`rbnn license list` lists the issued ones.",
        )
    chain.check_licence(session, where, key, found)
    return found


def close(
    session: Session,
    key: RegistryKey,
    old: IssuedLicence,
    reason: str,
    successor: str | None = None,
    receipt: bytes | None = None,
) -> Revocation:
    """Revoke a licence that counts.

    Args:
        session: on the registry.
        key: the registry's.
        old: the licence.
        reason: for people to read.
        successor: number of the licence that it was transferred to.
        receipt: what its device signed for the transfer.

    Raises:
        RegistryError: the reason is empty or too long.
    """
    most = Revocation.reason.type.length
    if not 0 < len(reason) <= most:
        raise RegistryError(f"A reason has 1 to {most} characters, not {len(reason)}.")
    last = session.scalar(_LAST_REVOCATION)
    closed = Revocation(
        licence_id=old.licence_id,
        number=(last or 0) + 1,
        revoked_at=chain.now(),
        reason=reason,
        successor=successor,
        receipt=receipt,
    )
    session.add(closed)
    session.flush()
    event = chain.REVOKE if successor is None else chain.TRANSFER
    chain.append(session, key, event, chain.revocation_subject(closed))
    return closed


def check_transfer(session: Session, where: str, key: RegistryKey, old: IssuedLicence) -> None:
    """Check that a licence can be transferred.

    Raises:
        RegistryError: it is closed, or its device has no pinned key.
    """
    if old.revocation is not None:
        raise RegistryError(
            f"The licence {old.licence_id[:16]}… was closed at {old.revocation.revoked_at}: "
            f"{old.revocation.reason}.",
            "Issue a new one: rbnn license issue",
        )
    device = session.get_one(Device, old.device)
    chain.check_device(session, where, key, device)
    if device.sign_pin is None:
        raise RegistryError(
            f"The device {device.public[:16]}… was enrolled before the keys of receipts were "
            "pinned, so its receipt proves nothing.",
            "Pin its key at the station, or revoke the licence and issue a new one.",
        )


def the_successor(old: IssuedLicence, issued: Sequence[Licence]) -> str:
    """Number of the one licence that another one is transferred to.

    Raises:
        RegistryError: there is none or more than one, or it is for another model or task.
    """
    if [(one.model_id.hex(), one.task_number) for one in issued] != [
        (old.model_id, old.task_number)
    ]:
        raise RegistryError(
            f"The licence {old.licence_id[:16]}… can only be transferred to one licence of the "
            "same model and task.",
            "Issue others on their own: rbnn license issue",
        )
    return issued[0].licence_id.hex()


def refuse_another_pin(where: str, known: Device, sign_public: bytes) -> None:
    """Check the key of a device's receipts.

    Raises:
        RegistryError: the registry has another one for it.
    """
    if sign_public.hex() != (known.sign_pin or known.sign_public):
        raise RegistryError(
            f"The device {known.public[:16]}… signs with another key than the one that the "
            f"registry {where} has for it.",
            "Check whose device this is: a key that is known never changes. To enrol it as a new "
            "device: rbnn enroll --again",
        )


def refuse_another_name(where: str, known: Device, name: str) -> None:
    """Check the name of a device.

    Raises:
        RegistryError: the registry has another one for it.
    """
    if known.name not in (None, name):
        raise RegistryError(
            f"The device {known.public[:16]}… is {known.name!r} in the registry {where}, not "
            f"{name!r}.",
            f"Plug in the board that is to be {name!r}, or use the name that this one has.",
        )
