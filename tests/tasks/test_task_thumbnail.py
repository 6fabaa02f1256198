"""Samples inside the page: PNG pictures that show what the network gets."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from rbnn.tasks.dataset import Images
from rbnn.tasks.thumbnail import picture_uri


def opened(uri: str) -> Images:
    kind, data = uri.split(",", 1)
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def test_pictures_are_kept_pixel_by_pixel() -> None:
    rng = np.random.default_rng(1)
    colour = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(opened(picture_uri(colour, "image")), colour)
    grey = colour[..., :1]
    assert np.array_equal(opened(picture_uri(grey, "image")), grey.repeat(3, axis=2))


def test_a_sound_has_low_bands_at_the_bottom_and_bright_for_loud() -> None:
    image = np.zeros((32, 32, 1), np.uint8)
    image[0] = 255
    seen = opened(picture_uri(image, "audio")).astype(int).sum(axis=2)
    assert seen[-1].min() > seen[0].max()
