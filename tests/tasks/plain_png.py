"""A writer and a reader of PNG that know nothing of Pillow: zlib, filters and numpy."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Values of a pixel by colour type: grey, RGB, palette, grey and alpha, RGB and alpha."""
PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
          (1, 0, 2, 1))  # fmt: skip
"""First row, first column, steps of both."""


@dataclass(frozen=True)
class Png:
    """Values as the file has them, (height, width, channels), and what they mean."""

    values: np.ndarray
    depth: int
    kind: int
    palette: bytes = b""
    transparency: bytes = b""
    interlaced: bool = False


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _passes(height: int, width: int, interlaced: bool) -> Iterator[tuple[slice, slice]]:
    for row, column, down, right in PASSES if interlaced else ((0, 0, 1, 1),):
        if row < height and column < width:
            yield slice(row, None, down), slice(column, None, right)


def _pack(values: np.ndarray, depth: int) -> bytes:
    if depth == 16:
        return values.astype(">u2").tobytes()
    bits = np.unpackbits(values.reshape(-1, 1).astype(np.uint8), axis=1)[:, 8 - depth :]
    return np.packbits(bits).tobytes()


def _unpack(row: bytes, count: int, depth: int) -> np.ndarray:
    if depth == 16:
        return np.frombuffer(row, ">u2")[:count].astype(np.int64)
    bits = np.unpackbits(np.frombuffer(row, np.uint8))[: count * depth].reshape(count, depth)
    return bits.astype(np.int64) @ (1 << np.arange(depth)[::-1])


def _predict(kind: int, left: int, above: int, corner: int) -> int:
    if kind == 4:
        guess = left + above - corner
        away = [abs(guess - left), abs(guess - above), abs(guess - corner)]
        return (left, above, corner)[away.index(min(away))]
    return (0, left, above, (left + above) // 2)[kind]


def _filter(row: bytes, before: bytes, step: int, kind: int, undo: bool) -> bytes:
    done = bytearray()
    known = done if undo else row
    for place, value in enumerate(row):
        left = known[place - step] if place >= step else 0
        corner = before[place - step] if place >= step else 0
        guess = _predict(kind, left, before[place], corner)
        done.append((value + guess if undo else value - guess) & 0xFF)
    return bytes(done)


def write_png(png: Png, random: np.random.Generator) -> bytes:
    """A PNG file whose rows have filters at random."""
    height, width, channels = png.values.shape
    step = max(channels * png.depth // 8, 1)
    stream = b""
    for rows, columns in _passes(height, width, png.interlaced):
        before = b""
        for line in png.values[rows, columns]:
            row = _pack(line.reshape(-1), png.depth)
            kind = int(random.integers(5))
            stream += bytes([kind]) + _filter(row, before or bytes(len(row)), step, kind, False)
            before = row
    header = struct.pack(">IIBBBBB", width, height, png.depth, png.kind, 0, 0, png.interlaced)
    packed = zlib.compress(stream)
    middle = len(packed) // 2
    chunks = [(b"IHDR", header)]
    chunks += [(b"PLTE", png.palette)] if png.palette else []
    chunks += [(b"tRNS", png.transparency)] if png.transparency else []
    chunks += [(b"IDAT", packed[:middle]), (b"IDAT", packed[middle:]), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


def read_png(raw: bytes) -> Png:
    """The values of a PNG file."""
    found: dict[bytes, bytes] = {}
    position = 8
    while position < len(raw):
        size, name = struct.unpack_from(">I4s", raw, position)
        found[name] = found.get(name, b"") + raw[position + 8 : position + 8 + size]
        position += 12 + size
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", found[b"IHDR"])
    channels = CHANNELS[kind]
    step = max(channels * depth // 8, 1)
    stream = zlib.decompress(found[b"IDAT"])
    values = np.zeros((height, width, channels), np.int64)
    position = 0
    for rows, columns in _passes(height, width, bool(interlaced)):
        part = values[rows, columns]
        size = -(-part.shape[1] * channels * depth // 8)
        before = bytes(size)
        for line in part:
            body = stream[position + 1 : position + 1 + size]
            before = _filter(body, before, step, stream[position], True)
            line[:] = _unpack(before, part.shape[1] * channels, depth).reshape(-1, channels)
            position += 1 + size
    return Png(values, depth, kind, found.get(b"PLTE", b""), found.get(b"tRNS", b""),
               bool(interlaced))  # fmt: skip


def on_white(png: Png) -> np.ndarray:
    """The picture on white, (height, width, 3), 0..255, as real numbers."""
    largest = 2**png.depth - 1
    values = png.values
    alpha = np.full(values.shape[:2], 255)
    if png.kind == 3:
        colours = np.frombuffer(png.palette, np.uint8).reshape(-1, 3).astype(np.int64)
        opacity = np.full(len(colours), 255)
        opacity[: len(png.transparency)] = list(png.transparency)
        shown, alpha = colours[values[..., 0]], opacity[values[..., 0]]
    else:
        eight = values >> 8 if png.depth == 16 else values * 255 // largest
        colours = CHANNELS[png.kind] - (png.kind in (4, 6))
        shown = np.broadcast_to(eight[..., :colours], (*values.shape[:2], 3))
        if png.kind in (4, 6):
            alpha = eight[..., -1]
        elif png.transparency:
            clear = np.frombuffer(png.transparency, ">u2").astype(np.int64) & largest
            alpha = np.where((values == clear).all(axis=-1), 0, 255)
    share = alpha[..., None] / 255
    return shown * share + 255 * (1 - share)
