"""First contact: a device's fingerprint becomes helper data, a public key and a registry entry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rbnn.device.answers import Identity
from rbnn.device.errors import DeviceError, from_error_line
from rbnn.device.identity.attesting import prove, prove_or_warn
from rbnn.device.session import Session
from rbnn.device.target import Say, Target
from rbnn.frozen import Frozen
from rbnn.keys import provisioning
from rbnn.keys.errors import ProvisioningError, RegistryError
from rbnn.keys.registry import Registry
from rbnn.spec.kdf import KEY_BYTES
from rbnn.spec.status import Status

OTHER_FIRMWARE = "library"
"""In place of a board's name: a device whose firmware is not rbnn's own."""
AGAIN = "Enrol it again, as a new device: rbnn enroll --again"


@dataclass(frozen=True)
class KnownDevice:
    """A device that is enrolled and in the registry."""

    public: bytes
    helper_record: bytes
    is_new: bool


class EnrolmentReport(Frozen):
    """What ``rbnn enroll`` did."""

    board: str
    device: str
    """X25519 public key, hexadecimal."""
    sign_public: str
    enrolled_now: bool

    def summary(self) -> str:
        """One line for people."""
        state = "is enrolled" if self.enrolled_now else "was enrolled before"
        return f"Device {self.device} ({self.board}) {state}."


def recognise(
    session: Session, board: str, registry: Registry, say: Say, name: str | None = None
) -> KnownDevice:
    """Find out which device this is; enrol it on first contact.

    Args:
        session: the device, after a power-on.
        board: its board's name.
        registry: where it is looked up or added.
        say: told what happens.
        name: what the registry calls it; None for no name, or the one that it has.

    Raises:
        DeviceError: it was not power-cycled before, or its helper data are damaged.
        AttestationError: it does not have the key that is pinned for it.
        RegistryError: it was enrolled elsewhere, or has another name.
    """
    identity = session.identify()
    if identity.puf == "fresh":
        say("First contact: enrolling the device.")
        enrolment = session.enroll()
        prove(session, enrolment.sign_public)
        registry.add_device(enrolment.public, enrolment.sign_public, board, enrolment.record, name)
        return KnownDevice(enrolment.public, enrolment.record, True)
    _refuse_unusable(identity)
    public = bytes.fromhex(identity.public)
    try:
        record = registry.device(public).helper_record
    except RegistryError as error:
        raise RegistryError(
            f"The device {identity.public[:16]}… is enrolled, but not in this registry.",
            f"Name the registry that contains it: --registry PATH. {AGAIN}",
        ) from error
    prove_or_warn(session, registry, public, say)
    if name is not None:
        registry.name_device(public, name)
    return KnownDevice(public, record, False)


def _refuse_unusable(identity: Identity) -> None:
    if identity.puf == "power-cycle":
        raise _refusal(Status.POWER_CYCLE)
    if identity.puf == "damaged":
        error = _refusal(Status.PUF_HELPER)
        error.fix = AGAIN
        raise error


def _refusal(status: Status) -> DeviceError:
    name = status.name.lower().replace("_", "-")
    return from_error_line(f"e-[{name}: {status.text}]", "id")


def enroll(
    target: Target,
    registry: Registry,
    say: Say,
    *,
    again: bool = False,
    name: str | None = None,
) -> EnrolmentReport:
    """Enrol a board that has the firmware, and write its helper record to it.

    Args:
        target: the board.
        registry: where it is added.
        say: told what happens.
        again: enrol it as a new device: erase its provisioning partition first.
        name: what the registry calls it.

    Raises:
        RbnnError: the board or the registry refuses.
    """
    if again:
        say("Erasing the provisioning partition.")
        target.erase_provisioning()
    if again or _has_no_pattern(target):
        target.power_cycle()
    with target.open() as session:
        device = recognise(session, target.board.name, registry, say, name)
    if device.is_new:
        say("Writing the helper record.")
        target.write_provisioning(provisioning.build(device.helper_record, ()))
        target.power_cycle()
        with target.open() as session:
            confirm(session, device)
    entry = registry.device(device.public)
    return EnrolmentReport(
        board=target.board.name,
        device=entry.public,
        sign_public=entry.sign_public,
        enrolled_now=device.is_new,
    )


def add_enrolled(
    registry: Registry, partition: Path, public: str, sign_public: str, name: str | None = None
) -> EnrolmentReport:
    """Add a device that enrolled itself, with a C library of ``rbnn export --library``.

    Args:
        registry: where it is added.
        partition: file of what ``rbnn_enroll`` made.
        public: X25519 public key, 64 hexadecimal digits.
        sign_public: EdDSA public key, likewise.
        name: what the registry calls it.

    Raises:
        RbnnError: the file or a key is malformed, or another signing key is known of the device.
    """
    try:
        record = provisioning.parse(partition.read_bytes()).helper_record
    except OSError as error:
        raise RegistryError(
            f"Cannot read {partition}: {error.strerror}.",
            "Name the file with the partition that rbnn_enroll made.",
        ) from error
    except ProvisioningError as error:
        error.fix = "Name the file with the partition that rbnn_enroll made, as it is."
        raise
    keys = [_key("--public", public), _key("--sign-public", sign_public)]
    registry.add_device(keys[0], keys[1], OTHER_FIRMWARE, record, name)
    return EnrolmentReport(
        board=OTHER_FIRMWARE, device=keys[0].hex(), sign_public=keys[1].hex(), enrolled_now=True
    )


def _key(option: str, text: str) -> bytes:
    """A public key as it is typed; all zeros are what a device without keys gives."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or not any(key):
        raise RegistryError(
            f"{option} {text!r} is not a public key: 64 hexadecimal digits.",
            "Give the keys that rbnn_public_keys wrote on the enrolled device.",
        )
    return key


def _has_no_pattern(target: Target) -> bool:
    with target.open() as session:
        return session.identify().puf == "power-cycle"


def confirm(session: Session, device: KnownDevice) -> Identity:
    """Check that the device derives the same root key again from what was written.

    Raises:
        DeviceError: it does not.
    """
    identity = session.identify()
    _refuse_unusable(identity)
    if identity.public != device.public.hex():
        error = _refusal(Status.PUF_HELPER)
        error.fix = AGAIN
        raise error
    return identity
