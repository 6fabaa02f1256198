"""Computes a network from the bytes of its container, written by SPEC.md only.

Nothing here comes from rbnn. If this file needs more than SPEC.md says, SPEC.md lacks it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import product

import numpy as np
import numpy.typing as npt
from spec_container import Model, Task

Ints = npt.NDArray[np.int64]
Layer = Mapping[str, int]

STEM, CONV, MAX_POOL, DENSE, AVERAGE_POOL, DENSE_STREAM, STEM8, DENSE8, DENSE_STREAM8 = range(1, 10)
THRESHOLD, RESIDUAL = 1, 2
BITS, STREAM = 1, 2


# --- Section "Bits". Weights are +1 and -1: (filter, row, column, channel), or (filter, input).


def _signs(bits: npt.NDArray[np.generic]) -> Ints:
    return 2 * bits.astype(np.int64) - 1


def _rows(data: bytes, filters: int, bits: int) -> Ints:
    packed = np.frombuffer(data, np.uint8)[: filters * 4 * -(-bits // 32)].reshape(filters, -1)
    return _signs(np.unpackbits(packed, axis=1, bitorder="little")[:, :bits])


def _tiles(data: bytes, filters: int, taps: int, channels: int) -> Ints:
    words = np.frombuffer(data, "<u4").reshape(filters // 16, taps, channels // 32, 8, 2)
    bits = np.zeros((filters // 16, 2, 8, taps, channels // 32, 8, 4), dtype=np.uint8)
    for f, lane in enumerate((0, 4, 2, 6, 1, 5, 3, 7)):
        for o, b in product(range(2), range(4)):
            bits[:, o, f, ..., b] = words[..., o] >> np.uint32(4 * lane + b) & np.uint32(1)
    return _signs(bits.reshape(filters, taps, channels))


def _pairs(data: bytes, filters: int, inputs: int) -> Ints:
    stored = np.frombuffer(data, "<u4").reshape(-(-filters // 16), inputs // 2)
    words = np.empty_like(stored)
    z = np.zeros(len(stored), dtype=np.uint32)
    for i in range(0, inputs // 2, 4):
        y0, y1, y2, y3 = stored[:, i : i + 4].T
        x0 = y1 ^ z
        x1 = y0 ^ x0
        x2 = y3 ^ x0 ^ x1 ^ z
        x3 = y2 ^ x2
        words[:, i : i + 4] = np.stack((x0, x1, x2, x3), axis=1)
        z = z ^ x0 ^ x1 ^ x2 ^ x3
    bits = np.zeros((len(stored), 16, inputs // 2, 2), dtype=np.uint8)
    for f, b in product(range(16), range(2)):
        lane = int(f"{f:04b}"[::-1], 2)
        bits[:, f, :, b] = words >> np.uint32(2 * lane + b) & np.uint32(1)
    return _signs(bits.reshape(-1, inputs)[:filters])


def _own(data: npt.NDArray[np.int8], filters: int, count: int) -> Ints:
    fours = data.reshape(filters, -1, 4)[:, :, [0, 2, 1, 3]]
    return fours.reshape(filters, -1)[:, :count].astype(np.int64)


# --- Section "Arithmetic".


def _sat16(values: Ints) -> Ints:
    return np.clip(values, -32768, 32767)


def _sat32(values: Ints) -> Ints:
    return np.clip(values, -(2**31), 2**31 - 1)


def _pooled(sums: Ints, layer: Layer) -> Ints:
    pool, (height, width) = layer["pool"], (layer["out_height"], layer["out_width"])
    cut = sums[: height * pool, : width * pool]
    return cut.reshape(height, pool, width, pool, -1).max(axis=(1, 3))


def _stage_bytes(layer: Layer) -> int:
    """Bytes of a stage's parameters."""
    if layer["stage"] == THRESHOLD:
        return 2 * layer["out_channels"]
    arrays = 2 + 3 * layer["activation"] + layer["sign"]
    return 4 + 2 * arrays * layer["out_channels"]


def _windows(values: Ints, layer: Layer, fill: int) -> Ints:
    """(row, column, kernel row, kernel column, channel) of all windows."""
    pad, side, stride = layer["pad"], layer["kernel"], layer["stride"]
    padded = np.pad(values, ((pad, pad), (pad, pad), (0, 0)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(0, 1))
    return view[::stride, ::stride].transpose(0, 1, 3, 4, 2)


def _sums(values: Ints, weights: Ints, layer: Layer, fill: int) -> Ints:
    windows = _windows(values, layer, fill)
    return windows.reshape(*windows.shape[:2], -1) @ weights.reshape(len(weights), -1).T


class _Parameters:
    """Values of one layer, in order."""

    def __init__(self, plaintext: bytes, layer: Layer) -> None:
        self._plaintext = plaintext
        self._at = layer["params_offset"]
        self._channels = layer["out_channels"]

    def skip(self, count: int) -> None:
        self._at += count

    def own(self, count: int, filters: int) -> Ints:
        """8-bit weights of that many filters; ``count`` of one."""
        padded = -(-count // 4) * 4 * filters
        data = np.frombuffer(self._plaintext, np.int8, padded, self._at)
        self._at += padded
        return _own(data, filters, count)

    def take(self, kind: str = "<i2", count: int | None = None) -> Ints:
        count = self._channels if count is None else count
        values = np.frombuffer(self._plaintext, kind, count, self._at)
        self._at += values.nbytes
        return values.astype(np.int64)


class Evaluator:
    """The arena, and the layers that read and write it."""

    def __init__(self, model: Model, task: Task) -> None:
        self._model = model
        self._task = task
        self._arena = bytearray(model.header["arena_bytes"])

    def logits(self, image: npt.NDArray[np.uint8]) -> list[int]:
        """Logits of the task's classes for one image (row, column, channel of the task)."""
        channels = self._model.header["input_channels"]
        if self._task.adapter == 1:
            image = np.repeat(image, channels, axis=2)
        pixels = image.astype(np.int64) - np.array(self._task.offsets)
        for layer, weights in zip(self._model.layers, self._task.weights, strict=True):
            self._run(layer, weights, pixels)
        last = self._model.layers[-1]
        return list(struct.unpack_from(f"<{self._task.classes}i", self._arena, last["out_offset"]))

    def _bits(self, layer: Layer) -> Ints:
        shape = layer["in_height"], layer["in_width"], layer["in_channels"]
        data = np.frombuffer(self._arena, np.uint8, np.prod(shape) // 8, layer["in_offset"])
        return _signs(np.unpackbits(data, bitorder="little")).reshape(shape)

    def _stream(self, offset: int, *shape: int) -> Ints:
        values = np.frombuffer(self._arena, "<i2", np.prod(shape), offset)
        return values.astype(np.int64).reshape(shape)

    def _write(self, offset: int, data: bytes) -> None:
        self._arena[offset : offset + len(data)] = data

    def _write_bits(self, layer: Layer, bits: npt.NDArray[np.bool_]) -> None:
        self._write(layer["out_offset"], np.packbits(bits, bitorder="little").tobytes())

    def _run(self, layer: Layer, weights: bytes, pixels: Ints) -> None:
        op, side, filters = layer["op"], layer["kernel"], layer["out_channels"]
        shape = layer["in_height"], layer["in_width"], layer["in_channels"]
        inputs = shape[0] * shape[1] * shape[2]
        parameters = _Parameters(self._task.plaintext, layer)
        if op == STEM:
            kernel = _rows(weights, filters, side * side * shape[2])
            self._stage(layer, _pooled(_sums(pixels, kernel, layer, 0), layer), parameters)
        elif op == STEM8:
            count = side * side * shape[2]
            after = _Parameters(self._task.plaintext, layer)
            after.skip(_stage_bytes(layer))
            sums = _pooled(_sums(pixels, after.own(count, filters), layer, 0), layer)
            n = 0
            while count * 255 * 127 >> n >= 32767:
                n += 1
            self._stage(layer, (sums + (1 << n >> 1)) >> n, parameters)
        elif op == CONV:
            kernel = _tiles(weights, filters, side * side, shape[2])
            self._stage(layer, _sums(self._bits(layer), kernel, layer, 1) // 2, parameters)
        elif op == MAX_POOL:
            self._write_bits(layer, _windows(self._bits(layer), layer, -1).max(axis=(2, 3)) > 0)
        elif op == AVERAGE_POOL:
            windows = _windows(self._stream(layer["in_offset"], *shape), layer, 0)
            means = (windows.sum(axis=(2, 3)) + side * side // 2) // (side * side)
            self._write(layer["stream_offset"], means.astype("<i2").tobytes())
        elif op == DENSE:
            sums = _pairs(weights, filters, inputs) @ self._bits(layer).reshape(-1)
            logits = parameters.take("<i4") * sums + parameters.take("<i4")
            self._write(layer["out_offset"], logits.astype("<i4").tobytes())
        elif op == DENSE_STREAM:
            values = self._stream(layer["in_offset"], inputs)
            sums = _rows(weights, filters, inputs) @ values
            logits = (parameters.take("<i4") * sums + 256 * parameters.take("<i4")) // 256
            clamped = np.clip(logits, -(2**31), 2**31 - 1)
            self._write(layer["out_offset"], clamped.astype("<i4").tobytes())

        elif op in (DENSE8, DENSE_STREAM8):
            scale, bias = parameters.take("<i4"), parameters.take("<i4")
            stream = op == DENSE_STREAM8
            values = self._stream(layer["in_offset"], inputs) if stream else self._bits(layer)
            sums = np.zeros(filters, np.int64)
            kernel = parameters.own(inputs, self._task.classes)
            sums[: self._task.classes] = _sat32(kernel @ values.reshape(-1))
            logits = (scale * sums + 256 * bias) // 256 if stream else scale * sums + bias
            self._write(layer["out_offset"], _sat32(logits).astype("<i4").tobytes())

    def _stage(self, layer: Layer, sums: Ints, parameters: _Parameters) -> None:
        if layer["stage"] == THRESHOLD:
            self._write_bits(layer, sums >= parameters.take())
            return
        shift, _ = parameters.take(count=2)
        scale, bias = parameters.take(), parameters.take()
        r = _sat16(bias + (scale * sums >> shift))
        if channels := layer["shortcut_channels"]:
            shortcut = self._stream(layer["shortcut_offset"], *sums.shape[:2], channels)
            r = _sat16(np.tile(shortcut, sums.shape[2] // channels) + r)
        if layer["activation"] == 1:
            point, slope, offset = parameters.take(), parameters.take(), parameters.take()
            d = _sat16(r - point)
            r = _sat16(offset + np.where(d >= 0, d, slope * d >> 14))
        threshold = parameters.take() if layer["sign"] == 1 else 0
        if layer["output"] & STREAM:
            self._write(layer["stream_offset"], r.astype("<i2").tobytes())
        if layer["output"] & BITS:
            self._write_bits(layer, r >= threshold)


def scores(logits: list[int]) -> list[int]:
    """Softmax in parts per million."""
    table = [round(65536 * 2 ** (-i / 32)) for i in range(33)]
    exponentials = []
    for logit in logits:
        t = (max(logits) - logit) * 94548 >> 16
        n, i, r = t >> 20, t >> 15 & 31, t & 32767
        e = (table[i] - ((table[i] - table[i + 1]) * r >> 15)) >> n if n <= 16 else 0
        exponentials.append(e)
    shares = [1000000 * e // sum(exponentials) for e in exponentials]
    shares[logits.index(max(logits))] += 1000000 - sum(shares)
    return shares
