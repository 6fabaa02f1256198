"""A recording for tests of devices that listen."""

from __future__ import annotations

import numpy as np

from rbnn.spec import audio
from rbnn.tasks.front_end import Pcm


def recording(seconds: float = 4.0, seed: int = 1, silent_until: float = 2.9) -> Pcm:
    """Bursts of tones in quiet noise, with digital silence from 1.5 s on.

    Args:
        seconds: of all of it.
        seed: of the noise.
        silent_until: when the silence ends.
    """
    rng = np.random.default_rng(seed)
    count = round(seconds * audio.RATE_HZ)
    t = np.arange(count) / audio.RATE_HZ
    loud = (np.sin(2 * np.pi * t / 0.7) > 0.3) * np.sin(2 * np.pi * (300 + 900 * t) * t)
    sound = 8_000 * loud + rng.normal(0, 40, count)
    sound[(t > 1.5) & (t < silent_until)] = 0
    return np.rint(sound).astype(np.int16)
