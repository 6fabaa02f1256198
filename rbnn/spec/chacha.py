"""ChaCha with 20, 12 or 8 rounds, all blocks of a message at once in numpy.

``cryptography`` has only ChaCha20, so the reduced-round ciphers of the key stream come from here;
the tests compare it with the library at 20 rounds. Not for secrets that an attacker on the same
machine may time: it runs where the trainer and the exporter run.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

KEY_BYTES = 32
NONCE_BYTES = 12
BLOCK_BYTES = 64
_CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")
_COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
_DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))

Words = npt.NDArray[np.uint32]


def _rotate(words: Words, bits: int) -> Words:
    return (words << np.uint32(bits)) | (words >> np.uint32(32 - bits))


def _quarter_round(x: list[Words], a: int, b: int, c: int, d: int) -> None:
    x[a] = x[a] + x[b]
    x[d] = _rotate(x[d] ^ x[a], 16)
    x[c] = x[c] + x[d]
    x[b] = _rotate(x[b] ^ x[c], 12)
    x[a] = x[a] + x[b]
    x[d] = _rotate(x[d] ^ x[a], 8)
    x[c] = x[c] + x[d]
    x[b] = _rotate(x[b] ^ x[c], 7)


def key_stream(key: bytes, nonce: bytes, length: int, rounds: int, counter: int = 0) -> bytes:
    """``length`` bytes of ChaCha key stream.

    Args:
        key: 32 bytes.
        nonce: 12 bytes, the last three state words of RFC 8439.
        length: bytes wanted, 0 or more.
        rounds: an even number: 20, 12 or 8.
        counter: number of the first block; the last one's is below 2^32.

    Raises:
        ValueError: key, nonce, rounds or the last block's number are not as above.

    Source: RFC 8439 section 2.3; for the reduced rounds Bernstein, "ChaCha, a variant of Salsa20".
    """
    blocks = -(-length // BLOCK_BYTES)
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError(
            f"ChaCha takes {KEY_BYTES} bytes of key and {NONCE_BYTES} of nonce. "
            f"Received: {len(key)} and {len(nonce)}"
        )
    if rounds % 2 or rounds <= 0 or not 0 <= counter <= 2**32 - blocks:
        raise ValueError(
            "ChaCha takes an even number of rounds and block numbers below 2^32. "
            f"Received: {rounds} rounds, blocks {counter} to {counter + blocks - 1}"
        )
    words = [*_CONSTANTS, *struct.unpack("<8I", key), 0, *struct.unpack("<3I", nonce)]
    start = [np.full(blocks, word, np.uint32) for word in words]
    start[12] = np.arange(counter, counter + blocks, dtype=np.uint64).astype(np.uint32)
    state = list(start)
    for _ in range(rounds // 2):
        for group in (*_COLUMNS, *_DIAGONALS):
            _quarter_round(state, *group)
    total = np.stack([word + first for word, first in zip(state, start, strict=True)], axis=1)
    stream: bytes = total.astype("<u4").tobytes()
    return stream[:length]
