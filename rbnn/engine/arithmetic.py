"""The arithmetic of the layers in numpy, exact: what SPEC.md writes down, for whole batches.

Sums are computed with float32 matrix products: exact, as no partial sum reaches 2^24; sums over the
stream with float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.container.params import Residual
from rbnn.nets.topology import Layer
from rbnn.spec.layout import SLOPE_FRACTION_BITS, STREAM_FRACTION_BITS
from rbnn.spec.packing import Bits

Floats = npt.NDArray[np.float32]
Sums = npt.NDArray[np.int64]
Stream = npt.NDArray[np.int16]


def signs(bits: Bits) -> Floats:
    """+1 for True, -1 for False."""
    return np.where(bits, np.float32(1), np.float32(-1))


def sat16(values: Sums) -> Sums:
    """Values limited to what 16 bits hold."""
    return np.clip(values, -(2**15), 2**15 - 1)


def convolve(inputs: Floats, kernel: Bits, layer: Layer, pad_value: float) -> Sums:
    """Sums of +-1 products, before a fused pool.

    Args:
        inputs: (n, height, width, channels), integers.
        kernel: (height, width, channels, filters), True for +1.
        layer: window, stride and padding.
        pad_value: what stands outside of the input.

    Returns:
        (n, height', width', filters), int64.
    """
    pad = layer.pad
    padded = np.pad(inputs, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=pad_value)
    height, width = (
        (side + 2 * pad - layer.kernel) // layer.stride + 1 for side in layer.in_shape[:2]
    )
    columns = windows(padded, layer.kernel, layer.stride, height, width)
    weights = signs(kernel).reshape(-1, kernel.shape[-1])
    sums: Sums = (columns.reshape(-1, len(weights)) @ weights).astype(np.int64)
    return sums.reshape(len(inputs), height, width, kernel.shape[-1])


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


def fused_pool(sums: Sums, layer: Layer) -> Sums:
    """Maximum of sums over the pool behind a stem."""
    if layer.pool == 1:
        return sums
    height, width, _ = layer.out_shape
    return np.asarray(windows(sums, layer.pool, layer.pool, height, width).max(axis=3), np.int64)


def max_pool(bits: Bits, layer: Layer) -> Bits:
    """Maximum of bits over windows."""
    height, width, _ = layer.out_shape
    return np.asarray(
        windows(bits, layer.kernel, layer.stride, height, width).any(axis=3), np.bool_
    )


def average_pool(stream: Stream, layer: Layer) -> Stream:
    """Mean over windows, rounded half up."""
    height, width, _ = layer.out_shape
    count = layer.kernel**2
    sums = windows(stream, layer.kernel, layer.stride, height, width).sum(axis=3, dtype=np.int64)
    return np.asarray((sums + count // 2) // count, np.int16)


def residual(sums: Sums, shortcut: Stream | None, group: Residual) -> tuple[Stream, Bits]:
    """Stream and bits of a residual stage; a shortcut of fewer channels is repeated."""
    r = sat16(group.biases + (group.scales * sums >> group.shift))
    if shortcut is not None:
        added = np.tile(shortcut, r.shape[-1] // shortcut.shape[-1]).astype(np.int64)
        r = sat16(added + r)
    if group.points is not None:
        assert group.slopes is not None and group.offsets is not None
        d = sat16(r - group.points)
        bent = group.slopes * d >> SLOPE_FRACTION_BITS
        r = sat16(group.offsets + np.where(d >= 0, d, bent))
    bits = r >= (0 if group.thresholds is None else group.thresholds)
    return r.astype(np.int16), np.asarray(bits, np.bool_)


def dense_bits(bits: Bits, kernel: Bits) -> Sums:
    """Inner products of +-1 values; (n, inputs) and (inputs, classes) give (n, classes)."""
    return np.asarray(signs(bits) @ signs(kernel)).astype(np.int64)


def dense_stream(stream: Stream, kernel: Bits, scales: Sums, biases: Sums) -> Sums:
    """Logits over the stream, limited to 32 bits; (n, inputs) and (inputs, classes)."""
    products = (stream.astype(np.float64) @ signs(kernel).astype(np.float64)).astype(np.int64)
    logits = (scales * products + (biases << STREAM_FRACTION_BITS)) >> STREAM_FRACTION_BITS
    return np.clip(logits, -(2**31), 2**31 - 1)
