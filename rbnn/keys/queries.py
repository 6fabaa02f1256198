"""What is asked of the registry. Every query uses an index: none takes longer for more rows, except
those that list them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from rbnn.keys.errors import RegistryError
from rbnn.keys.records import Device, IssuedLicence, Revocation

_NAME_A_DEVICE = (
    "Name one by its name or the first digits of its public key; `rbnn devices` lists them."
)
_MOST_HEX = 64


@dataclass(frozen=True)
class LicenceFilter:
    """Which licences are meant; None wherever all are.

    Args:
        device: X25519 public key of the device, hexadecimal.
        user: first hex digits of the user's name in the registry.
        task: name of the task.
        model: model id, hexadecimal.
        is_revoked: only those that are revoked (or transferred), or only those that are not.
    """

    device: str | None = None
    user: str | None = None
    task: str | None = None
    model: str | None = None
    is_revoked: bool | None = None

    def query(self) -> Select[IssuedLicence]:
        """The licences, by device, in order of issue."""
        query = select(IssuedLicence).order_by(IssuedLicence.device, IssuedLicence.sequence)
        if self.device is not None:
            query = query.where(IssuedLicence.device == self.device)
        if self.user is not None:
            query = query.where(_starts_with(IssuedLicence.user, self.user))
        if self.task is not None:
            query = query.where(IssuedLicence.task_name == self.task)
        if self.model is not None:
            query = query.where(IssuedLicence.model_id == self.model)
        if self.is_revoked is not None:
            revoked = select(Revocation).where(Revocation.licence_id == IssuedLicence.licence_id)
            query = query.where(revoked.exists() if self.is_revoked else ~revoked.exists())
        return query


def _starts_with(names: InstrumentedAttribute[str], start: str) -> ColumnElement[bool]:
    """Whether a name in hex starts with these digits; a range, which every index serves."""
    start = start.lower()
    if not re.fullmatch(r"[0-9a-f]*", start):
        return names == start  # no name has other characters
    return names.between(start, start.ljust(_MOST_HEX, "f"))


def find_device(session: Session, where: str, start: str | None) -> Device:
    """The device of this name, or whose public key starts with these hex digits.

    Args:
        session: on the registry.
        where: the registry, for messages.
        start: name or hex digits; None for the only device in the registry.

    Raises:
        RegistryError: none or several devices match.
    """
    if start == "":
        raise RegistryError("The name of the device is empty.", _NAME_A_DEVICE)
    query = select(Device)
    if start is not None:
        query = query.where(or_(Device.name == start, _starts_with(Device.public, start)))
    found = session.scalars(query.limit(2)).all()
    if len(found) == 1:
        return found[0]
    if session.scalars(select(Device.public).limit(1)).first() is None:
        raise RegistryError(f"The registry {where} is empty.", "Enrol: rbnn enroll")
    raise RegistryError(
        f"{'Several' if found else 'No'} devices of {where} "
        + (f"match {start}." if start else "could be meant: none was named."),
        _NAME_A_DEVICE,
    )


def find_licence(session: Session, where: str, start: str) -> IssuedLicence:
    """The licence whose ``licence_id`` starts with these hex digits.

    Raises:
        RegistryError: none or several licences match.
    """
    query = select(IssuedLicence).where(_starts_with(IssuedLicence.licence_id, start)).limit(2)
    found = session.scalars(query).all()
    if len(found) == 1 and start:
        return found[0]
    raise RegistryError(
        f"{'Several licences' if found else 'No licence'} of {where} "
        f"{'have' if found else 'has'} an id that starts with {start or 'nothing'}.",
        "Name one by the first hex digits of its id, in the column 'licence' of rbnn license list.",
    )


def devices(session: Session) -> Sequence[Device]:
    """All devices, in order of enrolment, without their helper records."""
    order = (Device.enrolled_at, Device.public)
    query = select(Device).options(defer(Device.helper_record, raiseload=True))
    return session.scalars(query.order_by(*order)).all()


def revocations(session: Session, device: str | None) -> Sequence[Revocation]:
    """Revocations, of one device's licences or all, in their order."""
    query = select(Revocation).order_by(Revocation.number)
    if device is not None:
        licences = IssuedLicence.__table__
        query = query.join(licences, licences.c.licence_id == Revocation.licence_id)
        query = query.where(licences.c.device == device)
    return session.scalars(query).all()
