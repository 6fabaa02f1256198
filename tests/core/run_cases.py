"""What stem, pools and the dense layer over the stream compute, in numpy, and requests of any shape
for ``run_driver``.
"""

from __future__ import annotations

import numpy as np
from run_driver import Request
from stage_cases import (
    Ints,
    compute_stage,
    draw_shortcut,
    draw_stage,
    int16s,
    members,
    outputs,
    sat16,
)

from rbnn.spec import operators, packing
from rbnn.spec.layout import STREAM_FRACTION_BITS, Stage


def correlate(image: Ints, kernel: Ints, stride: int, pad: int) -> Ints:
    """Zero-padded convolution.

    Args:
        image: (height, width, channels).
        kernel: (side, side, channels, filters).
    """
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)))
    side = kernel.shape[0]
    views = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(0, 1))
    return np.einsum("yxcij,ijcf->yxf", views[::stride, ::stride], kernel)


def stem_case(
    seed: int,
    fill: str,
    stage: Stage,
    shape: tuple[int, int, int, int, int, int, int, int] | None = None,
    weights: str = "random",
    pixel: int | None = None,
) -> tuple[Request, bytes]:
    """A run of the stem and its answer.

    Args:
        seed: of everything that is drawn.
        fill: of the parameters and the shortcut.
        stage: of the layer.
        shape: height, width, channels, filters, kernel, stride, pad, pool; drawn if None.
        weights: "random", "ones" or "zeros".
        pixel: value of all pixels; drawn if None.
    """
    rng = np.random.default_rng(seed)
    if shape is None:
        kernel, stride, pool = (int(rng.integers(1, top)) for top in (8, 5, 3))
        pad = int(rng.integers(0, kernel))
        smallest = max(1, kernel + (pool - 1) * stride - 2 * pad)
        height, width = (smallest + int(rng.integers(0, 20)) for _ in range(2))
        channels, filters = int(rng.integers(1, 5)), int(rng.choice([32, 64]))
    else:
        height, width, channels, filters, kernel, stride, pad, pool = shape
    replicate = bool(rng.integers(2)) and shape is None
    own = 1 if replicate else channels
    # 128 values of +-255 are what int16 holds.
    top = 256 if kernel * kernel * channels <= 128 else 160
    pixels = rng.integers(0, top, (height, width, own))
    if pixel is not None:
        pixels[:] = min(pixel, top - 1)
    offsets = rng.integers(0, top, channels)
    if pixel is not None and fill != "random":
        offsets[:] = 0 if pixel else top - 1
    image = np.broadcast_to(pixels, (height, width, channels)) - offsets
    bits = rng.random((kernel, kernel, channels, filters)) < 0.5
    if weights != "random":
        bits[:] = weights == "ones"
    sums = correlate(image, np.where(bits, 1, -1), stride, pad)
    out_height, out_width = sums.shape[0] // pool, sums.shape[1] // pool
    sums = sums[: out_height * pool, : out_width * pool]
    sums = sums.reshape(out_height, pool, out_width, pool, filters).max(axis=(1, 3))
    assert np.all(sums == sat16(sums))
    activation, sign, output = draw_stage(rng, stage)
    shortcut = draw_shortcut(rng, fill, stage, sums.shape)
    params, stream, out_bits = compute_stage(rng, fill, sums, stage, activation, sign, shortcut)
    expected, sizes = outputs(output, stream, out_bits)
    rows = packing.kernel_to_rows(bits)
    packed = np.frombuffer(packing.pack_rows(rows), np.uint32).reshape(filters, -1).copy()
    if rows.shape[1] % 32:
        # What lies after a row's end is key stream on the device.
        packed[:, -1] |= np.uint32((0xFFFFFFFF << (rows.shape[1] % 32)) & 0xFFFFFFFF)
    layer = members(stage, activation, sign, output, shortcut) | {
        "op": operators.STEM.number, "kernel": kernel, "stride": stride, "pad": pad, "pool": pool,
        "in_height": height, "in_width": width, "in_channels": channels,
        "out_height": out_height, "out_width": out_width, "out_channels": filters,
    }  # fmt: skip
    request = Request(
        layer, pixels.astype(np.uint8).tobytes(), packed.tobytes(), params,
        b"" if shortcut is None else shortcut.astype("<i2").tobytes(), channels=own,
        step=0 if replicate else 1, offsets=tuple(int(v) for v in offsets), **sizes,
    )  # fmt: skip
    return request, expected


def window_layer(
    op: operators.Operator, shape: tuple[int, int, int], kernel: int, stride: int
) -> dict[str, int]:
    """Layer record of a pool."""
    height, width, channels = shape
    return {
        "op": op.number, "kernel": kernel, "stride": stride, "in_height": height, "in_width": width,
        "in_channels": channels, "out_channels": channels,
        "out_height": (height - kernel) // stride + 1, "out_width": (width - kernel) // stride + 1,
    }  # fmt: skip


def windows(values: Ints, kernel: int, stride: int) -> Ints:
    """(out height, out width, channels, kernel, kernel)."""
    views = np.lib.stride_tricks.sliding_window_view(values, (kernel, kernel), axis=(0, 1))
    return views[::stride, ::stride]


def max_pool_case(seed: int) -> tuple[Request, bytes]:
    """A run of the max pool and its answer."""
    rng = np.random.default_rng(seed)
    kernel, stride = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    shape = (
        kernel + int(rng.integers(0, 6)), kernel + int(rng.integers(0, 6)),
        int(rng.choice([32, 64, 96])),
    )  # fmt: skip
    bits = rng.random(shape) < rng.choice([0.0, 0.1, 0.5, 1.0])
    expected = packing.pack_rows(windows(bits, kernel, stride).any(axis=(3, 4)))
    layer = window_layer(operators.MAX_POOL, shape, kernel, stride)
    return Request(layer, packing.pack_rows(bits), bits_bytes=len(expected)), expected


def average_pool_case(seed: int, fill: str, in_place: bool = False) -> tuple[Request, bytes]:
    """A run of the average pool and its answer."""
    rng = np.random.default_rng(seed)
    kernel, stride = int(rng.choice([1, 2, 4, 8, 16])), int(rng.integers(1, 4))
    shape = (
        kernel + int(rng.integers(0, 5)), kernel + int(rng.integers(0, 5)),
        int(rng.choice([32, 64, 96])),
    )  # fmt: skip
    values = int16s(rng, fill, *shape)
    sums = windows(values, kernel, stride).sum(axis=(3, 4))
    means = np.floor_divide(sums + kernel**2 // 2, kernel**2)
    expected = means.astype("<i2").tobytes()
    data = values.astype("<i2").tobytes()
    if in_place:
        expected += data[len(expected) :]
    request = Request(
        window_layer(operators.AVERAGE_POOL, shape, kernel, stride),
        b"" if in_place else data, shortcut=data if in_place else b"", in_place=in_place,
        stream_bytes=len(expected),
    )  # fmt: skip
    return request, expected


def dense_stream_case(
    seed: int, fill: str, inputs: int | None = None, classes: int | None = None
) -> tuple[Request, bytes]:
    """A run of the dense layer over the stream and its answer."""
    rng = np.random.default_rng(seed)
    shape = (1, 1, inputs) if inputs else (
        int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.choice([32, 64, 96]))
    )  # fmt: skip
    count, classes = shape[0] * shape[1] * shape[2], classes or int(rng.integers(1, 65))
    values, bits = int16s(rng, fill, count), rng.random((classes, count)) < 0.5
    spread = 2**14 if fill == "random" else 2**31
    scales, biases = (rng.integers(-spread, spread, classes) for _ in range(2))
    if fill in ("low", "high"):
        bits[:] = rng.integers(2, size=(classes, 1)) == 1
        scales[::2], biases[::2] = -(2**31), -(2**31)
    products = np.where(bits, 1, -1) @ values
    wide = [int(s) * int(p) + int(b) * 2**STREAM_FRACTION_BITS
            for s, p, b in zip(scales, products, biases, strict=True)]  # fmt: skip
    logits = [min(max(value >> STREAM_FRACTION_BITS, -(2**31)), 2**31 - 1) for value in wide]
    expected = np.array(logits, "<i4").tobytes()
    layer = {
        "op": operators.DENSE_STREAM.number, "in_height": shape[0], "in_width": shape[1],
        "in_channels": shape[2], "out_height": 1, "out_width": 1, "out_channels": classes,
    }  # fmt: skip
    request = Request(
        layer, values.astype("<i2").tobytes(), packing.pack_rows(bits),
        scales.astype("<i4").tobytes() + biases.astype("<i4").tobytes(),
        logits_bytes=len(expected),
    )  # fmt: skip
    return request, expected
