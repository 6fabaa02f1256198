"""The order of bits in memory: one order for weights, activations and golden vectors.

A bit is 1 where its value is +1 and 0 where it is -1. A *row* (one filter, or the channels of
one pixel) is padded with zero bits to whole 32-bit words. Bit ``k`` of a row is bit ``k % 32`` of
its word ``k // 32``; words are stored little-endian. A filter's bits are ordered kernel row,
kernel column, input channel, with the input channel running fastest, so a filter lies in memory
in the order in which the kernels walk over an image stored row, column, channel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

WORD_BITS = 32
WORD_BYTES = 4
FILTERS_PER_TILE = 16
"""Filters that one reconfigured tile holds; 16 rows of whole words are whole ChaCha blocks."""

Bits = npt.NDArray[np.bool_]


def words_per_row(bits: int) -> int:
    """Number of 32-bit words that a row of ``bits`` bits takes."""
    return -(-bits // WORD_BITS)


def pack_rows(bits: Bits) -> bytes:
    """Pack the last axis of ``bits`` as rows.

    Args:
        bits: bool array of shape (..., bits_per_row); True stands for +1.

    Returns:
        The rows in C order, each ``4 * words_per_row(bits_per_row)`` bytes long.
    """
    row_bits = bits.shape[-1]
    width = words_per_row(row_bits) * WORD_BITS
    padded = np.zeros((*bits.shape[:-1], width), dtype=np.bool_)
    padded[..., :row_bits] = bits
    return np.packbits(padded, axis=-1, bitorder="little").tobytes()


def unpack_rows(data: bytes, row_bits: int) -> Bits:
    """Undo :func:`pack_rows`.

    Args:
        data: whole rows, as packed.
        row_bits: bits of one row, without its padding.

    Returns:
        bool array of shape (rows, row_bits).

    Raises:
        ValueError: ``data`` is not a whole number of rows.
    """
    row_bytes = words_per_row(row_bits) * WORD_BYTES
    if row_bytes == 0 or len(data) % row_bytes:
        raise ValueError(
            f"Packed rows of {row_bits} bits have {row_bytes} bytes each. Received: {len(data)}"
        )
    raw = np.frombuffer(data, dtype=np.uint8).reshape(-1, row_bytes)
    return np.unpackbits(raw, axis=-1, bitorder="little")[:, :row_bits].astype(np.bool_)


def kernel_to_rows(kernel: Bits) -> Bits:
    """Reorder a kernel from Keras' order to packing order.

    Args:
        kernel: bool array, (height, width, in, out) of a convolution or (in, out) of a dense
            layer.

    Returns:
        bool array of shape (out, bits per filter).
    """
    return np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1)


def rows_to_kernel(rows: Bits, shape: tuple[int, ...]) -> Bits:
    """Undo :func:`kernel_to_rows` for a kernel of ``shape`` (Keras' order)."""
    return np.moveaxis(rows.reshape(shape[-1], *shape[:-1]), 0, -1)
