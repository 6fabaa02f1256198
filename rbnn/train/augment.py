"""Light augmentation of a sub-batch, in bytes, by what the task's samples are.

Photographs are shifted by up to 4 pixels and, where a mirror image keeps its class, mirrored;
grey pictures are shifted by up to 2; log-mel images are shifted in time by up to 4 frames and
carry a little noise and one masked band.
"""

from __future__ import annotations

import numpy as np

from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Images

MIRRORED = frozenset({"cifar", "scenes", "fashion"})
"""Tasks whose classes a mirror image keeps; digits, letters and traffic signs are not among them,
and of the user's own data nobody knows."""
PHOTOGRAPH_SHIFT = 4
PICTURE_SHIFT = 2
TIME_SHIFT = 4
NOISE_LEVEL = 6.0
MASKED_BANDS = 4


def augment(images: Images, data: TaskData, generator: np.random.Generator) -> Images:
    """Vary the samples of one sub-batch.

    Args:
        images: (n, 32, 32, c), uint8; left as they are.
        data: the task they belong to.
        generator: source of all randomness.

    Returns:
        New images of the same shape and type.
    """
    if data.kind == "audio":
        varied = shift(images, 0, TIME_SHIFT, generator)
        noise = generator.normal(0.0, NOISE_LEVEL, images.shape)
        varied = np.clip(np.rint(varied + noise), 0, 255).astype(np.uint8)
        return mask_bands(varied, generator)
    reach = PHOTOGRAPH_SHIFT if data.channels == 3 else PICTURE_SHIFT
    varied = shift(images, reach, reach, generator)
    if data.name in MIRRORED:
        mirrored = generator.random(len(images)) < 0.5
        varied[mirrored] = varied[mirrored, :, ::-1]
    return varied


def shift(images: Images, rows: int, columns: int, generator: np.random.Generator) -> Images:
    """Move each image by up to ``rows`` and ``columns`` pixels; the edge pixels fill what is bare.

    Args:
        images: (n, height, width, c).
        rows: most pixels up or down.
        columns: most pixels left or right.
        generator: source of the shifts.
    """
    count, height, width, _ = images.shape
    down = generator.integers(-rows, rows + 1, count)[:, None]
    right = generator.integers(-columns, columns + 1, count)[:, None]
    row = np.clip(np.arange(height)[None] - down, 0, height - 1)
    column = np.clip(np.arange(width)[None] - right, 0, width - 1)
    moved: Images = images[np.arange(count)[:, None, None], row[:, :, None], column[:, None, :]]
    return moved


def mask_bands(images: Images, generator: np.random.Generator) -> Images:
    """Set up to ``MASKED_BANDS`` neighbouring rows of each image to the image's mean.

    Args:
        images: (n, bands, frames, 1); changed in place and returned.
        generator: source of the bands.

    Source: Park et al., "SpecAugment", Interspeech 2019 (frequency masking).
    """
    count, height = images.shape[:2]
    width = generator.integers(0, MASKED_BANDS + 1, count)
    first = generator.integers(0, height - MASKED_BANDS + 1, count)
    band = np.arange(height)[None]
    masked = (band >= first[:, None]) & (band < (first + width)[:, None])
    means = np.rint(images.mean(axis=(1, 2, 3))).astype(np.uint8)
    return np.where(masked[:, :, None, None], means[:, None, None, None], images)
