"""The audio front end: from one second of sound to a 32x32 log-mel image.

Every clip, whether from an audio task or from the user, goes through :func:`log_mel_image`. Steps,
for 16,000 samples at 16 kHz in -1..1:

1. 262 zeros on each side; 32 frames of 1,024 samples, 500 samples apart, periodic Hann window.
2. Power spectrum (1,024-point FFT), summed by 32 triangular filters that are evenly spaced in
   mel, ``2595 log10(1 + f / 700)``, from 60 Hz to 7,600 Hz, each of unit area.
3. Decibels; the clip's loudest value becomes 255, and ``RANGE_DB`` below it becomes 0. A clip whose
   loudest value is below ``FLOOR_DB`` is scaled to ``FLOOR_DB`` instead, so digital silence is
   black rather than amplified rounding noise.

Row 0 is the lowest band, column 0 the first frame.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from rbnn.tasks.dataset import SIDE, Images

Samples = npt.NDArray[np.float64]

RATE_HZ = 16_000
CLIP_SAMPLES = RATE_HZ
FRAME_SAMPLES = 1024
HOP_SAMPLES = 500
LOWEST_HZ = 60.0
HIGHEST_HZ = 7_600.0
RANGE_DB = 60.0
FLOOR_DB = -70.0
PAD_SAMPLES = ((SIDE - 1) * HOP_SAMPLES + FRAME_SAMPLES - CLIP_SAMPLES) // 2

RECIPE: dict[str, object] = {
    "front_end": "log-mel 2",
    "rate": RATE_HZ,
    "frame": FRAME_SAMPLES,
    "hop": HOP_SAMPLES,
    "band": [LOWEST_HZ, HIGHEST_HZ],
    "decibels": [RANGE_DB, FLOOR_DB],
}
"""The parameters that cached log-mel images depend on."""


@cache
def mel_filters() -> Samples:
    """Weights of the triangular filters, (32, 513), each row of sum 1."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, SIDE + 2) / 2595) - 1)
    bins = np.arange(FRAME_SAMPLES // 2 + 1) * (RATE_HZ / FRAME_SAMPLES)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights = np.maximum(
        0.0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    )
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


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


def log_mel_image(samples: Samples) -> Images:
    """Turn a clip into the network's input.

    Args:
        samples: mono, 16 kHz, finite, nominally in -1..1, any length.

    Returns:
        (32, 32, 1) uint8: mel bands, frames, one channel.
    """
    if not np.isfinite(samples).all():
        raise ValueError("Samples are finite. Received: NaN or infinity")
    clipped = np.clip(np.asarray(samples, dtype=np.float64), -1.0, 1.0)
    padded = np.pad(fit_clip(clipped), PAD_SAMPLES)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES][:SIDE]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)
    # A full-scale sine has a power of about 1 in its band.
    power = np.abs(np.fft.rfft(frames * window, axis=1) / (FRAME_SAMPLES / 4)) ** 2
    decibels = 10 * np.log10(mel_filters() @ power.T + 10 ** ((FLOOR_DB - RANGE_DB) / 10))
    loudest = max(float(decibels.max()), FLOOR_DB)
    scaled = (decibels - loudest + RANGE_DB) * (255 / RANGE_DB)
    return np.asarray(np.clip(np.rint(scaled), 0, 255)[:, :, None], dtype=np.uint8)
