"""Statements that a device signs with the key that it got at enrolment (SPEC.md, Statement).

The signature proves that the device with the pinned key made the statement, and the challenge that
it did so now. That the statement is true is the firmware's word.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rbnn.errors import ExitCode
from rbnn.keys.attestation.eddsa import is_signed
from rbnn.keys.errors import AttestationError
from rbnn.spec.kdf import KEY_BYTES
from rbnn.spec.link import Protection
from rbnn.spec.statement import SIGNATURE_BYTES, STATEMENT, STATEMENT_LABEL, Signed

CHALLENGE_BYTES = KEY_BYTES
RECEIPT_BYTES = STATEMENT.size + SIGNATURE_BYTES
_OTHER = (
    "Check which device is at this port. If it is the right one, its key or its firmware is not: "
    "issue no licence for it, and revoke those that it has (rbnn license revoke)."
)


@dataclass(frozen=True)
class Statement:
    """What a device signed.

    Args:
        data: the statement, then the signature.
        is_release: whether it gave up a licence; otherwise ``task_number`` and ``floor`` are 0.
        firmware: its version.
        development: whether that is a development build.
        protection: whether a debug probe reaches flash and RAM.
        model_id: 16 bytes, zero without a model.
        model_digest: 32 bytes, zero without a model.
        task_number: position in the model's task table.
        floor: the lowest sequence of a licence that the task still accepts.
        generation: with ``slots``, counts the changes of its store; 0 without one.
        slots: see ``generation``.
    """

    data: bytes
    is_release: bool
    firmware: str
    development: bool
    protection: Protection
    model_id: bytes
    model_digest: bytes
    task_number: int
    floor: int
    generation: int
    slots: int


def new_challenge() -> bytes:
    """A challenge that no device has answered before."""
    return os.urandom(CHALLENGE_BYTES)


def check(data: bytes, public: bytes, challenge: bytes, kind: Signed) -> Statement:
    """Check a statement.

    Args:
        data: the statement and its signature, as the device printed them.
        public: the key that was pinned for the device, 32 bytes.
        challenge: what the device was asked to sign, 32 bytes.
        kind: what it was asked for.

    Raises:
        AttestationError: another key signed it, a byte was changed, or it answers something else.
    """
    if len(data) != RECEIPT_BYTES:
        raise _wrong(f"has {len(data)} bytes, not {RECEIPT_BYTES}")
    text, signature = data[: STATEMENT.size], data[STATEMENT.size :]
    if not is_signed(text, signature, public):
        raise _wrong(f"is not signed with the key {public.hex()[:16]}… that is pinned for it")
    values: Mapping[str, Any] = STATEMENT.unpack(text)
    if values["label"].rstrip(b"\0") != STATEMENT_LABEL or values["kind"] != kind:
        raise _wrong("is of another kind or version than the one that was asked for")
    if values["challenge"] != challenge:
        raise _wrong("answers another challenge: it is a replayed one")
    try:
        protection = Protection(_text(values["protection"]))
        firmware = _text(values["firmware"])
    except ValueError as error:
        raise _wrong(f"names no protection or firmware that is known: {error}") from error
    return Statement(
        data=bytes(data),
        is_release=kind is Signed.RELEASE,
        firmware=firmware,
        development=bool(values["development"]),
        protection=protection,
        model_id=values["model_id"],
        model_digest=values["model_digest"],
        task_number=values["task"],
        floor=values["floor"],
        generation=values["generation"],
        slots=values["slots"],
    )


def check_receipt(
    data: bytes, public: bytes, challenge: bytes, model_id: bytes, task_number: int, sequence: int
) -> Statement:
    """Check the receipt of a device that gave up a licence.

    Args:
        data: see :func:`check`.
        public: see :func:`check`.
        challenge: see :func:`check`.
        model_id: of the licence, 16 bytes.
        task_number: of the licence.
        sequence: of the licence; it must be below the receipt's floor.

    Raises:
        AttestationError: see :func:`check`, or it is for another licence.
    """
    found = check(data, public, challenge, Signed.RELEASE)
    if (found.model_id, found.task_number) != (model_id, task_number):
        raise _wrong("is for a task of another licence")
    if found.floor <= sequence:
        raise _wrong(
            f"still accepts licences from number {found.floor} on, and this one is {sequence}"
        )
    return found


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode("ascii")


def _wrong(why: str) -> AttestationError:
    return AttestationError(
        f"What the device signed {why}.", _OTHER, exit_code=ExitCode.CHECK_FAILED
    )
