"""PNG of every colour type, depth and kind of transparency, against a second reader."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from plain_png import CHANNELS, Png, on_white, read_png, write_png

from rbnn.tasks.picture import read_picture

DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
TYPES = [(kind, depth) for kind, depths in DEPTHS.items() for depth in depths]
TRANSPARENCIES = {
    0: ("none", "one", "high bits"),
    2: ("none", "one", "high bits"),
    3: ("none", "one", "some", "all"),
    4: ("none",),
    6: ("none",),
}
CASES = [
    (kind, depth, transparency) for kind, depth in TYPES for transparency in TRANSPARENCIES[kind]
]


def _make(
    kind: int, depth: int, transparency: str, interlaced: bool, shape: tuple[int, int]
) -> Png:
    random = np.random.default_rng([kind, depth, interlaced])
    values = random.integers(0, 2**depth, (*shape, CHANNELS[kind]))
    # Few values, so that many pixels have the transparent one, or differ from it in one bit.
    few = random.integers(0, 2**depth, (3, CHANNELS[kind]))
    few = np.concatenate((few, few ^ 1, few ^ (1 << (depth - 1))))
    mask = random.random(shape) < 0.7
    values[mask] = few[random.integers(0, len(few), mask.sum())]
    palette = bytes(random.integers(0, 256, 3 * 2**depth, np.uint8)) if kind == 3 else b""
    body = b""
    if kind == 3 and transparency != "none":
        count = {"one": 1, "some": max(2**depth // 2, 1), "all": 2**depth}[transparency]
        body = bytes(random.integers(0, 256, count, np.uint8))
        body = b"\0" if transparency == "one" else body
    elif transparency != "none":
        high = 0xFFFF ^ (2**depth - 1) if transparency == "high bits" else 0  # to be ignored
        body = b"".join(struct.pack(">H", int(value) | high) for value in few[0])
    return Png(values, depth, kind, palette, body, interlaced)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "depth", "transparency"), CASES)
def test_every_kind_of_png(kind: int, depth: int, transparency: str, interlaced: bool) -> None:
    made = _make(kind, depth, transparency, interlaced, (32, 32))
    raw = write_png(made, np.random.default_rng(1))
    read = read_png(raw)
    assert np.array_equal(read.values, made.values)
    wanted = on_white(read)
    assert np.abs(read_picture(raw, "x.png") - wanted).max() <= 1
    if transparency != "none" and kind != 3:
        clear = (wanted == 255).all(axis=-1)
        assert clear.any() and (depth == 1 or not clear.all())


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2), (5, 40), (70, 33)])
@pytest.mark.parametrize(("kind", "depth"), [(0, 16), (2, 16), (0, 4)])
def test_sizes_that_leave_passes_empty(kind: int, depth: int, shape: tuple[int, int]) -> None:
    straight = _make(kind, depth, "one", False, shape)
    woven = Png(straight.values, depth, kind, b"", straight.transparency, True)
    images = [
        read_picture(write_png(each, np.random.default_rng(2)), "x") for each in (straight, woven)
    ]
    assert np.array_equal(*images)


def test_the_second_reader_reads_what_pillow_writes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (13, 21, 4), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    assert np.array_equal(read_png(buffer.getvalue()).values, pixels)


def test_transparent_grey_of_16_bits_is_white() -> None:
    made = Png(np.zeros((32, 32, 1), np.int64), 16, 0, b"", b"\0\0")
    assert (read_picture(write_png(made, np.random.default_rng(0)), "x") == 255).all()


def test_a_transparent_picture_is_turned_upright_too() -> None:
    values = np.zeros((32, 32, 1), np.int64)
    values[:16] = 8
    raw = write_png(Png(values, 4, 0, b"", struct.pack(">H", 8)), np.random.default_rng(0))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    image = read_picture(raw[:33] + chunk + raw[33:], "x")
    assert not image[:16].any()
    assert (image[16:] == 255).all()
