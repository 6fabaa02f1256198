"""Which pixels of a PNG have the one colour that its tRNS chunk calls transparent.

Pillow compares that colour, which has the file's depth, with pixels that it has brought to 8 bits,
so it finds only those of 8-bit pictures.

Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 2025, sections 8.1,
9.2 and 11.3.1.1.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbnn.tasks.dataset import Images

if TYPE_CHECKING:
    from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR = 0, 2
INTERLACED = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Column, row, and steps of both, of the first pixels of each pass (Adam7)."""


def clear_pixels(picture: Image.Image, raw: bytes) -> npt.NDArray[np.bool_] | None:
    """Where a grey or RGB PNG is transparent; None if its transparency is of another kind.

    Args:
        picture: as Pillow decoded it.
        raw: the file.

    Returns:
        (height, width), or None.
    """
    if not raw.startswith(SIGNATURE) or raw[12:16] != b"IHDR":
        return None
    body = next((body for name, body in _chunks(raw) if name == b"tRNS"), b"")
    depth, kind = raw[24], raw[25]
    if (kind, len(body)) not in ((GREY, 2), (COLOUR, 6)):
        return None
    colour = np.frombuffer(body, ">u2").astype(np.int64) & (2**depth - 1)
    if kind == GREY:
        # Pillow spreads grey of fewer than 8 bits over 0..255, and black and white over 0 and 1.
        scale = 255 // (2**depth - 1) if 1 < depth < 8 else 1
        return np.asarray(np.asarray(picture).astype(np.int64) == colour * scale)
    if depth == 8:
        return _equal(np.asarray(picture), colour)
    return _equal(np.asarray(picture), colour >> 8) & _equal(_lower_bytes(raw), colour & 0xFF)


def _equal(pixels: Images, colour: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    return np.asarray((pixels == colour).all(axis=-1))


def _chunks(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(SIGNATURE)
    while position + 8 <= len(raw):
        size, name = struct.unpack_from(">I4s", raw, position)
        yield name, raw[position + 8 : position + 8 + size]
        position += 12 + size


def _lower_bytes(raw: bytes) -> Images:
    """The lower bytes of a PNG of 16 bits per colour, (height, width, 3).

    The filters of PNG compute each byte from the same byte of other pixels, so the lower bytes of
    the filtered rows are themselves the rows of a PNG of 8 bits, which Pillow decodes.
    """
    from PIL import Image

    width, height = struct.unpack_from(">II", raw, 16)
    filtered = zlib.decompressobj().decompress(
        b"".join(body for name, body in _chunks(raw) if name == b"IDAT"),
        6 * width * height + 2 * height + 16,  # at most: two rows of filters a line
    )
    interlaced = bool(raw[28])
    rows, position = [], 0
    for left, top, right, down in INTERLACED if interlaced else ((0, 0, 1, 1),):
        columns, lines = -(-(width - left) // right), -(-(height - top) // down)
        if columns <= 0 or lines <= 0:
            continue
        size = lines * (6 * columns + 1)
        lanes = np.frombuffer(filtered[position : position + size], np.uint8).reshape(lines, -1)
        rows.append(np.hstack((lanes[:, :1], lanes[:, 2::2])).tobytes())
        position += size
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR, 0, 0, interlaced)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 1)), (b"IEND", b""))
    made = SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    with Image.open(io.BytesIO(made), formats=("PNG",)) as picture:
        return np.asarray(picture)
