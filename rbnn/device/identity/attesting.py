"""Asking a device to prove that it is the one that was enrolled."""

from __future__ import annotations

from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.device.target import Say, Target
from rbnn.frozen import Frozen
from rbnn.keys.attestation import statement
from rbnn.keys.attestation.statement import Statement
from rbnn.keys.errors import AttestationError
from rbnn.keys.registry import Registry
from rbnn.spec.statement import SIGNATURE_BYTES, STATEMENT, Signed
from rbnn.spec.status import Status

_TIMEOUT_S = 60.0
_FLASH_IT = "Write this version's firmware: rbnn flash --user-key PATH"


class CheckedDevice(Frozen):
    """What ``rbnn devices check`` found: the pinned key signed it, over a fresh challenge."""

    device: str
    """X25519 public key, hexadecimal."""
    name: str | None
    board: str
    firmware: str
    build: str
    protection: str
    model_digest: str
    """Hexadecimal; empty without a model."""
    store_generation: int
    store_slots: int

    def summary(self) -> str:
        """A few lines for people."""
        called = f" ({self.name})" if self.name else ""
        model = f"model {self.model_digest[:16]}…" if self.model_digest else "no model"
        return (
            f"Device {self.device}{called} proved that it has the key that was pinned for it.\n"
            f"It says: firmware {self.firmware}, {self.build} build, {model}, debug port "
            f"{self.protection}, store {self.store_generation}.{self.store_slots}"
        )


def ask(session: Session, command: str, challenge: bytes) -> bytes:
    """Give a command whose answer is signed.

    Args:
        session: the device.
        command: without its challenge.
        challenge: 32 bytes.

    Returns:
        The statement, then its signature; not checked.

    Raises:
        AttestationError: its firmware is too old to know the command.
        DeviceError: it refuses.
    """
    try:
        answer = session.ask(f"{command} {challenge.hex()}", _TIMEOUT_S)
    except DeviceError as error:
        if error.status is Status.UNKNOWN_COMMAND:
            raise AttestationError(
                "The device's firmware is too old to prove which device it is.", _FLASH_IT
            ) from error
        raise
    signed = answer.hexadecimal(answer.one("statement"), STATEMENT.size)
    return signed + answer.hexadecimal(answer.one("attest"), SIGNATURE_BYTES)


def prove(session: Session, sign_public: bytes) -> Statement:
    """Have a device prove that it holds the private key of a public one.

    Raises:
        AttestationError: it does not, or its firmware is too old.
        DeviceError: it has no keys, for instance after a warm reset.
    """
    challenge = statement.new_challenge()
    data = ask(session, "attest", challenge)
    return statement.check(data, sign_public, challenge, Signed.ATTESTATION)


def prove_known(session: Session, registry: Registry, public: bytes) -> Statement:
    """Have a device prove that it is the one that the registry has; the key of a device that was
    enrolled before keys were pinned is pinned then.

    Args:
        session: the device.
        registry: contains it.
        public: X25519 public key that it shows, 32 bytes.

    Raises:
        AttestationError: see :func:`prove`.
        RegistryError: the device is unknown, or not as the log has it.
    """
    known = registry.device(public)
    sign_public = bytes.fromhex(known.sign_pin or known.sign_public)
    proved = prove(session, sign_public)
    registry.pin(public, sign_public)  # and refuse a row that was changed
    return proved


def prove_or_warn(session: Session, registry: Registry, public: bytes, say: Say) -> None:
    """:func:`prove_known`, where firmware of an earlier version is only warned of."""
    try:
        prove_known(session, registry, public)
    except AttestationError as error:
        if not isinstance(error.__cause__, DeviceError):
            raise
        say(f"warning: {error.what} {error.fix}")


def check_device(target: Target, registry: Registry) -> CheckedDevice:
    """Check that a board is a device of the registry.

    Raises:
        RbnnError: it is not, cannot prove it, or does not answer.
    """
    with target.open() as session:
        identity = session.identify()
        if identity.puf != "enrolled":
            raise AttestationError(
                f"The device has no keys to prove itself with: its fingerprint is {identity.puf}.",
                "Switch it off and on (emulated: rbnn board cycle), or enrol it: rbnn enroll",
            )
        public = bytes.fromhex(identity.public)
        proved = prove_known(session, registry, public)
    known = registry.device(public)
    return CheckedDevice(
        device=known.public,
        name=known.name,
        board=known.board,
        firmware=proved.firmware,
        build="development" if proved.development else "release",
        protection=proved.protection,
        model_digest=proved.model_digest.hex() if any(proved.model_digest) else "",
        store_generation=proved.generation,
        store_slots=proved.slots,
    )
