"""The key stream that turns the stored bits into one task's weights.

``weights of task t in layer l = P_l xor ChaCha(KDF(S_t, "weights", model), nonce l)``: one key a
task; the nonce's first word is the layer's number, the other two are zero, the block counter begins
at zero (RFC 8439 section 2.4), and there is one key bit per stored bit, padding included. The
container names the cipher: ChaCha with 20 rounds, 12 or 8. Training applies the same bits to the
shared latent kernel, as factors +1 and -1. What the trainer draws from the secrets besides, such as
the keys of schemes that no device computes, comes from streams whose nonce has another second word
(:class:`Use`).
"""

from __future__ import annotations

import struct
from enum import IntEnum

import numpy as np
from cryptography.hazmat.primitives import ciphers
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from rbnn.spec import chacha, kdf
from rbnn.spec import packing as order
from rbnn.spec.layout import Cipher, Packing

SECRET_BYTES = 32
MODEL_ID_BYTES = 16
ROUNDS = {Cipher.CHACHA20: 20, Cipher.CHACHA12: 12, Cipher.CHACHA8: 8}


class Use(IntEnum):
    """What a layer's stream is for: the second word of its nonce. Devices know WEIGHTS alone."""

    WEIGHTS = 0
    SIGNS = 1
    INPUT_ORDER = 2
    OUTPUT_ORDER = 3
    FIRST_SIGNS = 4


def stream_key(secret: bytes, model_id: bytes) -> bytes:
    """Key (32 bytes) of all layers' streams under task secret ``secret`` (32 bytes)."""
    if len(model_id) != MODEL_ID_BYTES:
        raise ValueError(f"A model id has {MODEL_ID_BYTES} bytes. Received: {len(model_id)}")
    return kdf.derive(secret, kdf.Label.WEIGHTS, model_id)


def layer_nonce(layer: int, use: Use = Use.WEIGHTS) -> bytes:
    """The 12-byte nonce of layer ``layer``'s stream."""
    return struct.pack("<3I", layer, use, 0)


def key_stream(
    key: bytes,
    layer: int,
    length: int,
    cipher: Cipher = Cipher.CHACHA20,
    use: Use = Use.WEIGHTS,
) -> bytes:
    """``length`` bytes of key stream from the first block of layer ``layer``'s stream on.

    Args:
        key: 32 bytes, of :func:`stream_key`.
        layer: index of the layer in the container's layer table.
        length: bytes wanted.
        cipher: the container's.
        use: which of the layer's streams.
    """
    if cipher is not Cipher.CHACHA20:
        return chacha.key_stream(key, layer_nonce(layer, use), length, ROUNDS[cipher])
    nonce = struct.pack("<I", 0) + layer_nonce(layer, use)  # the library takes the counter with it
    return ciphers.Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(bytes(length))


def kernel_mask(
    secret: bytes,
    model_id: bytes,
    layer: int,
    shape: tuple[int, ...],
    packing: Packing,
    cipher: Cipher = Cipher.CHACHA20,
) -> order.Bits:
    """The key bits of one layer, in Keras' kernel order.

    Args:
        secret: task secret S_t, 32 bytes.
        model_id: 16 bytes.
        layer: index of the layer in the container's layer table.
        shape: kernel shape, (height, width, in, out) or (in, out).
        packing: how the layer's bits lie in the container.
        cipher: the container's.

    Returns:
        bool array of ``shape``; True where the task's weight is the stored weight negated.
    """
    length = order.packed_bytes(shape, packing)
    stream = key_stream(stream_key(secret, model_id), layer, length, cipher)
    return order.unpack_kernel(stream, shape, packing)


def reconfigure(
    stored: bytes, secret: bytes, model_id: bytes, layer: int, cipher: Cipher = Cipher.CHACHA20
) -> bytes:
    """Packed bits of a layer xor its key stream: from P to a task's weights, and back."""
    stream = key_stream(stream_key(secret, model_id), layer, len(stored), cipher)
    mixed = np.frombuffer(stored, np.uint8) ^ np.frombuffer(stream, np.uint8)
    return mixed.tobytes()
