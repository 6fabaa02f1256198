"""Signatures as devices make and check them: Monocypher's EdDSA, built for this machine.

Its EdDSA hashes with BLAKE2b, which ``cryptography`` does not offer.
"""

from __future__ import annotations

import functools
from typing import Any

import cffi

from rbnn import monocypher
from rbnn.engine.compile import compile_native
from rbnn.spec.kdf import KEY_BYTES
from rbnn.spec.statement import SIGNATURE_BYTES

_DECLARATION = """
int crypto_eddsa_check(const uint8_t *, const uint8_t *, const uint8_t *, size_t);
void crypto_eddsa_key_pair(uint8_t *, uint8_t *, uint8_t *);
void crypto_eddsa_sign(uint8_t *, const uint8_t *, const uint8_t *, size_t);
"""


@functools.cache
def _library() -> tuple[cffi.FFI, Any]:
    source = monocypher.provide() / "monocypher.c"
    flags = ("-O2", "-fPIC", "-shared", "-fvisibility=default")
    path = compile_native("libmonocypher.so", [source], flags)
    ffi = cffi.FFI()
    ffi.cdef(_DECLARATION)
    return ffi, ffi.dlopen(str(path))


def is_signed(message: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a signature is right.

    Args:
        message: what was signed.
        signature: 64 bytes.
        public: the signer's public key, 32 bytes.

    Raises:
        ValueError: a wrong size.
        RbnnError: Monocypher cannot be fetched, or not be built: there is no compiler.
    """
    if len(signature) != SIGNATURE_BYTES or len(public) != KEY_BYTES:
        raise ValueError(f"Wrong sizes: {len(signature)} and {len(public)} bytes.")
    _, library = _library()
    return bool(library.crypto_eddsa_check(signature, public, message, len(message)) == 0)


def public_key(seed: bytes) -> bytes:
    """The public key, 32 bytes, of the key pair that a seed of 32 bytes makes.

    Raises:
        RbnnError: see :func:`is_signed`.
    """
    return _key_pair(seed)[1]


def sign(message: bytes, seed: bytes) -> bytes:
    """Sign with the key pair of a seed; 64 bytes.

    Raises:
        RbnnError: see :func:`is_signed`.
    """
    ffi, library = _library()
    signature = ffi.new("uint8_t[]", SIGNATURE_BYTES)
    library.crypto_eddsa_sign(signature, _key_pair(seed)[0], message, len(message))
    return bytes(signature)


def _key_pair(seed: bytes) -> tuple[bytes, bytes]:
    if len(seed) != KEY_BYTES:
        raise ValueError(f"A seed has {KEY_BYTES} bytes. Received: {len(seed)}")
    ffi, library = _library()
    secret, public = ffi.new("uint8_t[]", 2 * KEY_BYTES), ffi.new("uint8_t[]", KEY_BYTES)
    library.crypto_eddsa_key_pair(secret, public, ffi.new("uint8_t[]", seed))
    return bytes(secret), bytes(public)
