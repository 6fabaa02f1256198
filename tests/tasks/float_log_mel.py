"""The log-mel picture in floating point, which the integers of the front end are compared with.

Until version 3 of the front end, networks were trained with these pictures.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from rbnn.spec.audio import (
    BANDS,
    FLOOR_DB,
    FRAME_SAMPLES,
    HIGHEST_HZ,
    HOP_SAMPLES,
    LOWEST_HZ,
    PAD_SAMPLES,
    RANGE_DB,
    RATE_HZ,
)
from rbnn.tasks.audio import Samples, fit_clip


@cache
def mel_filters() -> Samples:
    """Weights of the triangular filters, (32, 513), each row of sum 1."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.arange(FRAME_SAMPLES // 2 + 1) * (RATE_HZ / FRAME_SAMPLES)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights = np.maximum(
        0.0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    )
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def float_log_mel_image(samples: Samples) -> npt.NDArray[np.uint8]:
    """(32, 32, 1): mel bands, frames, one channel."""
    clipped = np.clip(np.asarray(samples, dtype=np.float64), -1.0, 1.0)
    padded = np.pad(fit_clip(clipped), PAD_SAMPLES)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES][:BANDS]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)
    # A full-scale sine has a power of about 1 in its band.
    power = np.abs(np.fft.rfft(frames * window, axis=1) / (FRAME_SAMPLES / 4)) ** 2
    decibels = 10 * np.log10(mel_filters() @ power.T + 10 ** ((FLOOR_DB - RANGE_DB) / 10))
    loudest = max(float(decibels.max()), FLOOR_DB)
    scaled = (decibels - loudest + RANGE_DB) * (255 / RANGE_DB)
    return np.asarray(np.clip(np.rint(scaled), 0, 255)[:, :, None], dtype=np.uint8)
