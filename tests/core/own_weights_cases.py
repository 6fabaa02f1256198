"""What the layers with 8-bit weights compute, in numpy, and requests of any shape for
``run_driver``."""

from __future__ import annotations

import numpy as np
from run_cases import correlate
from run_driver import Request
from stage_cases import (
    Ints,
    compute_stage,
    draw_stage,
    int16s,
    members,
    outputs,
    sat16,
)

from rbnn.spec import operators, packing
from rbnn.spec.layout import STREAM_FRACTION_BITS, Stage

LARGEST = 127


def draw_weights(rng: np.random.Generator, fill: str, *shape: int) -> Ints:
    """Weights of -127 to 127, at an end of the range where ``fill`` is."""
    if fill in ("low", "high"):
        return np.full(shape, LARGEST if fill == "high" else -LARGEST, np.int64)
    return rng.integers(-LARGEST, LARGEST + 1, shape)


def packed(rows: Ints) -> bytes:
    """(filters, weights) in the order of a sealed block."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    fours = padded.reshape(len(rows), -1, 2, 2)
    return fours.transpose(0, 1, 3, 2).astype(np.int8).tobytes()


def sat32(values: Ints) -> Ints:
    """Saturate to int32."""
    return np.clip(values, -(2**31), 2**31 - 1)


def stem8_case(
    seed: int,
    fill: str,
    stage: Stage,
    shape: tuple[int, int, int, int, int, int, int, int] | None = None,
    weights: str = "random",
    pixel: int | None = None,
) -> tuple[Request, bytes]:
    """A run of the 8-bit stem and its answer; arguments as of ``stem_case``, but for weights: a
    fill."""
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
    pixels = rng.integers(0, 256, (height, width, own))
    offsets = rng.integers(0, 256, channels)
    if pixel is not None:
        pixels[:], offsets[:] = pixel, 255 - pixel
    image = np.broadcast_to(pixels, (height, width, channels)) - offsets
    drawn = draw_weights(rng, weights, kernel, kernel, channels, filters)
    sums = correlate(image, drawn, stride, pad)
    out_height, out_width = sums.shape[0] // pool, sums.shape[1] // pool
    sums = sums[: out_height * pool, : out_width * pool]
    sums = sums.reshape(out_height, pool, out_width, pool, filters).max(axis=(1, 3))
    shift = next(n for n in range(32) if kernel * kernel * channels * 255 * LARGEST >> n < 32767)
    sums = np.floor_divide(sums + 2**shift // 2, 2**shift)
    assert np.all(sums == sat16(sums))
    activation, sign, output = draw_stage(rng, stage)
    params, stream, out_bits = compute_stage(rng, fill, sums, stage, activation, sign, None)
    expected, sizes = outputs(output, stream, out_bits)
    layer = members(stage, activation, sign, output, None) | {
        "op": operators.STEM8.number, "kernel": kernel, "stride": stride, "pad": pad, "pool": pool,
        "in_height": height, "in_width": width, "in_channels": channels,
        "out_height": out_height, "out_width": out_width, "out_channels": filters,
    }  # fmt: skip
    request = Request(
        layer, pixels.astype(np.uint8).tobytes(), b"",
        params + packed(drawn.reshape(-1, filters).T), channels=own,
        step=0 if replicate else 1, offsets=tuple(int(v) for v in offsets), **sizes,
    )  # fmt: skip
    return request, expected


def dense8_case(
    seed: int,
    fill: str,
    stream: bool,
    inputs: int | None = None,
    classes: int | None = None,
) -> tuple[Request, bytes]:
    """A run of a dense layer with 8-bit weights, over bits or the stream, and its answer."""
    rng = np.random.default_rng(seed)
    shape = (1, 1, inputs) if inputs else (
        int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.choice([32, 64, 96]))
    )  # fmt: skip
    count, classes = shape[0] * shape[1] * shape[2], classes or int(rng.integers(1, 65))
    weights = draw_weights(rng, fill, classes, count)
    weights[1::3] *= -1
    bits = rng.random(count) < 0.5
    values = int16s(rng, fill, count) if stream else np.where(bits, 1, -1)
    spread = 2**14 if fill == "random" else 2**31
    scales, biases = (rng.integers(-spread, spread, classes) for _ in range(2))
    if fill in ("low", "high"):
        scales[::2], biases[::2] = -(2**31), -(2**31)
    fraction = STREAM_FRACTION_BITS if stream else 0
    wide = [int(s) * int(p) + int(b) * 2**fraction
            for s, p, b in zip(scales, sat32(weights @ values), biases, strict=True)]  # fmt: skip
    logits = [min(max(value >> fraction, -(2**31)), 2**31 - 1) for value in wide]
    expected = np.array(logits, "<i4").tobytes()
    op = operators.DENSE_STREAM8 if stream else operators.DENSE8
    layer = {
        "op": op.number, "in_height": shape[0], "in_width": shape[1],
        "in_channels": shape[2], "out_height": 1, "out_width": 1, "out_channels": classes,
    }  # fmt: skip
    request = Request(
        layer, values.astype("<i2").tobytes() if stream else packing.pack_rows(bits[None]), b"",
        scales.astype("<i4").tobytes() + biases.astype("<i4").tobytes() + packed(weights),
        logits_bytes=len(expected),
    )  # fmt: skip
    return request, expected
