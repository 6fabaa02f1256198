"""Another sample rate by a polyphase filter, in numpy alone: ``rbnn infer`` needs no SciPy for it.

The filter is that of ``scipy.signal.resample_poly``: a Kaiser-windowed sinc (beta 5) of twenty
periods of the lower rate. Sums are taken in a fixed order, so that every machine finds the same.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

KAISER_BETA = 5.0
HALF_PERIODS = 10

Samples = npt.NDArray[np.float64]


def resample(samples: Samples, up: int, down: int) -> Samples:
    """Samples at ``up / down`` times their rate; beyond both ends there is silence.

    Args:
        samples: float64.
        up: numerator of the ratio of the rates.
        down: its denominator.
    """
    common = math.gcd(up, down)
    up, down = up // common, down // common
    if up == down:
        return samples.copy()
    half = HALF_PERIODS * max(up, down)
    filter_ = np.zeros(-(-(2 * half + 1) // up) * up)
    filter_[: 2 * half + 1] = _low_pass(max(up, down), half) * up
    phases = filter_.reshape(-1, up)
    # Output m is the sum over j of phases[j, first % up] * samples[first // up - j].
    first = np.arange(-(-len(samples) * up // down)) * down + half
    place, phase = first // up, first % up
    padded = np.pad(samples, (len(phases), int(place.max(initial=0)) + 1))
    made = np.zeros(len(first))
    for j in reversed(range(len(phases))):
        made += padded[place - j + len(phases)] * phases[j][phase]
    return made


def _low_pass(period: int, half: int) -> Samples:
    """``2 * half + 1`` coefficients with the sum 1."""
    times = np.arange(-half, half + 1)
    windowed = np.sinc(times / period) / period * np.kaiser(2 * half + 1, KAISER_BETA)
    return np.asarray(windowed / windowed.sum())
