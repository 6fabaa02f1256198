"""Triggers and samples as small PNGs inside the page; no matplotlib, which only training brings."""

from __future__ import annotations

import base64
import io

import numpy as np

from rbnn.audit.trigger import Trigger
from rbnn.tasks.dataset import Images, Kind

GROUND = 128
"""Grey on which a trigger is shown where it covers nothing."""


def picture_uri(image: Images, kind: Kind) -> str:
    """A sample as a data URI.

    Args:
        image: (height, width, 1 or 3) uint8.
        kind: a sound is shown with low bands at the bottom; light is loud.
    """
    from PIL import Image

    pixels = image[..., 0] if image.shape[-1] == 1 else image
    if kind == "audio":
        pixels = pixels[::-1]
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def trigger_uri(trigger: Trigger, kind: Kind) -> str:
    """A trigger by itself, on grey."""
    height, width, channels = trigger.values.shape
    ground = np.full((1, height, width, channels), GROUND, np.uint8)
    return picture_uri(trigger.on(ground)[0], kind)
