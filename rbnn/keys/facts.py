"""What there is to say of a licence: from the registry, or from its file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rbnn.errors import ExitCode
from rbnn.frozen import Frozen
from rbnn.keys import licence, revocation
from rbnn.keys.errors import LicenceError, RegistryError
from rbnn.keys.records import IssuedLicence
from rbnn.keys.registry import Registry


class LicenceFacts(Frozen):
    """A licence for people and scripts. What only the registry knows is None if it does not know
    the licence."""

    licence: str
    """Its number (licence id), hexadecimal."""
    state: Literal["valid", "revoked", "transferred", "not in this registry"]
    device: str | None = None
    """X25519 public key, hexadecimal."""
    device_name: str | None = None
    board: str | None = None
    sequence: int
    model: str
    model_digest: str
    task_number: int
    task: str | None = None
    user: str | None = None
    """What the registry calls the user."""
    inference_limit: int
    """Inferences with it in all; 0 for no limit."""
    activation_limit: int
    """How often it may make its task active; 0 for no limit."""
    release_only: bool
    """Whether development builds refuse it."""
    issued_at: str | None = None
    revoked_at: str | None = None
    reason: str | None = None
    successor: str | None = None
    """Number of the licence that it was transferred to."""


def of_row(issued: IssuedLicence, registry: Registry | None = None) -> LicenceFacts:
    """What the registry says of a licence.

    Args:
        issued: its row.
        registry: to look up its device; None if that is not wanted.
    """
    closed = issued.revocation
    signed = licence.parse(issued.data)
    device = None if registry is None else registry.device(bytes.fromhex(issued.device))
    return LicenceFacts(
        licence=issued.licence_id,
        state="valid" if closed is None else "transferred" if closed.successor else "revoked",
        device=issued.device,
        device_name=None if device is None else device.name,
        board=None if device is None else device.board,
        sequence=issued.sequence,
        model=issued.model_id,
        model_digest=issued.model_digest,
        task_number=issued.task_number,
        task=issued.task_name,
        user=issued.user,
        inference_limit=issued.inference_limit,
        activation_limit=signed.activation_limit,
        release_only=signed.release_only,
        issued_at=issued.issued_at,
        revoked_at=None if closed is None else closed.revoked_at,
        reason=None if closed is None else closed.reason,
        successor=None if closed is None else closed.successor,
    )


def of_number(start: str, registry: Registry) -> LicenceFacts:
    """What the registry says of the licence whose number starts with these hex digits."""
    return of_row(registry.find_licence(start), registry)


def of_file(file: Path, registry: Registry | None) -> LicenceFacts:
    """What a licence file says, and the registry of it.

    Args:
        file: 164 bytes.
        registry: where it is looked up; None if there is none.

    Raises:
        LicenceError: it is no licence, or not the one that was issued under its number.
    """
    try:
        data = file.read_bytes()
        if revocation.is_notice(data):
            raise LicenceError(
                "it is a notice of revocation.", "Give it to its board: rbnn license install FILE"
            )
        one = licence.parse(data)
    except OSError as error:
        raise LicenceError(
            f"Cannot read {file}: {error.strerror}.", "Name the file of a licence, or its number."
        ) from error
    except LicenceError as error:
        error.what = f"{file} is no licence file: {error.what}"
        raise
    issued = None if registry is None else _row(one.licence_id, registry)
    if issued is None:
        return LicenceFacts(
            licence=one.licence_id.hex(),
            state="not in this registry",
            sequence=one.sequence,
            model=one.model_id.hex(),
            model_digest=one.model_digest.hex(),
            task_number=one.task_number,
            inference_limit=one.inference_limit,
            activation_limit=one.activation_limit,
            release_only=one.release_only,
        )
    if issued.data != one.data:
        raise LicenceError(
            f"{file} is not the licence that was issued as {issued.licence_id[:16]}…: it was "
            "changed.",
            "Ask for the file again, or issue a new one: rbnn license issue",
            exit_code=ExitCode.CHECK_FAILED,
        )
    return of_row(issued, registry)


def _row(licence_id: bytes, registry: Registry) -> IssuedLicence | None:
    try:
        return registry.find_licence(licence_id.hex())
    except RegistryError as error:
        if error.exit_code == ExitCode.CHECK_FAILED:  # its row is not as the log has it
            raise
        return None
