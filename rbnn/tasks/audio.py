"""Clips of sound: from samples of any length to one second, and to its log-mel picture.

Every clip, whether from an audio task or from the user, goes through :func:`log_mel_image`. It
rounds the samples to 16 bits, as a device receives them, and computes in integers what the device
computes (``rbnn.tasks.front_end``). Row 0 is the lowest band, column 0 the first frame. For an
input of another shape than 32x32 that picture is scaled like any other; time runs along the longer
side.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.spec.audio import CLIP_SAMPLES, RATE_HZ
from rbnn.tasks.dataset import Images
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.front_end import VERSION, Pcm, clip_picture
from rbnn.tasks.picture import fit

Samples = npt.NDArray[np.float64]

RECIPE: dict[str, object] = {"front_end": VERSION}
"""What cached log-mel images depend on."""


def loudest_part(samples: Samples, length: int, step: int) -> Samples:
    """The stretch of ``length`` samples with the most energy, the earliest on a tie.

    Args:
        samples: mono, at least ``length`` of them.
        length: samples to keep.
        step: stretches start at multiples of this.
    """
    energy = np.concatenate(([0.0], np.cumsum(samples**2)))
    starts = np.arange(0, len(samples) - length + 1, step)
    best = int(starts[np.argmax(energy[starts + length] - energy[starts])])
    return samples[best : best + length]


def fit_clip(samples: Samples) -> Samples:
    """Make a clip exactly one second long.

    A shorter clip is padded with zeros on both sides; of a longer clip, the loudest second is kept.

    Args:
        samples: mono, 16 kHz, any length.

    Returns:
        (16000,) float64.
    """
    missing = CLIP_SAMPLES - len(samples)
    if missing < 0:
        return loudest_part(samples, CLIP_SAMPLES, RATE_HZ // 100)
    return np.pad(samples, (missing // 2, missing - missing // 2))


def to_pcm(samples: Samples) -> Pcm:
    """Round samples in about -1..1 to 16 bits; what is louder is clipped.

    Raises:
        ValueError: NaN or infinity among them.
    """
    if not np.isfinite(samples).all():
        raise ValueError("Samples are finite. Received: NaN or infinity")
    scaled = np.rint(np.clip(np.asarray(samples, np.float64), -1.0, 1.0) * 32_768)
    return np.asarray(np.clip(scaled, -32_768, 32_767), dtype=np.int16)


def time_is_down(sides: Sides) -> bool:
    """Whether the rows of a sound's picture are frames and its columns bands, low ones first."""
    return sides[0] > sides[1]


def log_mel_image(samples: Samples, sides: Sides = USUAL) -> Images:
    """Turn a clip into the network's input.

    Args:
        samples: mono, 16 kHz, finite, nominally in -1..1, any length.
        sides: height and width of the input.

    Returns:
        (height, width, 1) uint8: mel bands, frames, one channel; see :func:`time_is_down`.
    """
    if not np.isfinite(samples).all():
        raise ValueError("Samples are finite. Received: NaN or infinity")
    clipped = np.clip(np.asarray(samples, dtype=np.float64), -1.0, 1.0)
    picture = clip_picture(to_pcm(fit_clip(clipped)))
    return fit(np.ascontiguousarray(picture.T) if time_is_down(sides) else picture, sides)
