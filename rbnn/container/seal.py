"""Sealed blocks: a task's own part, readable only with its secret.

``nonce (12) || ciphertext || tag (16)`` of ChaCha20-Poly1305 under KDF(S_t, "params", model id);
model id and task number are associated data. The nonce is derived from the plaintext, so exporting
twice gives the same bytes and two plaintexts never share one.

Source: RFC 8439 section 2.8; ARCHITECTURE.md, "What belongs to a task".
"""

from __future__ import annotations

import hashlib
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from rbnn.container.errors import SealedBlockError
from rbnn.spec import kdf
from rbnn.spec.layout import SEALED_NONCE_BYTES


def _associated(model_id: bytes, task: int) -> bytes:
    return model_id + struct.pack("<H", task)


def seal(plaintext: bytes, secret: bytes, model_id: bytes, task: int) -> bytes:
    """Seal a task's parameters.

    Args:
        plaintext: what :func:`rbnn.container.params.encode` made.
        secret: task secret S_t, 32 bytes.
        model_id: 16 bytes.
        task: task number.

    Returns:
        nonce, ciphertext and tag.
    """
    digest = hashlib.blake2b(plaintext, digest_size=32).digest()
    nonce = kdf.derive(secret, kdf.Label.PARAMS_NONCE, model_id + digest)[:SEALED_NONCE_BYTES]
    cipher = ChaCha20Poly1305(kdf.derive(secret, kdf.Label.PARAMS, model_id))
    return nonce + cipher.encrypt(nonce, plaintext, _associated(model_id, task))


def unseal(block: bytes, secret: bytes, model_id: bytes, task: int) -> bytes:
    """Undo :func:`seal`.

    Raises:
        SealedBlockError: wrong secret, model or task, or changed bytes.
    """
    cipher = ChaCha20Poly1305(kdf.derive(secret, kdf.Label.PARAMS, model_id))
    nonce, sealed = block[:SEALED_NONCE_BYTES], block[SEALED_NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, sealed, _associated(model_id, task))
    except (InvalidTag, ValueError) as error:
        raise SealedBlockError(
            f"The sealed block of task {task} does not open.",
            "The secret belongs to another task or model, or the container was changed.",
        ) from error
