"""From pictures of any size and mode to 32x32."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from small_sets import picture_bytes

from rbnn.tasks import TaskError
from rbnn.tasks.picture import is_grey, read_picture, to_grey

RED = np.full((20, 50, 3), (200, 0, 0), dtype=np.uint8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
@pytest.mark.parametrize("size", [(1, 1), (32, 32), (100, 7)])
def test_every_mode_and_size(mode: str, size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
    image = read_picture(buffer.getvalue(), "x")
    assert image.shape == (32, 32, 3)
    assert image.dtype == np.uint8


def test_pixels_of_a_32x32_picture_are_kept() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(read_picture(picture_bytes(pixels), "x"), pixels)


def test_16_bit_grey_keeps_its_upper_byte() -> None:
    wide = (np.arange(1024, dtype=np.uint16).reshape(32, 32) * 64).astype(np.uint16)
    assert np.array_equal(read_picture(picture_bytes(wide), "x")[..., 0], wide >> 8)


def test_transparent_pixels_show_white() -> None:
    pixels = np.zeros((32, 32, 4), dtype=np.uint8)
    pixels[:16] = (200, 0, 0, 255)
    image = read_picture(picture_bytes(pixels), "x")
    assert (image[:16] == (200, 0, 0)).all()
    assert (image[16:] == 255).all()


def test_a_transparent_palette_colour_shows_white() -> None:
    picture = Image.new("P", (32, 32), 1)
    picture.putpalette([0, 0, 0, 200, 0, 0])
    picture.paste(0, (0, 0, 32, 16))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=0)
    image = read_picture(buffer.getvalue(), "x")
    assert (image[:16] == 255).all()
    assert (image[16:] == (200, 0, 0)).all()


def test_colours_of_a_cmyk_jpeg() -> None:
    image = read_picture(picture_bytes(RED, "JPEG", "CMYK"), "x")
    assert np.abs(image.astype(int) - (200, 0, 0)).max() <= 3


def test_the_first_picture_of_an_animation_is_used() -> None:
    pictures = [Image.new("RGB", (32, 32), colour) for colour in ("lime", "red", "blue")]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "PNG", save_all=True, append_images=pictures[1:])
    assert (read_picture(buffer.getvalue(), "x") == (0, 255, 0)).all()


def test_exif_turns_the_picture_upright() -> None:
    pixels = np.zeros((32, 32), dtype=np.uint8)
    pixels[:16] = 255
    picture = Image.fromarray(pixels)
    exif = picture.getexif()
    exif[0x0112] = 3  # upside down
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", exif=exif)
    image = read_picture(buffer.getvalue(), "x")
    assert not image[:16].any()
    assert (image[16:] == 255).all()


def test_grey_and_colour() -> None:
    red = read_picture(picture_bytes(RED), "x")
    grey = read_picture(picture_bytes(RED, mode="L"), "x")
    assert not is_grey(red[None])
    assert is_grey(grey[None])
    assert np.array_equal(to_grey(red), grey[..., :1])


def _png(side: int, bits: int, colour_type: int, rows: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", side, side, bits, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _with_text(raw: bytes, size: int) -> bytes:
    body = b"zTXtComment\0\0" + zlib.compress(bytes([65]) * size)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return raw[:33] + chunk + raw[33:]


def test_16_bits_per_colour_keep_their_upper_byte() -> None:
    pixel = struct.pack(">HHH", 0xC8FF, 0x1000, 0x00FF)
    raw = _png(32, 16, 2, (b"\0" + pixel * 32) * 32)
    assert (read_picture(raw, "x") == (0xC8, 0x10, 0)).all()


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "not a PNG or JPEG"),
        (b"\x89PNG\r\n\x1a\nrubbish", "x.png"),
        (picture_bytes(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))[:-4000],
         "damaged"),
        (picture_bytes(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), "JPEG")[
            :-1500
        ], "damaged"),
        (picture_bytes(RED, "GIF"), "not a PNG or JPEG"),
        (_png(9000, 8, 0, bytes(10)), "too large: 9000x9000 pixels; the limit is 50 million"),
        (_png(60_000, 8, 0, bytes(10)), "too large: more than 178,956,970 pixels; the limit is 50"),
        (_with_text(picture_bytes(RED), 2_000_000), "more than 1 MiB of text"),
    ],
)  # fmt: skip
def test_unusable_pictures_are_refused_by_name(raw: bytes, what: str) -> None:
    with pytest.raises(TaskError) as caught:
        read_picture(raw, "set/x.png")
    assert "set/x.png" in caught.value.what
    assert what in caught.value.what
    assert caught.value.fix


@settings(deadline=None)
@given(st.sampled_from(["PNG", "JPEG"]), st.integers(0, 2000), st.binary(min_size=1, max_size=9))
def test_damaged_pictures_never_crash(kind: str, position: int, patch: bytes) -> None:
    raw = bytearray(picture_bytes(RED, kind))
    position %= len(raw)
    raw[position : position + len(patch)] = patch
    try:
        image = read_picture(bytes(raw), "x")
    except TaskError:
        return
    assert image.shape == (32, 32, 3)
