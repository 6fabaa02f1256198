"""Synthetic inputs, on which a packed model is compared without any data set.

Each is a mosaic of coloured squares, from 8 pixels a side down to noise. The colours are SHAKE-128
of the task's name and the side, so every machine makes the same ones.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from rbnn.nets.topology import Shape

SQUARES = (8, 4, 2, 1)
"""Sides of the squares in pixels, one probe each."""


def probe_images(task: str, shape: Shape) -> npt.NDArray[np.uint8]:
    """The probes of a task.

    Args:
        task: its name.
        shape: height, width and channels of its input.

    Returns:
        (probes, height, width, channels), uint8.
    """
    return np.stack([_mosaic(task, shape, side) for side in SQUARES])


def _mosaic(task: str, shape: Shape, side: int) -> npt.NDArray[np.uint8]:
    height, width, channels = shape
    rows, columns = -(-height // side), -(-width // side)
    seed = f"rbnn probe {task} {side}".encode()
    colours = hashlib.shake_128(seed).digest(rows * columns * channels)
    mosaic = np.frombuffer(colours, np.uint8).reshape(rows, columns, channels)
    return mosaic.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]
