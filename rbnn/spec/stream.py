"""The key stream that turns the stored bits into one task's weights.

``weights of task t in layer l = P_l xor ChaCha20(KDF(S_t, "weights", model || l))``, nonce zero,
block counter from zero (RFC 8439 section 2.4), one key bit per stored bit, padding included.
Training applies the same bits to the shared latent kernel, as factors +1 and -1.
"""

from __future__ import annotations

import struct

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from rbnn.spec import kdf, packing

SECRET_BYTES = 32
MODEL_ID_BYTES = 16


def layer_key(secret: bytes, model_id: bytes, layer: int) -> bytes:
    """ChaCha20 key (32 bytes) of layer ``layer`` under task secret ``secret`` (32 bytes)."""
    if len(model_id) != MODEL_ID_BYTES:
        raise ValueError(f"A model id has {MODEL_ID_BYTES} bytes. Received: {len(model_id)}")
    return kdf.derive(secret, kdf.Label.WEIGHTS, model_id + struct.pack("<H", layer))


def key_stream(key: bytes, length: int) -> bytes:
    """``length`` bytes of ChaCha20 key stream from block 0 under a zero nonce."""
    encryptor = Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor()
    return encryptor.update(bytes(length))


def kernel_mask(secret: bytes, model_id: bytes, layer: int, shape: tuple[int, ...]) -> packing.Bits:
    """The key bits of one layer, in Keras' kernel order.

    Args:
        secret: task secret S_t, 32 bytes.
        model_id: 16 bytes.
        layer: index of the layer in the container's layer table.
        shape: kernel shape, (height, width, in, out) or (in, out).

    Returns:
        bool array of ``shape``; True where the task's weight is the stored weight negated.
    """
    row_bits = int(np.prod(shape[:-1]))
    row_bytes = packing.words_per_row(row_bits) * packing.WORD_BYTES
    stream = key_stream(layer_key(secret, model_id, layer), shape[-1] * row_bytes)
    return packing.rows_to_kernel(packing.unpack_rows(stream, row_bits), shape)


def reconfigure(stored: bytes, secret: bytes, model_id: bytes, layer: int) -> bytes:
    """Packed bits of a layer xor its key stream: from P to a task's weights, and back."""
    stream = key_stream(layer_key(secret, model_id, layer), len(stored))
    mixed = np.frombuffer(stored, np.uint8) ^ np.frombuffer(stream, np.uint8)
    return mixed.tobytes()
