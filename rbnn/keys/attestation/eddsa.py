"""Checking a device's signatures: Monocypher's own ``crypto_eddsa_check``, built for this machine.

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
