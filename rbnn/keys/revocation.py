"""Notices of revocation: the provider tells one device that a task's licences are void.

A notice has the bytes of a licence (:mod:`rbnn.keys.licence`) with another magic: a clear part, and
one Noise message from the provider's static key to the device's, whose pre-shared key and payload
are zeros. Only the provider can make it, only that device takes it, and no byte can be changed. Its
sequence is the first one that the device still accepts for the task; a device never lowers it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rbnn.keys import noise
from rbnn.keys.errors import LicenceError
from rbnn.keys.provider_key import ProviderKey
from rbnn.spec import layout
from rbnn.spec.key_stream import SECRET_BYTES

_LAYOUT = layout.LICENCE_PROLOGUE
_AGAIN = "Make it again with: rbnn license revoke"


@dataclass(frozen=True)
class Notice:
    """A notice as made or read; nothing in it is secret.

    Args:
        data: all 164 bytes.
    """

    data: bytes = field(repr=False)
    notice_id: bytes
    model_id: bytes
    task_number: int
    sequence: int


def is_notice(data: bytes) -> bool:
    """Whether bytes claim to be a notice, and not a licence."""
    return data[: len(layout.REVOCATION_MAGIC)] == layout.REVOCATION_MAGIC


def parse(data: bytes) -> Notice:
    """Decode a notice and check its form.

    Args:
        data: 164 bytes.

    Raises:
        LicenceError: wrong size, magic, version or task number.
    """
    if len(data) != layout.LICENCE_BYTES or not is_notice(data):
        raise LicenceError("This is no notice of revocation.", _AGAIN)
    values: Mapping[str, Any] = _LAYOUT.unpack(data)
    if values["version"] != layout.LICENCE_VERSION or values["task"] >= layout.MAX_TASKS:
        raise LicenceError("The notice of revocation has another version or form.", _AGAIN)
    return Notice(
        data=bytes(data),
        notice_id=values["licence_id"],
        model_id=values["model_id"],
        task_number=values["task"],
        sequence=values["sequence"],
    )


def make(
    provider: ProviderKey, device_public: bytes, model_id: bytes, task_number: int, sequence: int
) -> Notice:
    """Make a notice.

    Args:
        provider: whose licences are revoked.
        device_public: X25519 public key of the device, 32 bytes.
        model_id: 16 bytes.
        task_number: position in the container's task table.
        sequence: the first one that the device still accepts.

    Raises:
        LicenceError: a value does not fit, or the device's public key is not a usable point.
    """
    try:
        clear = _LAYOUT.pack(
            {
                "magic": layout.REVOCATION_MAGIC,
                "version": layout.LICENCE_VERSION,
                "flags": 0,
                "licence_id": os.urandom(16),
                "model_id": model_id,
                "model_digest": bytes(32),
                "task": task_number,
                "activation_limit": 0,
                "sequence": sequence,
                "inference_limit": 0,
            }
        )
        message = noise.write(
            noise.KPSK0, clear, provider.private, device_public, bytes(32), bytes(SECRET_BYTES)
        ).data
    except (ValueError, noise.Refused) as error:
        raise LicenceError(f"No notice of revocation can be made: {error}") from error
    return parse(clear + message)
