"""Statements: what a device signs with the key that it made at enrolment.

The C counterpart is ``rbnn_vault_sign`` in ``firmware/licence``; SPEC.md has the rules.
"""

from __future__ import annotations

from enum import IntEnum

from rbnn.spec.kdf import KEY_BYTES
from rbnn.spec.structs import Field, Record


class Signed(IntEnum):
    """What a device says of itself and signs."""

    ATTESTATION = 1
    """Which firmware and model it runs, and the state of its store."""
    RELEASE = 2
    """Also: licences of a task below a floor never open again."""


STATEMENT_LABEL = b"rbnn/v1/signed"
STATEMENT = Record(
    "statement",
    "What a device signs with its EdDSA key: exactly these bytes.",
    (
        Field("label", "u8", '"rbnn/v1/signed", zero-padded', 16),
        Field("kind", "u16", "enum Signed"),
        Field("development", "u16", "1 for a development build, 0 for a release build"),
        Field("task", "u16", "of a release: task number; otherwise zero"),
        Field("protection", "u8", "as `id` prints it, zero-padded", 10),
        Field("challenge", "u8", "as the command named it", KEY_BYTES),
        Field("model_id", "u8", "as in the container; zero without a model", 16),
        Field("model_digest", "u8", "BLAKE2b-256 of the whole container; zero without a model", 32),
        Field("firmware", "u8", "version, zero-padded", 16),
        Field("floor", "u32", "of a release: lowest sequence still accepted; otherwise zero"),
        Field("generation", "u32", "of the store's page; zero without a sound store"),
        Field("slots", "u32", "in use on that page, its header included; zero as before"),
    ),
)
SIGNATURE_BYTES = 64
"""EdDSA on Curve25519 with BLAKE2b (Monocypher): R (32), S (32)."""
