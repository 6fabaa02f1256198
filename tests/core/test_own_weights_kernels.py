"""Layers with 8-bit weights: fast == plain == numpy over shapes and extremes, under sanitizers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_weights_cases import dense8_case, packed, stem8_case
from run_driver import RunDriver
from stage_cases import FILLS

from rbnn.spec import own_weights
from rbnn.spec.layout import Stage

CASES = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SEEDS = st.integers(0, 2**32 - 1)
STAGES = st.sampled_from([Stage.THRESHOLD, Stage.RESIDUAL])


@CASES
@given(seed=SEEDS, fill=st.sampled_from(FILLS), stage=STAGES)
def test_any_stem(kernels: RunDriver, seed: int, fill: str, stage: Stage) -> None:
    kernels.check(*stem8_case(seed, fill, stage))


@CASES
@given(
    seed=SEEDS,
    stage=STAGES,
    weights=st.sampled_from(["low", "high"]),
    pixel=st.sampled_from([0, 255]),
)
def test_largest_sums(
    kernels: RunDriver, seed: int, stage: Stage, weights: str, pixel: int
) -> None:
    kernels.check(*stem8_case(seed, "wide", stage, weights=weights, pixel=pixel))


@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7])
def test_every_window(kernels: RunDriver, kernel: int, channels: int, pool: int) -> None:
    shape = (9, 13, channels, 64, kernel, 1, kernel // 2, pool)
    kernels.check(*stem8_case(kernel, "random", Stage.THRESHOLD, shape))


@pytest.mark.parametrize("width", range(4, 21))
def test_every_width(kernels: RunDriver, width: int) -> None:
    for stride, pool in ((1, 1), (2, 1), (1, 2), (2, 2), (4, 1)):
        shape = (5, width, 3, 32, 3, stride, 1, pool)
        kernels.check(*stem8_case(width, "random", Stage.THRESHOLD, shape))


@CASES
@given(seed=SEEDS, fill=st.sampled_from(FILLS), stream=st.booleans())
def test_dense(kernels: RunDriver, seed: int, fill: str, stream: bool) -> None:
    kernels.check(*dense8_case(seed, fill, stream))


@pytest.mark.parametrize("stream", [False, True])
def test_many_inputs(kernels: RunDriver, stream: bool) -> None:
    for fill in FILLS:
        kernels.check(*dense8_case(1, fill, stream, inputs=2048, classes=5))


@pytest.mark.parametrize("shape", [(3, 3, 3, 32), (1, 1, 1, 64), (64, 10), (7, 7, 4, 32)])
def test_weights_are_packed_in_fours(shape: tuple[int, ...]) -> None:
    kernel = np.random.default_rng(1).integers(-127, 128, shape).astype(np.int8)
    data = own_weights.pack(kernel)
    assert data == packed(kernel.reshape(-1, shape[-1]).T)
    assert len(data) == own_weights.packed_bytes(shape)
    assert np.array_equal(own_weights.unpack(data, shape), kernel)
