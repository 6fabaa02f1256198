"""Weights of 8 bits that belong to a task: int8 in its sealed block, not in the stored bits.

They are symmetrical, -127 to 127. A layer's weights follow its other parameters, filter by filter.
A filter is in the order row, column, channel, padded with zeros to a multiple of four weights. Of
every four weights the second and the third change places: a word then unpacks to two pairs of
neighbours, with one instruction each. The last layer has filters for the task's classes only.

The products of a stem are added up in 32 bits. The sum is then shifted, so that the stage reads 16
bits as it does after binary weights.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rbnn.spec.operator import INT16_MAX, LARGEST_OWN_WEIGHT

Int8s = npt.NDArray[np.int8]

LARGEST_PIXEL = 255
FOUR = (0, 2, 1, 3)
"""Order of four weights; its own inverse."""


def stem_shift(filter_weights: int) -> int:
    """Bits by which the sums of an 8-bit stem are shifted right, halves up.

    Args:
        filter_weights: weights of one filter, without padding.
    """
    shift = 0
    while filter_weights * LARGEST_PIXEL * LARGEST_OWN_WEIGHT >> shift >= INT16_MAX:
        shift += 1
    return shift


def packed_bytes(kernel_shape: tuple[int, ...]) -> int:
    """Bytes of a layer's weights.

    Args:
        kernel_shape: in Keras' order, filters last.
    """
    return -(-math.prod(kernel_shape[:-1]) // len(FOUR)) * len(FOUR) * kernel_shape[-1]


def pack(kernel: Int8s) -> bytes:
    """A layer's weights as they lie in a sealed block's plaintext.

    Args:
        kernel: in Keras' order, filters last.
    """
    rows = kernel.reshape(-1, kernel.shape[-1]).T
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % len(FOUR))))
    return padded.reshape(-1, len(FOUR))[:, FOUR].tobytes()


def unpack(data: bytes, kernel_shape: tuple[int, ...]) -> Int8s:
    """Undo :func:`pack`."""
    count, filters = math.prod(kernel_shape[:-1]), kernel_shape[-1]
    fours = np.frombuffer(data, np.int8).reshape(-1, len(FOUR))[:, FOUR]
    return np.ascontiguousarray(fours.reshape(filters, -1)[:, :count].T).reshape(kernel_shape)
