"""Arithmetic that several operators share, in numpy, for whole batches.

Sums are computed with float32 matrix products. They are exact, as no partial sum reaches 2^24: a
descriptor limits the bits of a filter (:attr:`rbnn.spec.operators.Operator.most_filter_bits`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Layer
from rbnn.spec.packing import Bits

Floats = npt.NDArray[np.float32]
Sums = npt.NDArray[np.int64]
Stream = npt.NDArray[np.int16]


def signs(bits: Bits) -> Floats:
    """+1 for True, -1 for False."""
    return np.where(bits, np.float32(1), np.float32(-1))


def convolve(inputs: Floats, kernel: Floats, layer: Layer, pad_value: float) -> Sums:
    """Sums of products, before a fused pool; none may need more than 24 bits.

    Args:
        inputs: (n, height, width, channels), integers.
        kernel: (height, width, channels, filters), integers.
        layer: window, stride and padding.
        pad_value: the value outside the input.

    Returns:
        (n, height', width', filters), int64.
    """
    pad = layer.pad
    padded = np.pad(inputs, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=pad_value)
    height, width = (
        (side + 2 * pad - layer.kernel) // layer.stride + 1 for side in layer.in_shape[:2]
    )
    columns = windows(padded, layer.kernel, layer.stride, height, width)
    weights = kernel.reshape(-1, kernel.shape[-1])
    sums: Sums = (columns.reshape(-1, len(weights)) @ weights).astype(np.int64)
    return sums.reshape(len(inputs), height, width, kernel.shape[-1])


def fused_pool(sums: Sums, layer: Layer) -> Sums:
    """The maximum over each window of a layer's fused pool."""
    if layer.pool == 1:
        return sums
    height, width, _ = layer.out_shape
    return np.asarray(windows(sums, layer.pool, layer.pool, height, width).max(axis=3), np.int64)


def windows(
    inputs: npt.NDArray[Any], side: int, stride: int, height: int, width: int
) -> npt.NDArray[Any]:
    """(n, height, width, channels) to (n, height', width', side * side, channels)."""
    down, right = stride * (height - 1) + 1, stride * (width - 1) + 1
    taps = [
        inputs[:, y : y + down : stride, x : x + right : stride]
        for y in range(side)
        for x in range(side)
    ]
    return np.stack(taps, axis=3)


def layer_windows(inputs: npt.NDArray[Any], layer: Layer) -> npt.NDArray[Any]:
    """The windows of a layer without padding; see :func:`windows`."""
    height, width, _ = layer.out_shape
    return windows(inputs, layer.kernel, layer.stride, height, width)
