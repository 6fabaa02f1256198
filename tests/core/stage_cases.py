"""What a stage computes, in numpy, and requests for ``run_driver``; what all cases share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from run_driver import Request

from rbnn.spec import packing
from rbnn.spec.layout import (
    SLOPE_FRACTION_BITS,
    Activation,
    Output,
    Sign,
    Stage,
)

Ints = npt.NDArray[Any]
TILE = packing.FILTERS_PER_TILE
FILLS = ("random", "low", "high", "wide")


def sat16(values: Ints) -> Ints:
    """Saturate to int16, in int64."""
    return np.clip(values, -32768, 32767)


def int16s(rng: np.random.Generator, fill: str, *shape: int) -> Ints:
    """int16 values, in int64: small, at an end of the range, or anywhere in it."""
    if fill == "low":
        return np.full(shape, -32768, np.int64)
    if fill == "high":
        return np.full(shape, 32767, np.int64)
    spread = 32768 if fill == "wide" else 600
    return rng.integers(-spread, spread, shape)


def compute_stage(
    rng: np.random.Generator,
    fill: str,
    sums: Ints,
    stage: Stage,
    activation: Activation,
    sign: Sign,
    shortcut: Ints | None,
) -> tuple[bytes, Ints, Ints]:
    """Draw parameters and apply them.

    Args:
        sums: int64, (height, width, channels).
        shortcut: int64, (height, width, fewer or as many channels).

    Returns:
        The group of parameters, the stream (int64) and the bits.
    """
    channels = sums.shape[2]
    # Near sums that occur.
    near = rng.choice(sums.reshape(-1), channels) + rng.integers(-1, 2, channels)
    if stage is Stage.THRESHOLD:
        thresholds = int16s(rng, fill, channels) if fill != "random" else sat16(near)
        return thresholds.astype("<i2").tobytes(), sums, sums >= thresholds
    shift = int(rng.integers(0, 17)) if fill != "random" else 8
    scales, biases = int16s(rng, fill, channels), int16s(rng, fill, channels)
    if fill == "high":
        scales[::3], biases[1::2] = -32768, -32768
    groups = [scales, biases]
    r = sat16(biases + np.floor_divide(scales * sums, 2**shift))
    if shortcut is not None:
        r = sat16(r + np.tile(shortcut, channels // shortcut.shape[2]))
    if activation is Activation.RPRELU:
        points, slopes, offsets = (int16s(rng, fill, channels) for _ in range(3))
        if fill == "high":
            slopes[::2], offsets[::3], points[::5] = -32768, -32768, -32768
        groups += [points, slopes, offsets]
        d = sat16(r - points)
        negative = np.floor_divide(slopes * d, 2**SLOPE_FRACTION_BITS)
        r = sat16(offsets + np.where(d >= 0, d, negative))
    thresholds = np.zeros(channels, np.int64)
    if sign is Sign.THRESHOLDS:
        thresholds = rng.choice(r.reshape(-1), channels)
        groups.append(thresholds)
    params = np.array([shift, 0], "<u2").tobytes()
    params += b"".join(group.astype("<i2").tobytes() for group in groups)
    return params, r, r >= thresholds


def members(
    stage: Stage, activation: Activation, sign: Sign, output: Output, shortcut: Ints | None
) -> dict[str, int]:
    """The stage's members of the layer record."""
    return {
        "stage": stage, "activation": activation, "sign": sign, "output": output,
        "shortcut_channels": 0 if shortcut is None else shortcut.shape[2],
    }  # fmt: skip


def outputs(output: Output, stream: Ints, bits: Ints) -> tuple[bytes, dict[str, int]]:
    """Expected answer, and the sizes of the buffers."""
    packed = packing.pack_rows(bits) if output & Output.BITS else b""
    values = stream.astype("<i2").tobytes() if output & Output.STREAM else b""
    return packed + values, {"bits_bytes": len(packed), "stream_bytes": len(values)}


def draw_stage(rng: np.random.Generator, stage: Stage) -> tuple[Activation, Sign, Output]:
    """Members that fit together."""
    if stage is Stage.THRESHOLD:
        return Activation.NONE, Sign.ZERO, Output.BITS
    output = rng.choice([Output.BITS, Output.STREAM, Output.BITS | Output.STREAM])
    return Activation(rng.integers(2)), Sign(rng.integers(2)), Output(output)


def draw_shortcut(
    rng: np.random.Generator, fill: str, stage: Stage, shape: tuple[int, int, int]
) -> Ints | None:
    """A shortcut of as many channels, of half of them, or none."""
    fewer = rng.choice([0, 1, 2] if shape[2] % 64 == 0 else [0, 1])
    if stage is Stage.THRESHOLD or fewer == 0:
        return None
    return int16s(rng, fill, shape[0], shape[1], shape[2] // fewer)


def stage_case(seed: int, fill: str, stage: Stage) -> tuple[Request, bytes]:
    """A run of ``rbnn_stage_row`` over all tiles and rows, and its answer."""
    rng = np.random.default_rng(seed)
    height, width = int(rng.integers(1, 4)), int(rng.integers(1, 12))
    channels = int(rng.choice([32, 64, 96]))
    sums = int16s(rng, fill, height, width, channels)
    activation, sign, output = draw_stage(rng, stage)
    shortcut = draw_shortcut(rng, fill, stage, sums.shape)
    params, stream, bits = compute_stage(rng, fill, sums, stage, activation, sign, shortcut)
    in_place = bool(
        output & Output.STREAM
        and shortcut is not None
        and shortcut.shape[2] == channels
        and rng.integers(2)
    )
    expected, sizes = outputs(output, stream, bits)
    tiles = np.moveaxis(sums.reshape(height, width, -1, TILE), 2, 0)
    layer = members(stage, activation, sign, output, shortcut) | {
        "out_height": height, "out_width": width, "out_channels": channels,
    }  # fmt: skip
    request = Request(
        layer, tiles.astype("<i2").tobytes(), params=params, in_place=in_place,
        shortcut=b"" if shortcut is None else shortcut.astype("<i2").tobytes(), **sizes,
    )  # fmt: skip
    return request, expected
