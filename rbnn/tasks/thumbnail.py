"""Samples as small PNG pictures inside a page."""

from __future__ import annotations

import base64
import io

import numpy as np

from rbnn.tasks.dataset import Images, Kind

SOUND_COLOURS = (
    *("000003", "09071f", "1a1041", "301065", "4a1079", "61187f", "792281", "912a80", "a9327c"),
    *("c23a75", "d9466a", "ec585f", "f7715b", "fc8e63", "feaa74", "fec689", "fde1a3", "fbfcbf"),
)
"""Every fifteenth colour of Matplotlib's magma, for log-mel images: dark is quiet, light is loud.
What lies between is interpolated, within 3 of 255 of the original."""


def picture_uri(image: Images, kind: Kind) -> str:
    """A sample as a data URI.

    Args:
        image: (32, 32, 1 or 3) uint8. A sound is flipped so that low bands are at the bottom, and
            coloured by loudness.
        kind: what the sample was made from.

    Returns:
        ``data:image/png;base64,...``, 32x32 pixels.
    """
    from PIL import Image

    pixels = image[..., 0] if image.shape[-1] == 1 else image
    if kind == "audio":
        picture = Image.fromarray(np.ascontiguousarray(pixels[::-1]), mode="P")
        picture.putpalette(_sound_palette())
    else:
        picture = Image.fromarray(pixels)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _sound_palette() -> list[int]:
    """Red, green and blue of 256 colours."""
    stops = np.array([list(bytes.fromhex(colour)) for colour in SOUND_COLOURS])
    places = np.linspace(0, 255, len(stops))
    bands = [np.interp(np.arange(256), places, band) for band in stops.T]
    return [int(value) for value in np.rint(np.stack(bands, axis=1)).ravel()]
