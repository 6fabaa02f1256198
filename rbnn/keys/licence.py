"""Licences: one task secret, for one user, one device and one model.

A licence is a clear part (``rbnn.spec.layout.LICENCE_PROLOGUE``, 84 bytes) and one Noise message
(80 bytes) from the provider's static key to the device's, with the user's key for this licence as
the pre-shared key. The clear part is the handshake's prologue, so no byte of it can be changed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.keys import noise
from rbnn.keys.errors import LicenceError
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec import layout
from rbnn.spec.key_stream import SECRET_BYTES

_LAYOUT = layout.LICENCE_PROLOGUE
PUBLIC_KEY_BYTES = 32
_ISSUE_AGAIN = "Issue it again with: rbnn license issue"


@dataclass(frozen=True)
class Licence:
    """A licence as issued or read; nothing in it is secret without the keys.

    Args:
        data: all 164 bytes.
    """

    data: bytes = field(repr=False)
    licence_id: bytes
    model_id: bytes
    model_digest: bytes
    task_number: int
    sequence: int
    inference_limit: int
    release_only: bool
    activation_limit: int = 0


def parse(data: bytes) -> Licence:
    """Decode a licence and check its form.

    Args:
        data: 164 bytes.

    Raises:
        LicenceError: wrong size, magic, version, flags or task number.
    """
    if len(data) != layout.LICENCE_BYTES:
        raise LicenceError(
            f"A licence has {layout.LICENCE_BYTES} bytes; this one has {len(data)}.", _ISSUE_AGAIN
        )
    values = _LAYOUT.unpack(data)
    required = {
        "magic": layout.LICENCE_MAGIC,
        "version": layout.LICENCE_VERSION,
    }
    for name, expected in required.items():
        if values[name] != expected:
            raise LicenceError(
                f"Not a licence of this version: its {name} is {values[name]!r}, not {expected!r}.",
                _ISSUE_AGAIN,
            )

    def number(name: str) -> int:
        value = values[name]
        assert isinstance(value, int)
        return value

    def raw(name: str) -> bytes:
        value = values[name]
        assert isinstance(value, bytes)
        return value

    unknown = number("flags") & ~layout.LicenceFlag.RELEASE_ONLY
    if unknown:
        raise LicenceError(f"The licence has unknown flags: {unknown:#x}.", _ISSUE_AGAIN)
    if number("task") >= layout.MAX_TASKS:
        raise LicenceError(
            f"The licence names task number {number('task')}; a model has at most "
            f"{layout.MAX_TASKS} tasks.",
            _ISSUE_AGAIN,
        )
    return Licence(
        data=bytes(data),
        licence_id=raw("licence_id"),
        model_id=raw("model_id"),
        model_digest=raw("model_digest"),
        task_number=number("task"),
        sequence=number("sequence"),
        inference_limit=number("inference_limit"),
        release_only=bool(number("flags") & layout.LicenceFlag.RELEASE_ONLY),
        activation_limit=number("activation_limit"),
    )


def issue(
    provider: ProviderKey,
    device_public: bytes,
    user_key: UserKey,
    model_id: bytes,
    model_digest: bytes,
    task_number: int,
    secret: bytes,
    sequence: int,
    inference_limit: int = 0,
    activation_limit: int = 0,
    *,
    release_only: bool = False,
) -> Licence:
    """Make a licence with a fresh id.

    Args:
        provider: issues it; its public key is in the model container.
        device_public: X25519 public key of the device, 32 bytes.
        user_key: the key that will open it.
        model_id: 16 bytes.
        model_digest: BLAKE2b-256 of the whole container, 32 bytes.
        task_number: position in the container's task table.
        secret: the task secret S_t, 32 bytes.
        sequence: counts the licences of this device, from 1.
        inference_limit: inferences with this licence; 0 for no limit.
        activation_limit: how often the task may be made active with it; 0 for no limit.
        release_only: whether a development build shall refuse it.

    Raises:
        LicenceError: a value does not fit, or the device's public key is not a usable point.
    """
    if len(secret) != SECRET_BYTES:
        raise LicenceError(f"A task secret has {SECRET_BYTES} bytes, not {len(secret)}.")
    if len(device_public) != PUBLIC_KEY_BYTES:
        raise LicenceError(
            f"A device's public key has {PUBLIC_KEY_BYTES} bytes, not {len(device_public)}.",
            "Enrol the device again: rbnn enroll",
        )
    if not 0 <= task_number < layout.MAX_TASKS:
        raise LicenceError(f"Task numbers are 0..{layout.MAX_TASKS - 1}, not {task_number}.")
    licence_id = os.urandom(16)
    flags = layout.LicenceFlag.RELEASE_ONLY if release_only else layout.LicenceFlag.NONE
    try:
        prologue = _LAYOUT.pack(
            {
                "magic": layout.LICENCE_MAGIC,
                "version": layout.LICENCE_VERSION,
                "flags": int(flags),
                "licence_id": licence_id,
                "model_id": model_id,
                "model_digest": model_digest,
                "task": task_number,
                "activation_limit": activation_limit,
                "sequence": sequence,
                "inference_limit": inference_limit,
            }
        )
    except ValueError as error:
        raise LicenceError(f"A value does not fit into a licence: {error}") from error
    try:
        message = noise.write(
            noise.KPSK0,
            prologue,
            provider.private,
            device_public,
            user_key.psk(licence_id),
            secret,
        ).data
    except noise.Refused as error:
        raise LicenceError(
            f"{device_public.hex()} is not a valid public key of a device.",
            "Enrol the device again: rbnn enroll",
        ) from error
    return parse(prologue + message)


def open_licence(
    licence: Licence,
    provider_public: bytes,
    device_private: X25519PrivateKey,
    psk: bytes,
    model_digest: bytes,
) -> Secret:
    """Open a licence as the device does; the host's model for tests and vectors.

    Args:
        licence: what to open.
        provider_public: 32 bytes, from the container.
        device_private: the device's static key.
        psk: the user's key for this licence, 32 bytes.
        model_digest: of the current model, 32 bytes; replaces the digest in the licence.

    Raises:
        LicenceError: wrong user, device or model, or a changed licence; does not say which.
    """
    start = _LAYOUT.offset("model_digest")
    clear = licence.data[: _LAYOUT.size]
    prologue = clear[:start] + model_digest + clear[start + len(model_digest) :]
    try:
        result = noise.read(
            noise.KPSK0,
            prologue,
            device_private,
            provider_public,
            psk,
            licence.data[_LAYOUT.size :],
        )
    except noise.Refused:
        raise LicenceError("The licence does not open with this key on this device.") from None
    return Secret(result.data)
