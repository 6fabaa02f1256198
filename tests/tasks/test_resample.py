"""Resampling without SciPy gives what SciPy gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly

from rbnn.tasks.resample import resample


@pytest.mark.parametrize("up, down", [(1, 3), (2, 1), (160, 441), (320, 441), (1, 12), (147, 160)])
@pytest.mark.parametrize("length", [1, 7, 1000, 22050])
def test_it_equals_scipys(up: int, down: int, length: int) -> None:
    samples = np.random.default_rng(length).uniform(-1, 1, length)
    ours, theirs = resample(samples, up, down), resample_poly(samples, up, down)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)


def test_the_same_rate_changes_nothing() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 100)
    assert np.array_equal(resample(samples, 16000, 16000), samples)


def test_nothing_stays_nothing() -> None:
    assert len(resample(np.zeros(0), 1, 3)) == 0
