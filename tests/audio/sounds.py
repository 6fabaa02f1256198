"""Sounds for tests: what people say, what machines make, and what nobody should send."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rbnn.spec.audio import CLIP_SAMPLES, RATE_HZ
from rbnn.tasks.front_end import Pcm

Run = Callable[..., bytes]
LOUDEST = 32_767


def odd_clips() -> list[Pcm]:
    """Extremes of 16 bits: silence, full scale, clicks, one sample beside silence."""
    zeros = np.zeros(CLIP_SAMPLES, np.int16)
    one, last = zeros.copy(), zeros.copy()
    one[8_000], last[-1] = 1, -32_768
    signs = np.where(np.arange(CLIP_SAMPLES) % 2, -32_768, LOUDEST).astype(np.int16)
    blocks = np.where(np.arange(CLIP_SAMPLES) // 512 % 2, -32_768, LOUDEST).astype(np.int16)
    return [
        *(zeros, one, last, signs, blocks),
        np.full(CLIP_SAMPLES, -32_768, np.int16),
        np.full(CLIP_SAMPLES, LOUDEST, np.int16),
        np.random.default_rng(1).integers(-32_768, 32_768, CLIP_SAMPLES).astype(np.int16),
        np.random.default_rng(2).choice([-32_768, LOUDEST], CLIP_SAMPLES).astype(np.int16),
        np.random.default_rng(3).integers(-1, 2, CLIP_SAMPLES).astype(np.int16),
    ]


def random_clip(seed: int) -> Pcm:
    """Tones that glide, harmonics and noise of any loudness."""
    rng = np.random.default_rng(seed)
    t = np.arange(CLIP_SAMPLES) / RATE_HZ
    sound = rng.uniform(0, 0.3) * rng.standard_normal(CLIP_SAMPLES) * 10 ** rng.uniform(-3, 0)
    for _ in range(int(rng.integers(1, 5))):
        start, glide = rng.uniform(50, 7_500), rng.uniform(-3_000, 3_000)
        middle, width = rng.uniform(0, 1), rng.uniform(0.02, 0.5)
        envelope = np.exp(-(((t - middle) / width) ** 2)) * 10 ** rng.uniform(-2, 0)
        sound = sound + envelope * np.sin(2 * np.pi * (start * t + glide * t * t / 2))
    peak = 10 ** rng.uniform(-3.5, 0.2)
    scaled = sound / max(np.abs(sound).max(), 1e-9) * peak * 32_768
    return np.clip(np.rint(scaled), -32_768, 32_767).astype(np.int16)
