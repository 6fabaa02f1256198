"""Light augmentation of a sub-batch, in bytes, according to the kind of the task's samples.

Photographs are shifted by up to 4 pixels (of 32; of larger inputs in proportion). If mirroring
keeps the class, they are mirrored too; otherwise, as with traffic signs, each side is stretched by
up to 10 % and contrast and brightness vary. Grey pictures are shifted by up to 2 pixels, and those
of clothes are mirrored too. Log-mel images are shifted in time by up to 4 frames and get a little
noise and one masked band. Sensor series get a little noise; tensors stay as they are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.tasks import TaskData
from rbnn.tasks.audio import time_is_down
from rbnn.tasks.dataset import Images
from rbnn.tasks.form import SIDE, Sides

MIRRORED = frozenset({"cifar", "scenes", "fashion"})
"""Tasks whose classes mirroring keeps; digits, letters and traffic signs are not among them, and
for the user's own data it is not known."""
PHOTOGRAPH_SHIFT = 4
PICTURE_SHIFT = 2
STRETCH = 0.1
CONTRAST = 0.4
BRIGHTNESS = 0.4
"""Both in nats: a factor of 0.67 to 1.5."""
TIME_SHIFT = 4
NOISE_LEVEL = 6.0
MASKED_BANDS = 4


def augment(images: Images, data: TaskData, generator: np.random.Generator) -> Images:
    """Vary the samples of one sub-batch.

    Args:
        images: (n, height, width, c), uint8; not changed.
        data: the task they belong to.
        generator: source of all randomness.

    Returns:
        New images of the same shape and type.
    """
    if data.kind == "tensor":
        return images.copy()
    if data.kind == "series":
        return add_noise(images, generator)
    if data.kind == "audio":
        if time_is_down(data.sides):
            turned = np.ascontiguousarray(images.transpose(0, 2, 1, 3))
            return np.ascontiguousarray(_vary_sounds(turned, generator).transpose(0, 2, 1, 3))
        return _vary_sounds(images, generator)
    if data.channels == 3:
        stretch = 0.0 if data.name in MIRRORED else STRETCH
        varied = move(images, *_reach(PHOTOGRAPH_SHIFT, data.sides), stretch, generator)
        if data.name not in MIRRORED:
            varied = vary_light(varied, generator)
    else:
        varied = move(images, *_reach(PICTURE_SHIFT, data.sides), 0.0, generator)
    if data.name in MIRRORED:
        mirrored = generator.random(len(images)) < 0.5
        varied[mirrored] = varied[mirrored, :, ::-1]
    return varied


def _reach(pixels: int, sides: Sides) -> tuple[int, int]:
    """So many pixels of 32 along each side."""
    return round(pixels * sides[0] / SIDE), round(pixels * sides[1] / SIDE)


def _vary_sounds(images: Images, generator: np.random.Generator) -> Images:
    """Bands by frames, shifted in time, with noise and a masked band."""
    _, frames = _reach(TIME_SHIFT, (images.shape[1], images.shape[2]))
    varied = add_noise(move(images, 0, frames, 0.0, generator), generator)
    return mask_bands(varied, generator)


def add_noise(images: Images, generator: np.random.Generator) -> Images:
    """Add noise of ``NOISE_LEVEL`` to every value.

    Args:
        images: of any shape; not changed.
        generator: source of the noise.
    """
    noise = generator.normal(0.0, NOISE_LEVEL, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def move(
    images: Images, rows: int, columns: int, stretch: float, generator: np.random.Generator
) -> Images:
    """Shift and stretch each image; the edge pixels fill the gaps.

    Args:
        images: (n, height, width, c).
        rows: most pixels up or down.
        columns: most pixels left or right.
        stretch: most that height and width, each by itself, grow or shrink, as a fraction.
        generator: source of all randomness.
    """
    count, height, width, _ = images.shape
    row = _places(count, height, rows, stretch, generator)
    column = _places(count, width, columns, stretch, generator)
    moved: Images = images[np.arange(count)[:, None, None], row[:, :, None], column[:, None, :]]
    return moved


def _places(
    count: int, side: int, reach: int, stretch: float, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Where each place of a side comes from, (count, side)."""
    shift = generator.integers(-reach, reach + 1, count)[:, None]
    factor = np.exp(generator.uniform(-np.log1p(stretch), np.log1p(stretch), count))[:, None]
    middle = (side - 1) / 2
    place = np.rint((np.arange(side)[None] - middle) * factor + middle).astype(np.int64) - shift
    return np.asarray(np.clip(place, 0, side - 1))


def vary_light(images: Images, generator: np.random.Generator) -> Images:
    """Change each image's contrast around its mean, and its brightness.

    Args:
        images: (n, height, width, c).
        generator: source of all randomness.
    """
    count = len(images)
    contrast = np.exp(generator.uniform(-CONTRAST, CONTRAST, count)).astype(np.float32)
    light = generator.uniform(-BRIGHTNESS, BRIGHTNESS, count).astype(np.float32)
    values = images.astype(np.float32)
    means = values.mean(axis=(1, 2, 3), keepdims=True)
    wide = (..., None, None, None)
    varied = (values - means) * contrast[wide] + means * np.exp(light[wide])
    return np.asarray(np.clip(np.rint(varied), 0, 255), np.uint8)


def mask_bands(images: Images, generator: np.random.Generator) -> Images:
    """Set up to ``MASKED_BANDS`` of 32 neighbouring rows of each image to the image's mean.

    Args:
        images: (n, bands, frames, 1); changed in place and returned.
        generator: source of the bands.

    Source: Park et al., "SpecAugment", Interspeech 2019 (frequency masking).
    """
    count, height = images.shape[:2]
    most = max(1, MASKED_BANDS * height // SIDE)
    width = generator.integers(0, most + 1, count)
    first = generator.integers(0, height - most + 1, count)
    band = np.arange(height)[None]
    masked = (band >= first[:, None]) & (band < (first + width)[:, None])
    means = np.rint(images.mean(axis=(1, 2, 3))).astype(np.uint8)
    return np.where(masked[:, :, None, None], means[:, None, None, None], images)
