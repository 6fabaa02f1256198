"""The key stream that turns the stored bits into one task's weights.

``weights of task t in layer l = P_l xor ChaCha(KDF(S_t, "weights", model), nonce l)``: one key a
task; the nonce's first word is the layer's number, the other two are zero, the block counter starts
at zero (RFC 8439 section 2.4), and there is one key bit per stored bit, padding included. The
first layers may be a *trunk*, whose one key all tasks share (:class:`StreamKeys`). The container
names the cipher: ChaCha with 20, 12 or 8 rounds. Training applies the same bits to the shared
latent kernel, as factors +1 and -1. Whatever else the trainer derives from the secrets, such as the
keys of schemes that no device computes, comes from streams whose nonce has another second word
(:class:`Use`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from cryptography.hazmat.primitives import ciphers
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from rbnn.spec import chacha, kdf
from rbnn.spec import packing as order
from rbnn.spec.layout import Cipher, Packing

SECRET_BYTES = 32
MODEL_ID_BYTES = 16
NO_TRUNK = bytes(kdf.KEY_BYTES)
"""In place of a trunk's key if there is no trunk."""
ROUNDS = {Cipher.CHACHA20: 20, Cipher.CHACHA12: 12, Cipher.CHACHA8: 8}


class Use(IntEnum):
    """What a layer's stream is for: the second word of its nonce. Devices use only WEIGHTS."""

    WEIGHTS = 0
    SIGNS = 1
    INPUT_ORDER = 2
    OUTPUT_ORDER = 3
    FIRST_SIGNS = 4


def stream_key(secret: bytes, model_id: bytes) -> bytes:
    """Key (32 bytes) of all layers' streams under task secret ``secret`` (32 bytes)."""
    return kdf.derive(secret, kdf.Label.WEIGHTS, _checked(model_id))


def trunk_key(secrets: Iterable[bytes], model_id: bytes) -> bytes:
    """Key (32 bytes) of the trunk's streams.

    Deriving it takes every task's secret, and it reveals nothing about any of them: each task has
    it in its sealed block.

    Args:
        secrets: S_t of every task of the model, 32 bytes each, in any order.
        model_id: 16 bytes.
    """
    context = _checked(model_id) + b"".join(sorted(secrets))
    return kdf.derive(bytes(kdf.KEY_BYTES), kdf.Label.TRUNK, context)


def _checked(model_id: bytes) -> bytes:
    if len(model_id) != MODEL_ID_BYTES:
        raise ValueError(f"A model id has {MODEL_ID_BYTES} bytes. Received: {len(model_id)}")
    return model_id


@dataclass(frozen=True)
class StreamKeys:
    """The keys of one task's streams.

    Args:
        own: from :func:`stream_key`.
        trunk: from :func:`trunk_key`; not used without a trunk.
        trunk_layers: how many records at the start of the layer table are the trunk; 0 for none.
    """

    own: bytes
    trunk: bytes = NO_TRUNK
    trunk_layers: int = 0

    def of(self, layer: int) -> bytes:
        """The key of layer ``layer``'s stream."""
        return self.trunk if layer < self.trunk_layers else self.own


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
    """The first ``length`` bytes of layer ``layer``'s key stream.

    Args:
        key: 32 bytes, from :class:`StreamKeys`.
        layer: index of the layer in the container's layer table.
        length: bytes wanted.
        cipher: the container's.
        use: which of the layer's streams.
    """
    if cipher is not Cipher.CHACHA20:
        return chacha.key_stream(key, layer_nonce(layer, use), length, ROUNDS[cipher])
    nonce = struct.pack("<I", 0) + layer_nonce(layer, use)  # the library's nonce has the counter
    return ciphers.Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(bytes(length))


def kernel_mask(
    key: bytes,
    layer: int,
    shape: tuple[int, ...],
    packing: Packing,
    cipher: Cipher = Cipher.CHACHA20,
) -> order.Bits:
    """The key bits of one layer, in Keras' kernel order.

    Args:
        key: of the layer's stream, 32 bytes.
        layer: index of the layer in the container's layer table.
        shape: kernel shape, (height, width, in, out) or (in, out).
        packing: how the layer's bits lie in the container.
        cipher: the container's.

    Returns:
        bool array of ``shape``; True where the task's weight is the negated stored weight.
    """
    length = order.packed_bytes(shape, packing)
    stream = key_stream(key, layer, length, cipher)
    return order.unpack_kernel(stream, shape, packing)


def reconfigure(stored: bytes, key: bytes, layer: int, cipher: Cipher = Cipher.CHACHA20) -> bytes:
    """Packed bits of a layer xor its key stream: from P to a task's weights, and back."""
    stream = key_stream(key, layer, len(stored), cipher)
    mixed = np.frombuffer(stored, np.uint8) ^ np.frombuffer(stream, np.uint8)
    return mixed.tobytes()
