"""From image bytes to the pixels of an input."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np

from rbnn.tasks.dataset import Images
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.transparency import clear_pixels

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 50_000_000
"""Larger pictures are refused before their pixels are decoded."""
BACKGROUND = (255, 255, 255, 255)
"""The colour behind transparent pixels."""


def fit(pixels: Images, sides: Sides = USUAL) -> Images:
    """Scale one picture (Lanczos; the aspect ratio is not kept).

    Args:
        pixels: (height, width) or (height, width, 3), uint8.
        sides: height and width that it gets.

    Returns:
        (height, width, 1 or 3) uint8.
    """
    from PIL import Image

    if pixels.shape[:2] != sides:
        picture = Image.fromarray(pixels).resize(sides[::-1], Image.Resampling.LANCZOS)
        pixels = np.asarray(picture, dtype=np.uint8)
    return pixels.reshape(*sides, -1)


def read_picture(
    raw: bytes, where: str, sides: Sides = USUAL, formats: tuple[str, ...] = FORMATS
) -> Images:
    """Decode a picture file of any size and mode.

    The whole picture is scaled to ``sides`` (Lanczos; the aspect ratio is not kept), turned upright
    according to its EXIF data, and laid on white where it is transparent. Of an animation, the
    first picture is used; of 16 bits, the upper 8.

    Args:
        raw: the whole file.
        where: its name for error messages.
        sides: height and width that it gets.
        formats: Pillow's names of the formats to accept.

    Returns:
        (height, width, 3) uint8; a grey picture has three equal channels.

    Raises:
        TaskError: not such a picture, damaged, cut off or too large.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(raw), formats=formats) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise _too_large(where, f"{width}x{height} pixels")
                picture.load()
                upright = _upright(_on_white(picture, raw), picture)
                return fit(np.asarray(upright, dtype=np.uint8), sides)
    except TaskError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(
            where, f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels"
        ) from error
    except UnidentifiedImageError as error:
        raise TaskError(
            f"{where} is not a {' or '.join(formats)} picture.", "Replace it or delete it."
        ) from error
    except Exception as error:  # a damaged file can make the decoders raise anything
        if "MAX_TEXT" in str(error):
            raise TaskError(
                f"{where} has more than 1 MiB of text or colour profile in one piece.",
                "Remove its metadata, or save it again without them.",
            ) from error
        raise TaskError(
            f"{where} is damaged: {str(error) or type(error).__name__}.",
            "Replace it or delete it.",
        ) from error


def _too_large(where: str, size: str) -> TaskError:
    limit = f"{MAX_PIXELS // 1_000_000} million pixels"
    return TaskError(
        f"{where} is too large: {size}; the limit is {limit}.",
        f"Scale it down to at most {limit}.",
    )


def _on_white(picture: Image.Image, raw: bytes) -> Image.Image:
    """A decoded picture in RGB, on white where it is transparent."""
    from PIL import Image

    clear = clear_pixels(picture, raw)
    if picture.mode.startswith("I"):  # 16-bit grey: keep the upper byte
        wide = np.asarray(picture, dtype=np.int64)
        picture = Image.fromarray((np.clip(wide, 0, 65535) >> 8).astype(np.uint8))
    if clear is not None:
        pixels = np.array(picture.convert("RGB"))
        pixels[clear] = BACKGROUND[:3]
        return Image.fromarray(pixels)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        sheet = Image.new("RGBA", layer.size, BACKGROUND)
        picture = Image.alpha_composite(sheet, layer)
    return picture.convert("RGB")


def _upright(picture: Image.Image, original: Image.Image) -> Image.Image:
    """A picture turned as the EXIF data of ``original`` say; as it is if they are damaged."""
    from PIL import ExifTags, Image, ImageOps

    try:
        orientation = original.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # whatever damaged data raise; viewers show such a picture, too
        return picture
    # Without the other data, which a turned picture would have to write anew.
    plain = Image.fromarray(np.asarray(picture))
    plain.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(plain)


def is_grey(images: Images) -> bool:
    """Whether no pixel of (n, height, width, 3) has a colour."""
    return bool(
        np.array_equal(images[..., 0], images[..., 1])
        and np.array_equal(images[..., 0], images[..., 2])
    )


def to_grey(images: Images) -> Images:
    """(…, height, width, 3) to (…, height, width, 1), by ITU-R BT.601 luma as Pillow's mode L."""
    weights = np.array([19595, 38470, 7471], dtype=np.int64)
    luma = (images.astype(np.int64) @ weights + 0x8000) >> 16
    return np.asarray(luma[..., None], dtype=np.uint8)
