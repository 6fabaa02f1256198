"""From IDX files, the format of MNIST and its relatives, to images.

An IDX file is two zero bytes, a type byte (8: unsigned bytes), the number of dimensions, their
sizes as big-endian 32-bit integers, and the values in C order.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST Database of Handwritten Digits", section
"File formats".
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import numpy as np

from rbnn.tasks.dataset import Images, Labels
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.picture import fit

Progress = Callable[[str, int, int], None]
UNSIGNED_BYTES = 8
DAMAGE = (OSError, EOFError, KeyError, ValueError, zlib.error)
"""What reading a file that is not IDX may raise."""


def read_idx(raw: bytes, dimensions: int) -> Images:
    """Decode a gzipped IDX file of bytes.

    Args:
        raw: the whole compressed file.
        dimensions: the number that it must have: 1 for labels, 3 for images.

    Returns:
        uint8 array of that many dimensions.

    Raises:
        OSError, EOFError, ValueError, zlib.error: not such a file.
    """
    plain = gzip.decompress(raw)
    header = 4 + 4 * dimensions
    if len(plain) < header or plain[:4] != bytes((0, 0, UNSIGNED_BYTES, dimensions)):
        raise ValueError(f"not an IDX file of bytes in {dimensions} dimensions")
    shape = [int(size) for size in np.frombuffer(plain, ">u4", dimensions, 4)]
    values = np.frombuffer(plain, np.uint8, offset=header)
    return values.reshape(shape)


def read_images(
    raw: bytes, what: str, progress: Progress | None, sides: Sides = USUAL, *, lying: bool = False
) -> Images:
    """Decode grey images and scale them in the same way as picture files.

    Args:
        raw: a gzipped IDX file of (n, height, width).
        what: the set's name, for ``progress("reading <what>", done, n)``.
        progress: called from time to time.
        sides: height and width that they get.
        lying: whether rows and columns are exchanged in the file.

    Returns:
        (n, height, width, 1) uint8, upright.

    Raises:
        OSError, EOFError, ValueError, zlib.error: not such a file.
    """
    pixels = read_idx(raw, 3)
    if lying:
        pixels = pixels.transpose(0, 2, 1)
    images = np.empty((len(pixels), *sides, 1), dtype=np.uint8)
    for number, grey in enumerate(pixels):
        images[number] = fit(grey, sides)
        if progress is not None and (number % 500 == 499 or number + 1 == len(pixels)):
            progress(f"reading {what}", number + 1, len(pixels))
    return images


def read_labels(raw: bytes, first: int, classes: int) -> Labels:
    """Decode class numbers.

    Args:
        raw: a gzipped IDX file of (n,).
        first: the number that the file gives to class 0.
        classes: how many classes there are.

    Returns:
        (n,) int64, 0..classes - 1.

    Raises:
        OSError, EOFError, ValueError, zlib.error: not such a file, or another class number in it.
    """
    labels = read_idx(raw, 1).astype(np.int64) - first
    if not ((labels >= 0) & (labels < classes)).all():
        raise ValueError("a class number is out of range")
    return labels
