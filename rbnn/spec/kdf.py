"""Key derivation: BLAKE2b-256 keyed with the parent key (RFC 7693).

``derive(parent, label, context) = BLAKE2b-256(key=parent, "rbnn/v1/" || label || 0x00 || context)``

The zero byte after the label keeps ``label || context`` unambiguous. The C counterpart is
``rbnn_kdf_derive`` in ``firmware/crypto/kdf.c``.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

KEY_BYTES = 32
PREFIX = "rbnn/v1/"


class Label(StrEnum):
    """Every label that the KDF is ever called with."""

    WEIGHTS = "weights"
    """Parent S_t; context model id (16): key of the stream that reconfigures a task's layers."""
    PARAMS = "params"
    """Parent S_t; context model id (16): ChaCha20-Poly1305 key of a task's sealed block."""
    PARAMS_NONCE = "params-nonce"
    """Parent S_t; context model id (16) || BLAKE2b-256 of the plaintext: that block's nonce."""
    PUF_SEED = "puf-seed"
    """Parent 32 zero bytes; context the corrected bits of the groups (64 bytes)."""
    PUF_TAG = "puf-tag"
    """Parent the PUF seed; context header || helper data: the robust sketch's tag."""
    ROOT = "root"
    """Parent the PUF seed; no context: the device's root key."""
    DEVICE_X25519 = "device-x25519"
    """Parent the root key; no context: the device's static X25519 private key."""
    DEVICE_SIGN = "device-sign"
    """Parent the root key; no context: seed of the device's receipt-signing key."""
    DEVICE_STORE = "device-store"
    """Parent the root key; no context: key of the device's store."""
    STORE_TAG = "store-tag"
    """Parent the store's key; context a slot without its tag (16) || generation of its page (u32)
    || number of the slot (u32): the first 16 bytes are the slot's tag."""
    MODEL_SIGN = "model-sign"
    """Parent the provider's X25519 private key; no context: seed of the key that signs models."""
    USER_PSK = "user-psk"
    """Parent a user key; context licence id (16): the pre-shared key of that licence."""
    TRUNK = "trunk"
    """Parent 32 zero bytes; context model id (16) || every task's S_t in ascending order: key of
    the stream that reconfigures the trunk."""


def derive(parent: bytes, label: Label, context: bytes = b"") -> bytes:
    """Derive a 32-byte key.

    Args:
        parent: the parent key, 32 bytes.
        label: what the key is for.
        context: bytes that bind it to its use, any length.

    Returns:
        32 bytes.

    Raises:
        ValueError: ``parent`` is not 32 bytes long.

    Source: ARCHITECTURE.md, "Keys"; RFC 7693 section 2.9 (keyed hashing).
    """
    if len(parent) != KEY_BYTES:
        raise ValueError(f"The parent key has {KEY_BYTES} bytes. Received: {len(parent)}")
    message = PREFIX.encode() + label.value.encode() + b"\0" + context
    return hashlib.blake2b(message, key=parent, digest_size=KEY_BYTES).digest()
